/**
 * `npm run bench:router`: what the generated HAProxy adds to a request, against a direct connection to the same server,
 * side by side in one run: rounds of both alternate, so that whatever else the machine does falls on both. Enters the
 * namespaces of test:real by itself; the first argument is the size of the stack (default 1000).
 */
import { spawnSync } from "node:child_process";
import * as http from "node:http";
import * as path from "node:path";
import { tier } from "../test/helpers/tiers";
import { Classes } from "../test/real/helpers/classes";
import { subjectFor } from "../test/real/helpers/configurations";
import { Network } from "../test/real/helpers/network";

const ROUNDS = 6, PER_ROUND = 4000;

if (process.env.REAL_NAMESPACES !== "1") {
  const installed = spawnSync(path.resolve(__dirname, "../test/real/programs/install.sh"), { stdio: "inherit" });
  if (installed.status !== 0) process.exit(installed.status ?? 1);
  const run = spawnSync("unshare", ["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", 'ip link set lo up; mkdir -p /run/netns; mount -t tmpfs netns /run/netns; exec "$@"', "bench",
    process.execPath, "--require", "tsx", __filename, ...process.argv.slice(2)], { stdio: "inherit", env: { ...process.env, REAL_NAMESPACES: "1" } });
  process.exit(run.status ?? 1);
}

const at = (sorted: number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;

async function load(host: string, port: number, n: number, concurrency: number, agent: http.Agent): Promise<{ times: number[]; seconds: number }> {
  const times: number[] = [];
  let next = 0;
  const one = (): Promise<void> => new Promise((resolve, reject) => {
    const i = (next += 1), from = process.hrtime.bigint();
    http.get({ host, port, path: `/_matrix/client/v3/rooms/!r${i % 50}:example.org/messages?dir=b`, agent, headers: { authorization: `Bearer syt_user${i % 100}_x_y` } }, (res) => {
      res.resume();
      res.on("end", () => { times.push(Number(process.hrtime.bigint() - from) / 1e6); res.statusCode === 200 ? resolve() : reject(new Error(`status ${res.statusCode}`)); });
    }).on("error", reject);
  });
  const from = Date.now();
  await Promise.all(Array.from({ length: concurrency }, async () => { while (next < n) await one(); }));
  return { times, seconds: (Date.now() - from) / 1000 };
}

async function main(): Promise<void> {
  const ccu = Number(process.argv[2] ?? 1000);
  const s = await subjectFor({ name: "bench", config: tier(ccu, { federation: true }).config });
  const net = await new Network().start();
  const classes = await new Classes(s.plan, net).start();
  classes.behaviour = (req, res) => { req.resume(); res.end("{}"); return true; };
  const pod = net.pod(s.templates.find((t) => t.owner.kind === "Deployment" && t.owner.name === "haproxy")!, s.objects, "haproxy-x");
  const haproxy = net.startContainer(pod, pod.containers[0]!);
  await haproxy.until(async () => (await fetch(`http://${pod.ip}:8008/_matrix/client/versions`)).status === 200, 30);
  const direct = classes.addresses.get("generic")![0]!;
  process.stdout.write(`HAProxy of ${ccu} users against a direct connection, ${ROUNDS} rounds of ${PER_ROUND} requests each in turn; client and servers share the machine\n`);
  for (const concurrency of [1, 16, 64]) {
    const sums = { direct: { times: [] as number[], seconds: 0 }, haproxy: { times: [] as number[], seconds: 0 } };
    const agents = { direct: new http.Agent({ keepAlive: true, maxSockets: concurrency }), haproxy: new http.Agent({ keepAlive: true, maxSockets: concurrency }) };
    for (let round = -1; round < ROUNDS; round += 1) for (const which of ["direct", "haproxy"] as const) {
      const r = await load(which === "direct" ? direct : pod.ip, 8008, PER_ROUND, concurrency, agents[which]);
      if (round >= 0) { sums[which].times.push(...r.times); sums[which].seconds += r.seconds; }
    }
    const row = (which: "direct" | "haproxy"): { p: number[]; rate: number } => { const t = sums[which].times.sort((a, b) => a - b); return { p: [0.5, 0.95, 0.99].map((q) => at(t, q)), rate: t.length / sums[which].seconds }; };
    const d = row("direct"), h = row("haproxy");
    const show = (name: string, p: number[], rate?: number): string => `  ${name.padEnd(8)} p50 ${p[0]!.toFixed(2)} ms  p95 ${p[1]!.toFixed(2)} ms  p99 ${p[2]!.toFixed(2)} ms${rate ? `  ${rate.toFixed(0)} requests/s` : ""}\n`;
    process.stdout.write(`${concurrency} at once\n${show("direct", d.p, d.rate)}${show("HAProxy", h.p, h.rate)}${show("added", h.p.map((v, i) => v - d.p[i]!))}`);
    Object.values(agents).forEach((a) => a.destroy());
  }
  await haproxy.stop("SIGKILL");
  await classes.stop();
  await net.close();
}
void main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
