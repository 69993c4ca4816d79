/**
 * Chooses machines: the fewest, or the cheapest, that hold everything with any one of them lost.
 *
 * The five roles can be put on kinds of machines in 52 ways, from one kind for all roles to a kind for each. Kinds do
 * not influence each other: pods of a role run on hosts of that role only. So for each set of roles the best size and
 * number is searched alone: every size of the catalogue, with one machine more until everything fits. The best of the
 * 52 sums is the answer. Pure, and the same for the same input.
 */
import type { HostSettings, Settings } from "../settings/types";
import { POOL_NODES, ZONES, ZONE_POOL_NODES } from "../domain/minioLayout";
import { HOST_ROLES, type HostRole } from "../domain/roles";
import { exampleHostKey } from "../schema/syntax/keys";
import { GIB_PER_TB, MACHINES, MINIO, POSTGRES, REDIS } from "./anchors";
import type { Demand } from "./demands";
import type { HostSize, HostSizes } from "./hostSizes";
import { missingRoom, missingWithout } from "./hostsFit";
import { ceilTo, interpolate, step } from "./interpolate";
import { machinesFor, type Machines } from "./machines";
import {
  databaseDisk,
  DRIVES_PER_STORAGE_HOST,
  recommendedHosts,
  RECOMMENDED_STORE,
  SHORT,
  storageDisks,
} from "./recommendedHosts";
import { zonesOf } from "./zones";

/** Fewest machines: the quorums of etcd, PostgreSQL, Redis and MinIO survive the loss of one of three. */
export const FEWEST_HOSTS = 3;
/** Members of etcd: three are the fewest that may lose one, and more only vote more slowly. */
const CONTROL_PLANES = 3;
/**
 * GiB of memory that count as much as a core where nothing has a price: most sizes that were run have two or four.
 */
const GIB_PER_CORE = 4;

/** What is wanted. */
export interface Wish {
  ccu: number;
  sizes: HostSizes;
  prefer: "fewest" | "cheapest";
  /** So many machines of one size that share all roles. @default as many as are needed */
  machines?: number;
  /** Three zones that the hosts stand in; any of them may be lost. @default none */
  zones?: readonly string[];
  /** Roles that this stack needs hosts of. @default all */
  roles?: readonly HostRole[];
}

/** Equal machines with the same roles between them. */
export interface HostGroup {
  /** Of the roles that are on these machines and no others. */
  roles: HostRole[];
  size: HostSize;
  hosts: HostSettings[];
  /** Drives of the machine that has the most, decimal GB, with those of the system. */
  diskGB: number;
}

/** The parts of a stack's settings that follow from the machines. */
export interface HostSection {
  hosts: HostSettings[];
  /** Absent where this stack has no MinIO. */
  objectStore?: { kind: "minio"; survives: "host" | "zone" };
  /** Pools of MinIO where they are not those that the number of hosts gives. */
  minioPools?: number[];
}

/** Chosen machines. */
export interface Chosen {
  groups: HostGroup[];
  section: HostSection;
}

/** What needs room on hosts that together have every role; undefined where the settings have another error. */
export type DemandsOn = (section: HostSection) => Demand[] | undefined;

/** Machines of the deployments that were run, in number and size: never more than these are chosen. */
export const runMachines = (ccu: number, roles: readonly HostRole[] = HOST_ROLES): Machines[] =>
  machinesFor(ccu, roles, POOL_NODES);

/** Price of a size, or what stands for it. */
export const costOf = (size: HostSize): number => size.pricePerMonth ?? size.cpu + size.memoryGiB / GIB_PER_CORE;

/**
 * The best machines first; empty where no size of the catalogue suffices with as many machines as were run.
 *
 * @param answers Most that are returned.
 */
export function chooseHosts(wish: Wish, demandsOn: DemandsOn, answers = 1): Chosen[] {
  const roles = rolesOf(wish);
  const most = runMachines(wish.ccu, roles).reduce((sum, m) => sum + m.count, 0);
  const better = wish.prefer === "fewest" ? fewer : cheaper;
  const demands = demandsByRole(wish, demandsOn);
  if (wish.machines !== undefined)
    return groupsOf({ wish, roles, demands, most })
      .sort(better)
      .slice(0, answers)
      .map((group) => together([group], wish));
  const best = new Map<string, HostGroup | undefined>();
  const bestOf = (set: HostRole[]): HostGroup | undefined => {
    const key = set.join();
    if (!best.has(key)) best.set(key, groupsOf({ wish, roles: set, demands, most }).sort(better)[0]);
    return best.get(key);
  };
  return partitions(roles)
    .map((sets) => sets.map(bestOf))
    .filter((groups): groups is HostGroup[] => groups.every((group) => group !== undefined))
    .filter((groups) => total(groups, () => 1) <= most)
    .sort((a, b) => compare(a, b, wish.prefer))
    .slice(0, answers)
    .map((groups) => together(groups, wish));
}

