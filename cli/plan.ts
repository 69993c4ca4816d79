/** `npm run plan`: the needs and costs of a number of users, or of a stack. Uses no cluster, no engine and no hosts. */
import { parse, runMain, STACK_OPTIONS, stackConfig, UsageError } from "./arguments";
import { exampleConfig } from "./exampleStack";
import {
  chooseMachines,
  chosenTotals,
  machineNotes,
  machinesText,
  readSizes,
  runTotals,
  stackText,
  type ChosenMachines,
  type MachineOptions,
} from "./machines";
import { loadText } from "./load";
import { table, wrap } from "./table";
import { resolveSettings, SettingsInvalid } from "../components/settings";
import { applySets } from "../components/settings/stackFile";
import type { Settings, SettingsError } from "../components/settings/types";
import { HOST_ROLES } from "../components/domain/roles";
import { LAYERS } from "../components/layers/registry";
import { plan } from "../components/plan";
import type { Plan } from "../components/sizing";
import { MOST_CCU } from "../components/settings/general/identity";
import { FEWEST_HOSTS, ZONES_WANTED } from "../components/sizing/chooseHosts";
import { budgetOf, RESERVED_CONNECTIONS } from "../components/sizing/connections";
import { CLIENT_CONNECTIONS_PER_USER, PROXIED_CONNECTIONS_PER_USER } from "../components/sizing/door";

const USAGE = `npm run plan -- --ccu NUMBER [--machines [N]] | --stack NAME [--set path=value ...] [--json]
  --ccu NUMBER   concurrent users; without --stack, plans on the machines that it recommends. --users is the same
  --domain NAME  with --ccu: the domain (default: example.org)
  --machines N   with --ccu: N machines of one size that share all roles; without N: the fewest that hold everything
  --prefer WHAT  with --machines without N: fewest (default) or cheapest
  --sizes FILE   with --machines: sizes of machines that can be had, with their prices, in JSON or YAML
  --zones A,B,C  with --machines: three zones that they stand in; any one of them may be lost
  --stack NAME   the hosts and settings of Pulumi.NAME.yaml (with --ccu: at that number of users)
  --set P=V      one setting replaced: --set federation.enabled=true
  --json         the whole plan as JSON`;

