/**
 * `npm run bench:router`: measures what the generated HAProxy adds to a request, compared with a direct connection to
 * the same server. Rounds of both alternate, so that other work on the machine affects both alike. Enters the
 * namespaces of test:real itself; the first argument is the size of the stack (default 1000). Prints the figures and
 * writes them to docs/proof/router.md.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { parseWords, runMain, UsageError } from "../../cli/arguments";
import { PROOF } from "../common/folders";
import { tier } from "../common/tiers";
import { inOwnNamespaces } from "./namespaces";
import { Classes } from "./classes";
import { subjectFor } from "./configurations";
import { Network } from "./network";

const USAGE = `npm run bench:router [-- USERS]
  Measures what HAProxy adds to a request, for a stack of so many users (default: 1000), and writes docs/proof/router.md.
  Needs root, on Debian or the like.`;
const ROUNDS = 6,
  PER_ROUND = 4000;

/** This program again, in namespaces of its own. */
function inNamespaces(argv: readonly string[]): number {
  const installed = spawnSync(path.resolve(__dirname, "programs/install.sh"), { stdio: "inherit" });
  if (installed.status !== 0) return installed.status ?? 1;
  const run = spawnSync(
    "unshare",
    inOwnNamespaces("bench", [process.execPath, "--require", "tsx", __filename, ...argv]),
    { stdio: "inherit", env: { ...process.env, REAL_NAMESPACES: "1" } },
  );
  return run.status ?? 1;
}

const at = (sorted: number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;

interface Asked {
  host: string;
  port: number;
  agent: http.Agent;
  /** How many in all, and how many at once. */ requests: number;
  concurrency: number;
}

async function load({
  host,
  port,
  agent,
  requests,
  concurrency,
}: Asked): Promise<{ times: number[]; seconds: number }> {
  const times: number[] = [];
  let next = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const i = (next += 1),
        from = process.hrtime.bigint();
      http
        .get(
          {
            host,
            port,
            path: `/_matrix/client/v3/rooms/!r${i % 50}:example.org/messages?dir=b`,
            agent,
            headers: { authorization: `Bearer syt_user${i % 100}_x_y` },
          },
          (res) => {
            res.resume();
            res.on("end", () => {
              times.push(Number(process.hrtime.bigint() - from) / 1e6);
              res.statusCode === 200 ? resolve() : reject(new Error(`status ${res.statusCode}`));
            });
          },
        )
        .on("error", reject);
    });
  const from = Date.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < requests) await one();
    }),
  );
  return { times, seconds: (Date.now() - from) / 1000 };
}

