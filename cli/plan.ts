/** `npm run plan`: the needs and costs of a number of users, or of a stack. Uses no cluster, no engine and no hosts. */
import { parse, runMain, STACK_OPTIONS, UsageError } from "./arguments";
import { table, wrap } from "./table";
import { resolveSettings, SettingsInvalid } from "../components/settings";
import { applySets, readStackConfig } from "../components/settings/stackFile";
import type { Settings, SettingsError } from "../components/settings/types";
import { HOST_ROLES } from "../components/domain/roles";
import { dnsRecords } from "../components/layers/ingress/dns";
import { LAYERS } from "../components/layers/registry";
import { plan } from "../components/plan";
import { recommendedHosts, type Plan } from "../components/sizing";
import { budgetOf, RESERVED_CONNECTIONS } from "../components/sizing/connections";
import { CLIENT_CONNECTIONS_PER_USER, PROXIED_CONNECTIONS_PER_USER } from "../components/sizing/door";

const USAGE = `npm run plan -- --ccu NUMBER | --stack NAME [--set path=value ...] [--json]
  --ccu NUMBER   concurrent users; without --stack, plans on the machines that it recommends
  --stack NAME   the hosts and settings of Pulumi.NAME.yaml (with --ccu: at that number of users)
  --set P=V      one setting replaced: --set federation.enabled=true
  --json         the whole plan as JSON`;

const WIDTH = 118;
const n = (value: number): string => value.toLocaleString("en-US");
const gib = (mib: number): string => `${n(Math.round((mib / 1024) * 100) / 100)} GiB`;
const duration = (seconds: number): string =>
  seconds === 0 ? "0 s" : seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;

export interface Planned {
  settings: Settings;
  plan: Plan;
  stack?: string;
}

/** Settings of a stack, or of recommended machines, and the plan for them. */
export function planFor(options: { ccu?: number; stack?: string; set?: string[]; cwd?: string }): Planned {
  const raw = options.stack !== undefined ? stackConfig(options.stack, options.cwd) : minimalConfig(options.ccu);
  const config = applied({ ...raw, ...(options.ccu !== undefined ? { ccu: options.ccu } : {}) }, options.set ?? []);
  const { settings, errors } = resolveSettings(config, options.stack ?? "plan");
  if (!settings) throw new SettingsInvalid(errors);
  return { settings, plan: plan(settings), ...(options.stack !== undefined ? { stack: options.stack } : {}) };
}

