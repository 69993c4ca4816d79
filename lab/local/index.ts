/**
 * `npm run local`: a real Kubernetes of three nodes on this machine, with the stack Pulumi.local.yaml on it.
 * Where `pulumi` is on PATH it deploys; where it is not, the driver in this folder does.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { access, adminRequest, KUBECONFIG, type Access } from "./access";
import { localConfig, ROOT, STACK } from "./config";
import { Driver } from "./driver";
import { pulumiUp } from "./engine";
import { CACHE_DIR, RUN_DIR, State } from "./state";

const USAGE = `npm run local [-- up|deploy|down|status] [--expect-no-changes] [--set path=value ...]
  up      (default) builds what is missing, starts the cluster, deploys Pulumi.local.yaml, prints URLs and a login
  deploy  only deploys, on a cluster that runs
  down    stops everything and removes all but the cache of built parts
  status  what runs`;


function script(relative: string, args: string[] = []): void {
  const done = spawnSync("bash", [path.join(ROOT, relative), ...args], { stdio: "inherit" });
  if (done.status !== 0) throw new Error(`${relative} ended with ${done.status ?? done.signal}; \`npm run local\` goes on where it stopped, \`npm run local -- down\` cleans up`);
}

const onPath = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;

async function deploy(sets: string[]): Promise<{ changes: number; detail: string[] }> {
  const config = localConfig(sets);
  if (onPath("pulumi")) return pulumiUp(config, KUBECONFIG);
  const report = await new Driver({ stack: STACK, config, kubeconfig: KUBECONFIG, state: State.open(), log: (l) => console.log(l) }).up();
  console.log(`deployed in ${report.seconds.toFixed(0)} s: ${report.created.length} created, ${report.changed.length} changed, ${report.unchanged} unchanged, ${report.deleted.length} deleted`);
  return { changes: report.created.length + report.changed.length + report.deleted.length, detail: [...report.created, ...report.changed, ...report.deleted] };
}

/** An administrator of the homeserver; the password is made once and kept beside the state. */
async function administrator(a: Access): Promise<{ user: string; password: string }> {
  const file = path.join(RUN_DIR, "driver", "admin.json");
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8"));
  const login = { user: "admin", password: crypto.randomBytes(12).toString("base64url") };
  await adminRequest(a, login.user, login.password, true);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, JSON.stringify(login), { mode: 0o600 });
  return login;
}

async function announce(): Promise<void> {
  const a = await access();
  const login = await administrator(a);
  console.log(`
The homeserver runs.
  client API    https://${a.hostnames.homeserver}/        (at ${a.address})
  web           https://${a.hostnames.web}/
  admin         https://${a.hostnames.admin}/
  login         @${login.user}:${a.serverName}   password ${login.password}
  CA            ${a.caFile}   (trust it in the client, or pass it to curl)
  try           curl --cacert ${a.caFile} --resolve ${a.hostnames.homeserver}:443:${a.address} https://${a.hostnames.homeserver}/_matrix/client/versions
  a browser     add this line to /etc/hosts:  ${a.address} ${[a.serverName, ...Object.values(a.hostnames)].join(" ")}
  kubectl       KUBECONFIG=${KUBECONFIG} ${path.join(CACHE_DIR, "bin", "kubectl")} get pods -A
  end           npm run local -- down`);
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) { console.log(USAGE); return; }
  const sets = argv.flatMap((a, i) => (argv[i - 1] === "--set" ? [a] : []));
  const words = argv.filter((a, i) => !a.startsWith("--") && argv[i - 1] !== "--set");
  const command = words[0] ?? "up";
  const started = Date.now();
  switch (command) {
    case "up":
    case "deploy": {
      if (command === "up") {
        console.log("Local cluster with the whole stack: about 5 minutes when everything is built, up to 40 when nothing is.");
        script("lab/cluster/up.sh");
        script("lab/cluster/ingress.sh");
      }
      const { changes, detail } = await deploy(sets);
      if (argv.includes("--expect-no-changes") && changes > 0) throw new Error(`expected no changes, but there were ${changes}:\n  ${detail.join("\n  ")}`);
      await announce();
      console.log(`\n${command} took ${((Date.now() - started) / 1000).toFixed(0)} s in all.`);
      return;
    }
    case "down": script("lab/cluster/down.sh"); return;
    case "status": {
      if (!fs.existsSync(KUBECONFIG)) { console.log("No local cluster. `npm run local` starts one."); return; }
      spawnSync(path.join(CACHE_DIR, "bin", "kubectl"), ["get", "nodes,pods", "-A", "-o", "wide"], { stdio: "inherit", env: { ...process.env, KUBECONFIG } });
      return;
    }
    default: throw new Error(`unknown command ${command}\n${USAGE}`);
  }
}

if (require.main === module) main().catch((error) => { console.error(`error: ${error.message}`); process.exitCode = 1; });
