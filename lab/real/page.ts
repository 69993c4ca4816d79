/** docs/proof/real.md, written by a complete run that passed. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { SIZES } from "../common/tiers";
import { CONFIGURATIONS } from "./configurations";
import { PROMTOOL, rootfsOf, SYNAPSE_SOURCE } from "./programs";

export interface Run {
  counts: Record<string, number>;
  notes: string[];
  suites: Array<{ suite: string; passed: number; seconds: number }>;
  seconds: number;
  installSeconds: number;
  /** Processor time. */ spent: number;
  /** Load average over 15 minutes, including everything else on the machine. */ load: number;
}

/** The version that each program reports. */
function versions(): Array<[string, string, string]> {
  const said = (rootfs: string, ...argv: string[]): string => {
    const text = execFileSync("sh", ["-c", 'exec chroot "$0" "$@" 2>&1', rootfsOf(rootfs), ...argv], {
      encoding: "utf8",
    });
    return /\d+(\.\d+)+/.exec(text)?.[0] ?? text.trim();
  };
  return [
    [
      "Synapse",
      /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(SYNAPSE_SOURCE, "pyproject.toml"), "utf8"))![1]!,
      "PyPI, every package by hash",
    ],
    ["HAProxy", said("haproxy", "/usr/sbin/haproxy", "-v"), "Debian"],
    ["PostgreSQL", said("postgresql", "/usr/lib/postgresql/18/bin/postgres", "--version"), "Debian"],
    ["PgBouncer", said("pgbouncer", "/usr/sbin/pgbouncer", "--version"), "Debian"],
    ["Redis and Sentinel", said("redis", "/usr/bin/redis-server", "--version"), "Debian"],
    ["nginx", said("nginx", "/usr/sbin/nginx", "-v"), "Debian"],
    ["coturn", said("coturn", "/usr/bin/turnserver", "--version"), "Debian"],
    ["LiveKit", said("livekit", "/livekit-server", "--version"), "Go module"],
    ["promtool", /\d+(\.\d+)+/.exec(execFileSync(PROMTOOL, ["--version"], { encoding: "utf8" }))![0], "Debian"],
  ];
}

const HOW: Array<[what: string, how: string]> = [
  [
    "Synapse",
    "Each process, main and every worker pod up to each autoscaler's maximum, is laid out with the files, environment, user and read-only root that its pod has. Its own start command runs up to Synapse, whose own parser then reads the configuration. Every key is compared with the options of that version's documentation and with what its code reads; what Synapse accepts in silence is checked over all processes together.",
  ],
  ["HAProxy", "`haproxy -c -dW`, then a live run, for the router and the proxies of Redis."],
  [
    "PostgreSQL, PgBouncer",
    "Started with the generated parameters; then asked whether each is known, taken from the configuration and in effect.",
  ],
  [
    "Redis, Sentinel, LiveKit",
    "All pods of each set started; the Sentinels agree on a master, its proxy finds it, LiveKit finds it through the Sentinels.",
  ],
  [
    "nginx, coturn",
    "`nginx -t` and a live run of each site, with the addresses that may reach each path; coturn answers a STUN request.",
  ],
  [
    "Alert rules",
    "`promtool check rules`, and unit tests of each rule: it fires when its condition has lasted as long as the rule says, not one step earlier, and never just short of its threshold. The dashboards' queries are parsed likewise.",
  ],
  ["Custom resources", "Each against the schema in its operator's own CRD."],
  [
    "Routing",
    "The unmodified HAProxy configuration of each size, a name service, and a small server for every process of every class that answers with its own name. The requests are made from the patterns of docs/workers.md in Synapse's source package: each alternative, four kinds of room id (old and new, encoded or not), several methods, with and without query and trailing part; then those of every servlet, near misses, one user or room or origin or file to one process, a class without a process, lost answers, and more requests than fit.",
  ],
  [
    "Mistakes",
    "Each known kind of mistake, made on purpose in the generated objects, must be caught by the check before a deployment or by these tests.",
  ],
  ["Hosts", "The disk and firewall steps on real (loop) devices and the real packet filter."],
];

export function realPage(run: Run): string {
  const table = (head: string[], rows: Array<Array<string | number>>): string[] => [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---").join("|")}|`,
    ...rows.map((r) => `| ${r.join(" | ")} |`),
    "",
  ];
  return [
    "# Configurations, read by the programs themselves",
    "",
    `Written by \`npm run test:real\` on ${new Date().toISOString().slice(0, 10)}, on ${os.cpus().length} cores and ${Math.round(os.totalmem() / 1024 ** 3)} GiB: everything passed, nothing was skipped, in ${(run.seconds / 60).toFixed(1)} minutes, ${run.installSeconds.toFixed(0)} s of them for having the programs ready. It took ${(run.spent / 60).toFixed(1)} minutes of processor time; the load average of the machine over the last 15 minutes was ${run.load.toFixed(0)}. It runs without a cluster; each pod is laid out as processes with the pod's files, users and network.`,
    "",
    `The stack is rendered ${CONFIGURATIONS.length} times: ${SIZES.map((n) => n.toLocaleString("en")).join(", ")} users as they are and with every option on, and 1,000 users with each option by itself.`,
    "",
    "A configuration that several of them share is read once by programs other than Synapse, and counted as equal.",
    "",
    "## How much",
    "",
    ...table(
      ["checked", "number"],
      Object.entries(run.counts).map(([k, v]) => [k, v.toLocaleString("en")]),
    ),
    "## What and how",
    "",
    ...table(["what", "how"], HOW),
    "## Suites",
    "",
    ...table(
      ["suite", "tests passed", "seconds"],
      run.suites.map((s) => [s.suite, s.passed, s.seconds.toFixed(0)]),
    ),
    "## Programs",
    "",
    ...table(["program", "version", "from"], versions()),
    "## What a reader should know",
    "",
    ...run.notes.map((t) => `- ${t}`),
    "",
    "## The configurations",
    "",
    ...CONFIGURATIONS.map((c) => `- ${c.name}`),
    "",
  ].join("\n");
}
