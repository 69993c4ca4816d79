/** `up` and `deploy`: from any state to a homeserver that answers, on any cluster. */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { readStackConfig } from "../../components/settings/stackFile";
import { access, adminRequest, type Access } from "./access";
import { clusterFlags, type Request } from "./arguments";
import { ROOT, RUN_DIR } from "../common/folders";
import { keepSets, localConfig, STACK } from "./config";
import { isNew, pulumiUp } from "./engine";
import { recordFirstLogin } from "./firstLogin";
import { foreignProblems, nextTarget, presentOperators, UNPUBLISHED, workingNodes } from "./foreign";
import { kindAddresses, kindLoad, kindUp } from "./kind";
import { getItems, KUBECONFIG, KUBECTL, kubectl, requireCluster } from "./kubectl";
import { engineGroup, enter } from "./priority";
import { readTarget, serverOf, writeTarget } from "./target";

function script(relative: string, args: string[] = []): void {
  const done = spawnSync("bash", [path.join(ROOT, relative), ...args], { stdio: "inherit" });
  if (done.status !== 0)
    throw new Error(
      `${relative} ended with ${done.status ?? done.signal}; \`npm run local\` continues where it stopped, \`npm run local -- down\` cleans up`,
    );
}

/** An administrator of the homeserver; the password is generated once and kept beside the state. */
async function administrator(a: Access): Promise<{ user: string; password: string }> {
  const file = path.join(RUN_DIR, "admin.json");
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8"));
  const login = { user: "admin", password: crypto.randomBytes(12).toString("base64url") };
  await adminRequest(a, login.user, login.password, true);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, JSON.stringify(login), { mode: 0o600 });
  return login;
}

async function announce(request: Request): Promise<void> {
  const a = await access();
  const login = await administrator(a);
  const which = clusterFlags(request);
  console.log(`
The homeserver runs.
  client API    https://${a.hostnames.homeserver}/        (at ${a.address})
  web           https://${a.hostnames.web}/
  admin         https://${a.hostnames.admin}/
  login         @${login.user}:${a.serverName}   password ${login.password}
  CA            ${a.caFile}   (trust it in the client, or pass it to curl)
  try           curl --cacert ${a.caFile} --resolve ${a.hostnames.homeserver}:443:${a.address} https://${a.hostnames.homeserver}/_matrix/client/versions
  a browser     add this line to /etc/hosts:  ${a.address} ${[a.serverName, ...Object.values(a.hostnames)].join(" ")}
  kubectl       KUBECONFIG=${KUBECONFIG} ${KUBECTL} get pods -A
  look          npm run local -- status${which}   (also logs, shell${which ? "" : ", chaos"})
  engine        npm run local -- engine${which} stack        (pulumi on this stack: preview, refresh, stack export, ...)
  end           npm run local -- down${which}`);
}

/** Records the foreign cluster in the run folder, where localConfig finds it. */
export function survey(request: Request): void {
  const before = readTarget();
  const optional = (kind: string, ...more: string[]): any[] => {
    try {
      return getItems(kind, ...more);
    } catch {
      return [];
    }
  };
  const found = {
    cluster: request.cluster as "kind" | "kubeconfig",
    server: serverOf(fs.readFileSync(KUBECONFIG, "utf8")),
    nodes: workingNodes(getItems("nodes")),
    serviceCidrs: optional("servicecidrs").flatMap((s) => s.spec.cidrs ?? []),
    apiServers: optional("endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes").flatMap(
      (s) => s.endpoints.flatMap((e: any) => e.addresses),
    ),
    present: presentOperators({
      crds: optional("customresourcedefinitions"),
      apiServices: optional("apiservices"),
      storageClasses: optional("storageclasses"),
    }),
  };
  const target = nextTarget(found, before, request);
  if (target.cluster === "kind" && !target.addresses) target.addresses = kindAddresses();
  const problems = foreignProblems(target, readStackConfig(STACK, ROOT));
  if (problems.length) throw new Error(`this cluster cannot hold the stack yet:\n  ${problems.join("\n  ")}`);
  writeTarget(target);
  console.log(
    `${target.server}: ${target.nodes.length} nodes, images ${target.images}${target.present.length ? `; it has already: ${target.present.join(", ")}` : ""}`,
  );
}

function prepareForeign(request: Request): void {
  const images = request.images ?? readTarget()?.images ?? "published";
  if (request.cluster === "kind") {
    if (request.command === "up") kindUp();
    requireCluster();
    const recipes = images === "local" ? [] : [...UNPUBLISHED];
    if (request.command === "up") {
      console.log(
        `${images === "local" ? "All images" : `The unpublished images (${UNPUBLISHED.join(", ")})`} are built here and loaded into the nodes.`,
      );
      script("lab/images/build.sh", recipes);
      kindLoad(
        recipes.length
          ? recipes
          : fs
              .readFileSync(path.join(ROOT, "lab/images/list.txt"), "utf8")
              .split("\n")
              // A fifth column marks those that are built on request.
              .filter((l) => l && !l.startsWith("#") && l.split("|").length < 5)
              .map((l) => l.split("|")[0]!.trim()),
      );
    }
  }
  requireCluster();
  kubectl(["version", "--request-timeout=15s"]);
  survey(request);
}

export async function up(request: Request): Promise<void> {
  const started = Date.now(),
    cold = !fs.existsSync(KUBECTL);
  if (request.cluster !== "lab") prepareForeign(request);
  else if (request.command === "up") {
    console.log(
      "Local cluster with the whole stack: about 8 minutes when everything is built, about 50 when nothing is.",
    );
    script("lab/cluster/up.sh");
    script("lab/cluster/ingress.sh");
  }
  // Only after the nodes have started: the processes that start them do not belong to it.
  if (request.cluster === "lab") enter(engineGroup());
  const clusterUp = Date.now(),
    fresh = request.command === "up" && request.cluster === "lab" && isNew();
  if (request.keep) keepSets(request.sets);
  // A foreign cluster's settings remember every --set.
  const { changes, detail } = pulumiUp(localConfig(request.cluster === "lab" ? request.sets : []), request);
  if (request.expectNoChanges && changes > 0)
    throw new Error(`expected no changes, but there were ${changes}:\n  ${detail.join("\n  ")}`);
  await announce(request);
  if (fresh) await recordFirstLogin({ started, clusterUp, cold });
  console.log(`\n${request.command} took ${((Date.now() - started) / 1000).toFixed(0)} s in all.`);
}