const rolesOf = (wish: Wish): HostRole[] => HOST_ROLES.filter((role) => (wish.roles ?? HOST_ROLES).includes(role));

const total = (groups: HostGroup[], of: (size: HostSize) => number): number =>
  groups.reduce((sum, g) => sum + g.hosts.length * of(g.size), 0);

/** Of equal ones: fewer kinds of machines. */
function compare(a: HostGroup[], b: HostGroup[], prefer: Wish["prefer"]): number {
  const number = total(a, () => 1) - total(b, () => 1);
  const cost = round(total(a, costOf) - total(b, costOf));
  return (prefer === "fewest" ? number || cost : cost || number) || a.length - b.length;
}
const fewer = (a: HostGroup, b: HostGroup): number => compare([a], [b], "fewest");
const cheaper = (a: HostGroup, b: HostGroup): number => compare([a], [b], "cheapest");
/** Sums of prices differ in their last digits by the order of their parts. */
const round = (price: number): number => Math.round(price * 100) / 100;

/** Every way to divide the roles into sets; the coarsest first. */
export function partitions(roles: readonly HostRole[]): HostRole[][][] {
  if (roles.length === 0) return [[]];
  const [first, ...others] = roles;
  return partitions(others)
    .flatMap((sets) => [
      ...sets.map((_, i) => sets.map((set, j) => (i === j ? [first, ...set] : set))),
      [[first], ...sets],
    ])
    .sort((a, b) => a.length - b.length);
}

type DemandsOfRole = (role: HostRole, hosts: number) => Demand[] | undefined;

/** The pods of a role depend on the number of its hosts alone: each is asked for once. */
function demandsByRole(wish: Wish, demandsOn: DemandsOn): DemandsOfRole {
  const known = new Map<string, Demand[] | undefined>();
  return (role, count) => {
    const key = `${role} ${count}`;
    if (!known.has(key)) {
      const [size] = wish.sizes.sizes;
      const mine = groupOf(wish, { roles: [role], size: size!, machines: count, numbers: { [role]: count } });
      // Machines of the other roles that suffice by themselves.
      const others = recommendedHosts(
        wish.ccu,
        rolesOf(wish).filter((other) => other !== role),
      );
      const found = demandsOn(sectionOf([...mine.hosts, ...others.map(withoutZone)], [role], wish));
      known.set(
        key,
        found?.filter((demand) => demand.role === role),
      );
    }
    return known.get(key);
  };
}

interface Search {
  wish: Wish;
  /** The roles of these machines. */
  roles: HostRole[];
  demands: DemandsOfRole;
  /** Most machines. */
  most: number;
}

/** For each size the fewest machines that hold the pods of these roles. */
function groupsOf(search: Search): HostGroup[] {
  return search.wish.sizes.sizes.flatMap((size) => groupOfSize(search, size) ?? []);
}

function groupOfSize({ wish, roles, demands, most }: Search, size: HostSize): HostGroup | undefined {
  if (!carriesControlPlane(wish.ccu, roles, size)) return undefined;
  const first = wish.machines ?? fewestOf(wish, roles);
  const last = wish.machines ?? (roles.includes("application") ? most : mostOf(wish, roles));
  for (let machines = first; machines <= last; machines++)
    for (const numbers of numbersOf(wish, roles, machines)) {
      const asked = allOf(roles.map((role) => demands(role, numbers[role]!)));
      if (!asked || lacksInSum(machines, size, asked)) continue;
      const group = groupOf(wish, { roles, size, machines, numbers });
      if (size.diskGB !== undefined && group.diskGB > size.diskGB) continue;
      if (holds(group.hosts, asked)) return group;
    }
  return undefined;
}

/** All lists as one; undefined where one of them is. */
const allOf = <T>(lists: Array<T[] | undefined>): T[] | undefined =>
  lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? []);

/** Whether the sums alone say no: most numbers are far from what is needed. */
function lacksInSum(machines: number, { cpu, memoryGiB }: HostSize, demands: Demand[]): boolean {
  const asked = (of: "cpu" | "memoryMiB"): number => demands.reduce((all, d) => all + d.maxReplicas * d[of], 0);
  return asked("cpu") > machines * cpu || asked("memoryMiB") > machines * memoryGiB * 1024;
}