function stackConfig(stack: string, cwd?: string): Record<string, unknown> {
  try {
    return readStackConfig(stack, cwd);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function applied(config: Record<string, unknown>, sets: string[]): Record<string, unknown> {
  try {
    return applySets(config, sets);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The five settings of a minimal stack, on the machines of the anchors. */
function minimalConfig(ccu: number | undefined): Record<string, unknown> {
  if (ccu === undefined)
    throw new UsageError("the number of users or the stack is missing: --ccu 5000, or --stack small");
  return {
    domain: "example.org",
    hosts: recommendedHosts(ccu),
    addressPools: [{ name: "public", addresses: ["203.0.113.10-203.0.113.20"] }],
    tls: { mode: "own-ca" },
  };
}

export function report({ settings, plan: p, stack }: Planned): string {
  const title = `${n(p.ccu)} concurrent users${stack ? `, stack ${stack}` : ", on the machines below"}${p.extrapolated ? " (EXTRAPOLATED beyond the largest known deployment)" : ""}`;
  const sections: Array<[string, string]> = [
    ["Machines to provide", machines(settings, p, stack !== undefined)],
    ["Room on the hosts, with the largest of each role lost", fitTable(p)],
    ["Synapse", `${poolTable(p)}\n${tuning(p)}`],
    ["Services", serviceTable(settings, p)],
    ["Public entrance", entrance(p)],
    ["DNS records", dns(settings, p)],
    ["Database connections", connections(p)],
    ["Storage", storage(p)],
    ["What each failure costs", failureList(p)],
    ["Notes", p.notes.map((note) => wrap(note, WIDTH, "  - ", "    ")).join("\n")],
  ];
  return [
    title,
    "═".repeat(Math.min(WIDTH, title.length)),
    ...sections.flatMap(([head, body]) => ["", head, body]),
  ].join("\n");
}

function machines(settings: Settings, p: Plan, given: boolean): string {
  const rows = p.nodes.map((m) => [
    m.role,
    m.count,
    m.cpu,
    `${n(m.memoryGiB)} GiB`,
    `${n(m.diskGiB)} GiB`,
    ...(given ? [givenHosts(settings, m.role)] : []),
  ]);
  const sum = (of: (m: Plan["nodes"][number]) => number): number => p.nodes.reduce((s, m) => s + m.count * of(m), 0);
  rows.push([
    "total",
    sum(() => 1),
    sum((m) => m.cpu),
    `${n(sum((m) => m.memoryGiB))} GiB`,
    `${n(sum((m) => m.diskGiB))} GiB`,
    ...(given ? [`${settings.hosts.length} hosts`] : []),
  ]);
  return table(["role", "count", "vCPU", "memory", "disk", ...(given ? ["in this stack"] : [])], rows);
}

function givenHosts(settings: Settings, role: string): string {
  const hosts = settings.hosts.filter((h) => (h.roles as string[]).includes(role));
  if (hosts.length === 0) return "none";
  const shapes = [...new Set(hosts.map((h) => `${h.cpu} vCPU / ${h.memoryGiB} GiB`))].join(", ");
  return `${hosts.length} x ${shapes}${hosts.some((h) => h.roles.length > 1) ? ", shared" : ""}`;
}

const fitTable = (p: Plan): string =>
  table(
    ["role", "hosts", "vCPU requested", "of", "memory requested", "of"],
    HOST_ROLES.flatMap((role) => p.fit.filter((f) => f.role === role)).map((f) => [
      f.role,
      f.hosts,
      f.requestedCpu.toFixed(1),
      f.availableCpu.toFixed(1),
      `${f.requestedMemoryGiB.toFixed(1)} GiB`,
      `${f.availableMemoryGiB.toFixed(1)} GiB`,
    ]),
  );

const poolTable = (p: Plan): string =>
  table(
    ["class", "processes", "vCPU each", "memory each", "connections each", "writes"],
    p.synapse.pools.map((pool) => [
      pool.class,
      pool.maxReplicas > pool.replicas ? `${pool.replicas} to ${pool.maxReplicas}` : String(pool.replicas),
      pool.cpu,
      gib(pool.memoryMiB),
      pool.cpMax,
      Object.entries(p.synapse.streamWriters)
        .filter(([, cls]) => cls === pool.class)
        .map(([stream]) => stream)
        .join(", "),
    ]),
  );

const tuning = ({ synapse: s }: Plan): string =>
  `  ${n(s.messagesPerSecond)} messages a second; a user may send ${s.rateLimits.messagesPerSecond} a second, ${s.rateLimits.messagesBurst} at once; event cache ${s.eventCacheSize}, cache factor ${s.globalCacheFactor}`;

function serviceTable(settings: Settings, p: Plan): string {
  const rows = LAYERS.flatMap((layer) => layer.services?.({ settings, plan: p }) ?? []);
  return table(
    ["service", "instances", "vCPU each", "memory each", "what"],
    rows.map((r) => [r.service, r.instances, r.cpu, gib(r.memoryMiB), r.what]),
  );
}

/** One line for each address; the connections are those of the one pod behind it. */
function entrance({ ingress }: Plan): string {
  if (ingress.addresses.length === 0) return "  at the ingress controller of the cluster, which is not this stack's";
  const rows = ingress.addresses.map((addresses) => [
    addresses.join(", ") || "from the pool",
    n(ingress.usersEach),
    n(ingress.clientConnections),
    n(ingress.proxiedConnections),
    `${ingress.workers} x ${n(ingress.workerConnections)}`,
    ingress.replicasEach,
  ]);
  const head = ["address", "users", "their connections", "requests that wait", "workers x connections", "pods"];
  return `${table(head, rows)}\n${wrap(`One pod of each address works, on the host that announces it${ingress.addresses.length > 1 ? "; no two addresses share a host while there is room" : ""}. Connections: ${CLIENT_CONNECTIONS_PER_USER} of clients and ${PROXIED_CONNECTIONS_PER_USER} to the router for each user, and half as many again, because DNS does not divide users evenly.`, WIDTH, "  ", "  ")}`;
}

/** Names with equal records together. */
function dns(settings: Settings, p: Plan): string {
  const byName = new Map<string, string[]>();
  for (const r of dnsRecords({ settings, plan: p }))
    byName.set(r.name, [...(byName.get(r.name) ?? []), `${r.type} ${r.address}`]);
  const byRecords = new Map<string, string[]>();
  for (const [name, records] of byName)
    byRecords.set(records.join(", "), [...(byRecords.get(records.join(", ")) ?? []), name]);
  const lines = [...byRecords].flatMap(([records, names]) => [
    wrap(names.join(", "), WIDTH, "  ", "  "),
    wrap(records, WIDTH, "    ", "    "),
  ]);
  return lines.join("\n") || "  every public name: the address of that controller";
}

const connections = ({ postgres: pg }: Plan): string =>
  `  ${n(pg.connectionsAtMax)} at every autoscaler's maximum + ${RESERVED_CONNECTIONS} reserved = ${n(pg.connectionsAtMax + RESERVED_CONNECTIONS)}, of ${n(budgetOf(pg.maxConnections))} allowed (0.85 x max_connections ${n(pg.maxConnections)})`;

function storage({ minio, postgres: pg }: Plan): string {
  const media = minio
    ? `  Media: ${n(minio.usableGiB)} GiB usable of ${n(minio.nodes * minio.drivesPerNode * minio.driveGiB)} GiB raw; growth about ${n(minio.growthGiBPerYear)} GiB in the first year`
    : "  Media: in an external S3";
  return `${media}\n  Database: ${n(pg.storageGiB)} GiB on each of ${pg.instances} instances`;
}

const failureList = (p: Plan): string =>
  table(
    ["lost", "for", "known by", "effect"],
    p.failures.map((f) => [f.failure, duration(f.seconds), sourceKind(f), f.effect]),
  );

/** How reliable the number of seconds is, in one word; `--json` has the whole source. */
export function sourceKind({ seconds, source }: Pick<Plan["failures"][number], "seconds" | "source">): string {
  if (/not measured/.test(source)) return "estimate";
  if (/^target/.test(source)) return "target";
  if (/\bbound\b/.test(source)) return "bound";
  if (/^measured/.test(source)) return "measured";
  return seconds === 0 ? "design" : "estimate";
}

function printErrors(errors: readonly SettingsError[], json: boolean, message: string): void {
  if (json) console.log(JSON.stringify({ errors }, null, 2));
  else console.error(message);
  process.exitCode = 2;
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, ccu: { type: "string" }, json: { type: "boolean" } });
  const ccu = values.ccu === undefined ? undefined : Number(values.ccu);
  if (ccu !== undefined && !(Number.isInteger(ccu) && ccu >= 1))
    throw new UsageError(`--ccu ${values.ccu}: give a whole number of users, for example 5000`);
  try {
    const planned = planFor({ ccu, stack: values.stack, set: values.set, cwd: values.cwd });
    console.log(values.json ? JSON.stringify(planned.plan, null, 2) : report(planned));
  } catch (error) {
    if (!(error instanceof SettingsInvalid)) throw error;
    printErrors(error.errors, values.json ?? false, error.message);
  }
}

if (require.main === module) runMain(USAGE, main);