const WIDTH = 118;
const CONCURRENT = wrap(
  "Concurrent users are those whose client is connected at the same moment in the busiest hour; registered users may be several times as many (with Synapse already running: count the open /sync requests at the reverse proxy).",
  WIDTH,
  "",
  "",
);
const n = (value: number): string => value.toLocaleString("en-US");
const gib = (mib: number): string => `${n(Math.round((mib / 1024) * 100) / 100)} GiB`;
const duration = (seconds: number): string =>
  seconds === 0
    ? "0 s"
    : seconds < 120
      ? `${seconds} s`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3600)} h`;

export interface Planned {
  settings: Settings;
  plan: Plan;
  stack?: string;
  /** The machines, where they were chosen. */
  chosen?: ChosenMachines;
}

/** What is planned. */
interface PlanOptions {
  ccu?: number;
  stack?: string;
  /** The domain of a stack that is yet to be made. @default example.org */
  domain?: string;
  /** Chooses machines, with `ccu` and without `stack`. */
  choose?: MachineOptions;
  set?: string[];
  cwd?: string;
}

/** Settings of a stack, or of recommended machines, and the plan for them. */
export function planFor(options: PlanOptions): Planned {
  if (options.ccu !== undefined) checkCcu(options.ccu);
  const sets = [...(options.domain !== undefined ? [`domain=${options.domain}`] : []), ...(options.set ?? [])];
  if (options.choose !== undefined) {
    const chosen = chooseMachines(options.ccu!, options.choose, (config) => applied(config, sets));
    return { settings: chosen.settings, plan: chosen.plan, chosen };
  }
  const raw = options.stack !== undefined ? stackConfig(options.stack, { cwd: options.cwd }) : newStack(options.ccu);
  const config = applied({ ...raw, ...(options.ccu !== undefined ? { ccu: options.ccu } : {}) }, sets);
  const { settings, errors } = resolveSettings(config, options.stack ?? "plan");
  if (!settings) throw new SettingsInvalid(errors);
  return { settings, plan: plan(settings), ...(options.stack !== undefined ? { stack: options.stack } : {}) };
}

function applied(config: Record<string, unknown>, sets: string[]): Record<string, unknown> {
  try {
    return applySets(config, sets);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Refuses a number of users out of range before machines are made for it. */
function checkCcu(ccu: number): void {
  if (ccu >= 1 && ccu <= MOST_CCU) return;
  throw new SettingsInvalid([
    {
      path: "ccu",
      given: String(ccu),
      allowed: `a whole number from 1 to ${n(MOST_CCU)}: concurrent users, not registered ones`,
      remedy: `give the users that are connected at the same moment in the busiest hour; one homeserver for more than ${n(MOST_CCU)} of them is not planned here`,
    },
  ]);
}

/** The settings of a stack that is yet to be made. */
function newStack(ccu: number | undefined): Record<string, unknown> {
  if (ccu === undefined)
    throw new UsageError("the number of users or the stack is missing: --ccu 5000, or --stack small");
  return exampleConfig(ccu);
}

export function report({ settings, plan: p, stack, chosen }: Planned): string {
  const where = chosen
    ? `, on ${settings.hosts.length} chosen machines`
    : stack
      ? `, stack ${stack}`
      : ", on the machines below";
  const title = `${n(p.ccu)} concurrent users${where}${p.extrapolated ? " (EXTRAPOLATED beyond the largest known deployment)" : ""}`;
  const sections: Array<[string, string]> = [
    ["Names", names({ settings, plan: p })],
    ...(chosen ? [["Machines", machinesText(chosen, WIDTH)] as [string, string]] : []),
    [
      "Machines to provide, where each has one role",
      machines(settings, p, stack !== undefined || chosen !== undefined),
    ],
    ["Room on the hosts, with the largest of each role lost", fitTable(p)],
    ["Synapse", `${poolTable(p)}\n${tuning(p)}`],
    ["Load", loadText(p, WIDTH)],
    ["Services", serviceTable(settings, p)],
    ["Public entrance", entrance(p)],
    ["Database connections", connections(p)],
    ["Storage", storage(p)],
    ["What each failure costs", failureList(p)],
    ["Notes", p.notes.map((note) => wrap(note, WIDTH, "  - ", "    ")).join("\n")],
    ...(chosen
      ? [["For the stack file, below config: (docs/deploy.md, step 2)", stackText(chosen)] as [string, string]]
      : []),
  ];
  return [
    title,
    "═".repeat(Math.min(WIDTH, title.length)),
    CONCURRENT,
    ...sections.flatMap(([head, body]) => ["", head, body]),
  ].join("\n");
}

/** What can never be changed, and what has to be made outside the stack. */
function names(input: { settings: Settings; plan: Plan }): string {
  const { serverName } = input.settings;
  const records = LAYERS.flatMap((layer) => layer.dns?.(input) ?? []);
  // A line for each address: a zone file has a record for each.
  const rows = records.flatMap(({ name, addresses, of, why }) =>
    addresses.length === 0
      ? [[name, of, why]]
      : addresses.map((address, i) => (i === 0 ? [name, `${address} (${of})`, why] : ["", address, ""])),
  );
  const ids = wrap(
    `User ids end in :${serverName}, as @alice:${serverName}. This can never be changed after the first deployment; set serverName before it for another ending.`,
    WIDTH,
    "  ",
    "  ",
  );
  return `${ids}\n${table(["DNS record (A, AAAA)", "addresses", "for"], rows)}`;
}

function machines(settings: Settings, p: Plan, given: boolean): string {
  const rows = p.nodes.map((m) => [
    m.role,
    m.count,
    m.least,
    m.cpu,
    `${n(m.memoryGiB)} GiB`,
    `${n(m.diskGiB)} GiB`,
    ...(given ? [givenHosts(settings, m.role)] : []),
  ]);
  const sum = (of: (m: Plan["nodes"][number]) => number): number => p.nodes.reduce((s, m) => s + m.count * of(m), 0);
  rows.push([
    "total",
    sum(() => 1),
    p.nodes.reduce((s, m) => s + m.least, 0),
    sum((m) => m.cpu),
    `${n(sum((m) => m.memoryGiB))} GiB`,
    `${n(sum((m) => m.diskGiB))} GiB`,
    ...(given ? [`${settings.hosts.length} hosts`] : []),
  ]);
  const legend = wrap(
    "count: recommended, as many as deployments of this size had. least: the fewest of this size with which everything fits, with any one lost and every autoscaler at its maximum. --machines chooses machines that share the roles.",
    WIDTH,
    "  ",
    "  ",
  );
  return `${table(["role", "count", "least", "vCPU", "memory", "disk", ...(given ? ["in this stack"] : [])], rows)}\n${legend}`;
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
  `  a user may send ${s.rateLimits.messagesPerSecond} a second, ${s.rateLimits.messagesBurst} at once; event cache ${s.eventCacheSize}, cache factor ${s.globalCacheFactor}`;

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

const connections = ({ postgres: pg }: Plan): string =>
  `  ${n(pg.connectionsAtMax)} at every autoscaler's maximum + ${RESERVED_CONNECTIONS} reserved = ${n(pg.connectionsAtMax + RESERVED_CONNECTIONS)}, of ${n(budgetOf(pg.maxConnections))} allowed (0.85 x max_connections ${n(pg.maxConnections)})`;