async function bench(ccu: number): Promise<void> {
  const s = await subjectFor({ name: "bench", config: tier(ccu, { federation: true }).config });
  const net = await new Network().start();
  const classes = await new Classes(s.plan, net).start();
  classes.behaviour = (req, res) => {
    req.resume();
    res.end("{}");
    return true;
  };
  const pod = net.pod(
    s.templates.find((t) => t.owner.kind === "Deployment" && t.owner.name === "haproxy")!,
    s.objects,
    "haproxy-x",
  );
  const haproxy = net.startContainer(pod, pod.containers[0]!);
  await haproxy.until(async () => (await fetch(`http://${pod.ip}:8008/_matrix/client/versions`)).status === 200, 30);
  const direct = classes.addresses.get("generic")![0]!;
  process.stdout.write(
    `HAProxy of ${ccu} users against a direct connection, ${ROUNDS} rounds of ${PER_ROUND} requests each in turn; client and servers share the machine\n`,
  );
  const rows: string[] = [];
  /**
   * Milliseconds of processor time that HAProxy has used (proc(5), utime and stime): the cost of a request, however
   * busy the machine is.
   */
  const used = (): number =>
    fs
      .readFileSync(`/proc/${haproxy.child.pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ")
      .slice(11, 13)
      .reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
  let cpu = 0,
    through = 0;
  for (const concurrency of [1, 16, 64]) {
    const sums = { direct: { times: [] as number[], seconds: 0 }, haproxy: { times: [] as number[], seconds: 0 } };
    const agents = {
      direct: new http.Agent({ keepAlive: true, maxSockets: concurrency }),
      haproxy: new http.Agent({ keepAlive: true, maxSockets: concurrency }),
    };
    for (let round = -1; round < ROUNDS; round += 1)
      for (const which of ["direct", "haproxy"] as const) {
        const before = used();
        const r = await load({
          host: which === "direct" ? direct : pod.ip,
          port: 8008,
          agent: agents[which],
          requests: PER_ROUND,
          concurrency,
        });
        if (which === "haproxy") {
          cpu += used() - before;
          through += r.times.length;
        }
        if (round >= 0) {
          sums[which].times.push(...r.times);
          sums[which].seconds += r.seconds;
        }
      }
    const row = (which: "direct" | "haproxy"): { p: number[]; rate: number } => {
      const t = sums[which].times.sort((a, b) => a - b);
      return { p: [0.5, 0.95, 0.99].map((q) => at(t, q)), rate: t.length / sums[which].seconds };
    };
    const d = row("direct"),
      h = row("haproxy");
    const show = (name: string, p: number[], rate?: number): string =>
      `  ${name.padEnd(8)} p50 ${p[0]!.toFixed(2)} ms  p95 ${p[1]!.toFixed(2)} ms  p99 ${p[2]!.toFixed(2)} ms${rate ? `  ${rate.toFixed(0)} requests/s` : ""}\n`;
    process.stdout.write(
      `${concurrency} at once\n${show("direct", d.p, d.rate)}${show("HAProxy", h.p, h.rate)}${show(
        "added",
        h.p.map((v, i) => v - d.p[i]!),
      )}`,
    );
    const cell = (name: string, x: { p: number[]; rate: number }): string =>
      `| ${concurrency} | ${name} | ${x.p.map((v) => v.toFixed(2)).join(" | ")} | ${Math.round(x.rate).toLocaleString("en")} |`;
    rows.push(
      cell("direct", d),
      cell("HAProxy", h),
      `| ${concurrency} | added | ${h.p.map((v, i) => (v - d.p[i]!).toFixed(2)).join(" | ")} | ${(100 * (h.rate / d.rate - 1)).toFixed(0)} % |`,
    );
    Object.values(agents).forEach((a) => a.destroy());
  }
  process.stdout.write(`HAProxy: ${((1000 * cpu) / through).toFixed(0)} microseconds of processor time a request\n`);
  const page = [
    "# What the router adds to a request",
    "",
    `Written by \`npm run bench:router -- ${ccu}\` on ${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} cores, one-minute load ${os.loadavg()[0]!.toFixed(1)} at the end. The generated HAProxy configuration of ${ccu.toLocaleString("en")} users, unmodified, against a direct connection to one of the same servers: ${ROUNDS} rounds of ${PER_ROUND.toLocaleString("en")} requests each, in turn, after one that is not counted, so that other work on the machine affects both alike.`,
    "",
    `HAProxy itself used ${((1000 * cpu) / through).toFixed(0)} microseconds of processor time a request (${through.toLocaleString("en")} requests): one core carries ${Math.round((1000 * through) / cpu).toLocaleString("en")} a second. This hardly depends on how busy the machine is; the times below do${os.loadavg()[0]! > 4 ? ", and with this load they are upper bounds: most of the difference is time spent waiting for a core, which the direct connection does not need, since its client and servers are one process" : ""}.`,
    "",
    "The client, HAProxy and the servers share the cores, and the servers do nothing but answer: so the throughput is a lower bound for HAProxy alone. The requests read a room's messages and pass the same keys, hashing and conditions as real ones.",
    "",
    "| at once | way | p50 ms | p95 ms | p99 ms | requests/s |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
  ];
  fs.mkdirSync(PROOF, { recursive: true });
  fs.writeFileSync(path.join(PROOF, "router.md"), page.join("\n"));
  await haproxy.stop("SIGKILL");
  await classes.stop();
  await net.close();
}

async function main(argv: string[]): Promise<void> {
  const [size = "1000", ...more] = parseWords(argv, {}).words;
  if (!/^[1-9]\d*$/.test(size) || more.length)
    throw new UsageError(`"${[size, ...more].join(" ")}": give one whole number of users, for example 5000`);
  if (process.env.REAL_NAMESPACES !== "1") {
    process.exitCode = inNamespaces(argv);
    return;
  }
  await bench(Number(size)).then(
    () => process.exit(0),
    (e) => {
      console.error(e);
      process.exit(1);
    },
  );
}

runMain(USAGE, main);