/** With any one lost and every autoscaler at its maximum, and any zone lost and the autoscalers at their minimum. */
export function holds(hosts: HostSettings[], demands: Demand[]): boolean {
  if (missingRoom(hosts, demands, "maximum")) return false;
  const zones = zonesOf(hosts);
  return zones.every(
    (zone) =>
      missingWithout(
        hosts,
        hosts.filter((host) => host.zone === zone),
        demands,
      ) === undefined,
  );
}

const withoutZone = ({ zone: _, ...host }: HostSettings): HostSettings => host;

/** Without other roles, nothing requests room for the control plane: then it gets the machine that was run. */
function carriesControlPlane(ccu: number, roles: HostRole[], size: HostSize): boolean {
  if (roles.length > 1 || roles[0] !== "control-plane") return true;
  const [machine] = machinesFor(ccu, ["control-plane"]);
  return size.cpu >= machine!.cpu && size.memoryGiB >= machine!.memoryGiB;
}

type Numbers = Partial<Record<HostRole, number>>;

/** Call hosts of the deployments that were run: the calls of fewer ones have less room. */
const callHostsOf = (ccu: number): number => machinesFor(ccu, ["call"])[0]!.count;

/** Storage hosts of the deployments that were run, in whole pools. */
const storageHostsOf = ({ ccu, zones }: Wish): number =>
  machinesFor(ccu, ["storage"], zones ? ZONE_POOL_NODES : POOL_NODES)[0]!.count;

/** Fewest machines that these roles need, whatever their size. */
const fewestOf = (wish: Wish, roles: HostRole[]): number => Math.max(...roles.map((role) => leastOf(wish, role)));

function leastOf(wish: Wish, role: HostRole): number {
  switch (role) {
    case "control-plane":
      return CONTROL_PLANES;
    case "application":
      return Math.max(FEWEST_HOSTS, step(REDIS.instances.row, wish.ccu));
    case "database":
      return step(POSTGRES.instances.row, wish.ccu);
    case "storage": {
      // One pool may be of three. What was run with several needs their throughput.
      const hosts = runMachines(wish.ccu, ["storage"])[0]!.count;
      return hosts > POOL_NODES ? storageHostsOf(wish) : FEWEST_HOSTS;
    }
    case "call":
      return callHostsOf(wish.ccu);
  }
}

/** Most machines that make a difference where none of them is for applications. */
const mostOf = (wish: Wish, roles: HostRole[]): number =>
  Math.max(fewestOf(wish, roles), ...(roles.includes("storage") ? [storageHostsOf(wish)] : []));

/** How many of the machines have each role: the number of storage hosts is the one that can be chosen. */
function numbersOf(wish: Wish, roles: HostRole[], machines: number): Numbers[] {
  const { ccu } = wish;
  const fixed: Numbers = {
    "control-plane": CONTROL_PLANES,
    application: machines,
    database: step(POSTGRES.instances.row, ccu),
    call: Math.min(machines, callHostsOf(ccu)),
  };
  const stores = roles.includes("storage") ? storageNumbers(wish, machines) : [0];
  return stores.map((storage) =>
    Object.fromEntries(roles.map((role) => [role, role === "storage" ? storage : fixed[role]])),
  );
}

/**
 * Numbers of storage hosts: first as many as were run; more where the drives of one machine do not suffice. With zones:
 * six, two in each, or one in each while there are fewer machines. Without: pools of four, or one of three.
 */
function storageNumbers(wish: Wish, machines: number): number[] {
  const pool = wish.zones ? ZONE_POOL_NODES : POOL_NODES;
  if (machines < pool) return [FEWEST_HOSTS];
  const first = Math.min(storageHostsOf(wish) / pool, Math.floor(machines / pool));
  return Array.from({ length: Math.floor(machines / pool) - first + 1 }, (_, i) => (first + i) * pool);
}

interface GroupInput {
  roles: HostRole[];
  size: HostSize;
  machines: number;
  numbers: Numbers;
}