function storage({ minio, postgres: pg, backups }: Plan): string {
  const media = minio
    ? `  Media: ${n(minio.usableGiB)} GiB usable of ${n(minio.nodes * minio.drivesPerNode * minio.driveGiB)} GiB raw; growth about ${n(minio.growthGiBPerYear)} GiB in the first year`
    : "  Media: in an external S3";
  const kept = backups
    ? `\n  Backups: about ${n(backups.storeGiB)} GiB after a year (${backups.bases} base backups of up to ${n(backups.databaseGiB)} GiB, ${n(backups.walGiBPerDay)} GiB of WAL a day, compressed), ${backups.onSite ? "in the same object store" : "in an external S3"}`
    : "";
  return `${media}\n  Database: ${n(pg.storageGiB)} GiB of data and ${n(pg.walStorageGiB)} GiB of WAL on each of ${pg.instances} instances${kept}`;
}

const failureList = (p: Plan): string =>
  table(
    ["lost", "for", "known by", "effect"],
    p.failures.map((f) => [
      f.failure,
      f.untilBack ? "until back" : duration(f.seconds),
      f.untilBack ? "design" : sourceKind(f),
      f.effect,
    ]),
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

/** The number of an option; undefined where it is not given. */
const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

function usersOf(text: string | undefined): number | undefined {
  const ccu = numberOf(text);
  if (ccu !== undefined && !(Number.isInteger(ccu) && ccu >= 1))
    throw new UsageError(`--ccu ${text}: give a whole number of users, for example 5000`);
  return ccu;
}

/** What the options say about machines to choose; undefined where none does. */
function choiceOf(
  values: Partial<Record<"machines" | "prefer" | "sizes" | "zones", string>>,
  forNewOnes: boolean,
): MachineOptions | undefined {
  const given = (["machines", "prefer", "sizes", "zones"] as const).filter((name) => values[name] !== undefined);
  if (given.length === 0) return undefined;
  if (!forNewOnes) throw new UsageError(`--${given[0]} is about new machines: give it with --ccu, without --stack`);
  const { prefer } = values;
  if (prefer !== undefined && prefer !== "fewest" && prefer !== "cheapest")
    throw new UsageError(`--prefer ${prefer}: give fewest or cheapest`);
  const machines = machinesOf(values.machines);
  if (machines !== undefined && prefer !== undefined)
    throw new UsageError("--prefer chooses the number of machines: give it with --machines without a number");
  return {
    ...(machines !== undefined ? { machines } : {}),
    ...(prefer !== undefined ? { prefer } : {}),
    ...(values.sizes !== undefined ? { sizes: readSizes(values.sizes) } : {}),
    ...(values.zones !== undefined ? { zones: zonesOf(values.zones) } : {}),
  };
}

/** A number of machines; undefined where it is to be found. */
function machinesOf(text: string | undefined): number | undefined {
  if (text === undefined || text === FIND) return undefined;
  const machines = Number(text);
  if (!(Number.isInteger(machines) && machines >= FEWEST_HOSTS && machines <= MOST_MACHINES))
    throw new UsageError(
      `--machines ${text}: give a whole number from ${FEWEST_HOSTS} (a quorum must survive the loss of one) to ${MOST_MACHINES}, or none for the fewest`,
    );
  return machines;
}

function zonesOf(text: string): string[] {
  const zones = text.split(",").map((zone) => zone.trim());
  const named = zones.every((zone) => /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(zone));
  if (!named || zones.length !== ZONES_WANTED || new Set(zones).size !== ZONES_WANTED)
    throw new UsageError(
      `--zones ${text}: give three different names, such as a,b,c: with any one lost, the other two hold more than half of each quorum`,
    );
  return zones;
}

/** Most machines that are planned with a given number: with more, each role has machines of its own. */
const MOST_MACHINES = 64;
/** Stands for the number of machines that was left out. */
const FIND = "fewest";

/** `--machines` may stand alone: the parser wants a value. */
const withNumber = (argv: string[]): string[] =>
  argv.flatMap((word, i) =>
    word === "--machines" && (argv[i + 1] === undefined || argv[i + 1]!.startsWith("-")) ? [word, FIND] : [word],
  );

async function main(argv: string[]): Promise<void> {
  const values = parse(withNumber(argv), {
    ...STACK_OPTIONS,
    ccu: { type: "string" },
    users: { type: "string" },
    domain: { type: "string" },
    machines: { type: "string" },
    prefer: { type: "string" },
    sizes: { type: "string" },
    zones: { type: "string" },
    json: { type: "boolean" },
  });
  if (values.ccu !== undefined && values.users !== undefined)
    throw new UsageError("--users and --ccu are the same: give one of them");
  const ccu = usersOf(values.ccu ?? values.users);
  const { stack, domain } = values;
  if (domain !== undefined && stack !== undefined)
    throw new UsageError("--domain is for a new stack: with --stack, write --set domain=NAME");
  try {
    const choose = choiceOf(values, ccu !== undefined && stack === undefined);
    const planned = planFor({ ccu, choose, domain, stack, set: values.set, cwd: values.cwd });
    console.log(values.json ? JSON.stringify(jsonOf(planned), null, 2) : report(planned));
  } catch (error) {
    if (!(error instanceof SettingsInvalid)) throw error;
    printErrors(error.errors, values.json ?? false, error.message);
  }
}

/** The plan, and the machines where they were chosen. */
const jsonOf = ({ plan: p, chosen }: Planned): object =>
  chosen
    ? {
        ...p,
        machines: {
          groups: chosen.groups.map(({ roles, size, diskGB, hosts }) => ({ roles, size, diskGB, count: hosts.length })),
          chosen: chosenTotals(chosen),
          run: runTotals(chosen.wish),
          ...(chosen.holdsUpTo !== undefined ? { holdsUpTo: chosen.holdsUpTo } : {}),
          notes: machineNotes(chosen),
          config: stackText(chosen),
        },
      }
    : p;

if (require.main === module) runMain(USAGE, main);