/** So many machines, with the roles on as many of them as each needs. */
function groupOf(wish: Wish, { roles, size, machines, numbers }: GroupInput): HostGroup {
  const all = roles.length === (wish.roles ?? HOST_ROLES).length;
  const prefix = all ? "host" : roles.map((role) => SHORT[role]).join("-");
  const databaseGiB = machinesFor(wish.ccu, ["database"])[0]!.diskGiB;
  const driveGiB = driveOf(wish, numbers.storage ?? 0);
  const network = HOST_ROLES.indexOf(roles[0]!);
  const hosts = Array.from({ length: machines }, (_, i): HostSettings => {
    const name = `${prefix}-${i + 1}`;
    const mine = roles.filter((role) => carries(role, i, machines, numbers[role]!));
    return {
      name,
      address: `198.18.${network * 16 + Math.floor(i / 250)}.${(i % 250) + 1}`,
      roles: mine,
      ...(wish.zones ? { zone: wish.zones[i % wish.zones.length] } : {}),
      cpu: size.cpu,
      memoryGiB: size.memoryGiB,
      disks: [
        ...(mine.includes("database") ? [databaseDisk(name, databaseGiB)] : []),
        ...(mine.includes("storage") ? storageDisks(`${name}-media`, driveGiB) : []),
      ],
      ssh: { user: "root", port: 22 },
    };
  });
  return { roles, size, hosts, diskGB: Math.max(...hosts.map((host) => diskGBOf(wish.ccu, host))) };
}

/** Databases from the first machine on, storage and calls from the last: where there are enough, they share none. */
function carries(role: HostRole, i: number, machines: number, number: number): boolean {
  return role === "storage" || role === "call" ? machines - 1 - i < number : i < number;
}

/** Drives of a machine with those of the system, decimal GB. */
export function diskGBOf(ccu: number, host: HostSettings): number {
  const system = Math.max(
    ...host.roles.map((role) =>
      role === "database" || role === "storage"
        ? MACHINES["control-plane"].diskTB.row[0]
        : interpolate(MACHINES[role].diskTB.row, ccu),
    ),
  );
  return Math.ceil(system * 1000 + host.disks.reduce((sum, disk) => sum + disk.sizeGiB, 0) * (1000 / GIB_PER_TB));
}

/** Size of each drive, GiB, such that together they have the usable space of the deployment that was run. */
function driveOf(wish: Wish, hosts: number): number {
  if (hosts === 0) return 0;
  const [run] = runMachines(wish.ccu, ["storage"]);
  // Of eight drives in a pool of four machines, four are parity.
  const usable = Math.max((run!.count * run!.diskGiB) / 2, interpolate(MINIO.usableTB.row, wish.ccu) * GIB_PER_TB);
  // Twelve drives in three zones have four for parity, six of three machines have three.
  const share = survivesOf(wish, hosts) === "zone" ? 2 / 3 : 1 / 2;
  return ceilTo(usable / share / (hosts * DRIVES_PER_STORAGE_HOST), 1);
}

/** A pool of one host in each of three zones survives the loss of a zone as that of a host. */
const survivesOf = ({ zones }: Wish, hosts: number): "host" | "zone" =>
  zones && hosts >= ZONE_POOL_NODES ? "zone" : "host";

/** The groups as parts of a stack's settings; only these hosts get keys, which take longer to make than to place. */
function together(found: HostGroup[], wish: Wish): Chosen {
  const groups = found.map((group) => ({
    ...group,
    hosts: group.hosts.map((host) => ({ ...host, ssh: { ...host.ssh, hostKey: exampleHostKey(host.name) } })),
  }));
  const hosts = groups.flatMap((group) => group.hosts);
  return { groups, section: sectionOf(hosts, HOST_ROLES, wish) };
}

/** @param roles Roles of the machines that are searched for; the storage hosts of others are the recommended ones. */
function sectionOf(hosts: HostSettings[], roles: readonly HostRole[], wish: Wish): HostSection {
  const stores = hosts.filter((host) => host.roles.includes("storage")).length;
  if (stores === 0) return { hosts };
  const survives = roles.includes("storage") ? survivesOf(wish, stores) : "host";
  return {
    hosts,
    objectStore: survives === "zone" ? RECOMMENDED_STORE : { kind: "minio", survives },
    ...(stores < POOL_NODES ? { minioPools: [stores] } : {}),
  };
}

/** The settings with these machines. */
export function onHosts(settings: Settings, { hosts, objectStore, minioPools }: HostSection): Settings {
  return {
    ...settings,
    hosts,
    ...(objectStore ? { objectStore } : {}),
    ...(minioPools
      ? {
          overrides: { ...settings.overrides, minio: { ...settings.overrides.minio, pools: minioPools } },
        }
      : {}),
  };
}

/** Exactly three: a majority of every quorum stands in the two that are left. */
export const ZONES_WANTED = ZONES;
