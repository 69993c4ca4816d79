/** MinIO: drives, erasure set and parity such that one node may be lost without losing a write. */
import type { HostSettings, Settings, SettingsError } from "../settings/types";
import {
  LARGEST_SET,
  POOL_NODES,
  ZONES,
  ZONE_POOL_NODES,
  erasureSetSize,
  minioPools,
  zoneSetSize,
} from "../domain/minioLayout";
import { hasMinio, minioSurvives } from "../domain/mediaStore";
import { activityOf, profileOf } from "./activity";
import { GIB_PER_TB, MACHINES, MINIO } from "./anchors";
import { hostsOf } from "./hosts";
import { cores, count, interpolate, memoryMiB } from "./interpolate";
import type { Plan } from "./types";

type Minio = NonNullable<Plan["minio"]>;
/** Layout of one server pool; every pool has the same sets. */
export interface Layout {
  /** Nodes of the pool. */
  nodes: number;
  drivesPerNode: number;
  /** Drives of each erasure set. */
  erasureSetDrives: number;
  /** Drives of each erasure set that may be lost. */
  parity: number;
}

export { erasureSetSize };
/** Used where no host lists its disks. */
const DEFAULT_DRIVES_PER_NODE = 2;

/** The most drives of one erasure set that one node may hold, in whatever order MinIO deals them out. */
export const setDrivesOfNode = (l: Pick<Layout, "drivesPerNode" | "erasureSetDrives">): number =>
  Math.min(l.drivesPerNode, l.erasureSetDrives);

/** Drives of a set that must answer for a write: the data drives, and one more where parity is half. */
export const writeQuorum = (l: Pick<Layout, "erasureSetDrives" | "parity">): number => {
  const data = l.erasureSetDrives - l.parity;
  return data === l.parity ? data + 1 : data;
};

/** Whether writes go on when a node is lost. */
export const survivesNode = (l: Layout): boolean => l.erasureSetDrives - setDrivesOfNode(l) >= writeQuorum(l);

/** MinIO's own defaults (EC:4 from eight drives on), but never less than the drives that are lost with a node. */
export function defaultParity(erasureSetDrives: number, drivesPerNode: number): number {
  const standard = erasureSetDrives >= 8 ? 4 : erasureSetDrives >= 6 ? 3 : erasureSetDrives >= 4 ? 2 : 1;
  return Math.min(Math.floor(erasureSetDrives / 2), Math.max(standard, drivesPerNode));
}

/**
 * Layout of a pool; undefined where no erasure set takes equally many drives of each node.
 * @param parity @default defaultParity
 */
export function layoutFor(nodes: number, drivesPerNode: number, parity?: number): Layout | undefined {
  const erasureSetDrives = erasureSetSize(nodes, drivesPerNode);
  if (erasureSetDrives === undefined) return undefined;
  return { nodes, drivesPerNode, erasureSetDrives, parity: parity ?? defaultParity(erasureSetDrives, drivesPerNode) };
}

const stands = (l: Layout | undefined): l is Layout =>
  l !== undefined && l.parity <= l.erasureSetDrives / 2 && survivesNode(l);

// ------------------------------------------------------------------ layouts that survive the loss of a zone
/** Whether the settings ask for a layout that survives the loss of a zone. */
const wantsZone = (settings: Settings): boolean => minioSurvives(settings) === "zone";

/** Nodes of each pool that is made without overrides. */
export const poolNodesOf = (settings: Settings): number => (wantsZone(settings) ? ZONE_POOL_NODES : POOL_NODES);

/** Drives of each set that leave with a zone, where a pool has a third of its nodes in each. */
export const setDrivesOfZone = (erasureSetDrives: number): number => erasureSetDrives / ZONES;

/** Whether writes go on without a zone: the parity covers its drives, and the write quorum is left. */
export const survivesZone = (l: Pick<Layout, "erasureSetDrives" | "parity">): boolean =>
  l.erasureSetDrives - setDrivesOfZone(l.erasureSetDrives) >= writeQuorum(l);

/** Layout of a pool of three or six nodes, a third of them in each zone. */
function zoneLayout(nodes: number, drivesPerNode: number, parity?: number): Layout {
  // Of so few nodes, one drive of each makes a set at the least.
  const erasureSetDrives = zoneSetSize(nodes, drivesPerNode)!;
  const least = setDrivesOfZone(erasureSetDrives);
  return { nodes, drivesPerNode, erasureSetDrives, parity: parity ?? defaultParity(erasureSetDrives, least) };
}

const standsZone = (l: Layout): boolean => l.parity <= l.erasureSetDrives / 2 && survivesZone(l);

/** Pools of six, two nodes in each zone, as many as the zone with the fewest hosts allows. */
function zonePools(zones: Map<string, number>, wanted: number): number[] {
  const fewest = zones.size === ZONES ? Math.min(...zones.values()) : 0;
  const pools = Math.min(Math.floor(fewest / 2), Math.floor(wanted / ZONE_POOL_NODES));
  return Array.from({ length: pools }, () => ZONE_POOL_NODES);
}

/** Storage hosts by zone. */
function storageZones(hosts: HostSettings[]): Map<string, number> {
  const zones = new Map<string, number>();
  for (const { zone } of hosts) if (zone !== undefined) zones.set(zone, (zones.get(zone) ?? 0) + 1);
  return zones;
}

/** Hosts or pools with which a zone cannot be lost. */
function zoneShapeError(settings: Settings, { hosts, wanted }: Storage, pools: number[]): SettingsError | undefined {
  const zones = storageZones(hosts);
  const without = hosts.filter((h) => h.zone === undefined).length;
  const shape = `zone, with ${hosts.length} storage hosts (${[
    ...[...zones].map(([zone, n]) => `${n} in zone ${zone}`),
    ...(without > 0 ? [`${without} without a zone`] : []),
  ].join(", ")})`;
  const error = (allowed: string, remedy: string): SettingsError => ({
    path: "objectStore.survives",
    given: shape,
    allowed,
    remedy,
  });
  const otherwise = "or leave objectStore.survives out: media then survive the loss of a host, not of a zone";
  if (zones.size !== ZONES || without > 0)
    return error(
      `storage hosts in exactly ${ZONES} zones`,
      `give each storage host one of ${ZONES} zones (racks that fail together are one), ${otherwise}`,
    );
  if (pools.length === 0)
    return error(
      `two storage hosts in each of ${ZONES} zones for every pool${wanted < hosts.length ? `, and overrides.minio.nodes at least ${ZONE_POOL_NODES} (it is ${wanted})` : ""}`,
      `add storage hosts until each zone has two, ${otherwise}`,
    );
  const given = settings.overrides.minio.pools;
  if (given === undefined) return undefined;
  const odd = given.find((p) => p !== ZONES && p !== ZONE_POOL_NODES);
  if (odd !== undefined)
    return {
      path: "overrides.minio.pools",
      given: `a pool of ${odd} nodes, with objectStore.survives: zone`,
      allowed: `pools of ${ZONES} or ${ZONE_POOL_NODES} nodes: as many in each of ${ZONES} zones`,
      remedy: `use pools of ${ZONE_POOL_NODES}; for pools that exist already, leave objectStore.survives out`,
    };
  const each = given.reduce((sum, p) => sum + p, 0) / ZONES;
  const short = [...zones].find(([, n]) => n < each);
  return short
    ? error(
        `${each} storage hosts in each zone, a third of the nodes of overrides.minio.pools (${given.join(" + ")})`,
        `add ${each - short[1]} storage ${each - short[1] === 1 ? "host" : "hosts"} in zone ${short[0]}, or take the newest pool out before it holds data`,
      )
    : undefined;
}

// ------------------------------------------------------------------ the plan
interface Storage {
  hosts: HostSettings[];
  /** Sizes of each host's object-store disks, GiB; empty where none is listed. */
  drives: number[][];
  /** Whether any host lists its disks. */
  listed: boolean;
  /** Nodes that the pools may use. */
  wanted: number;
}

function storageOf(settings: Settings): Storage {
  const hosts = hostsOf(settings, "storage");
  const drives = hosts.map((h) => h.disks.filter((d) => d.use === "object-store").map((d) => d.sizeGiB));
  return {
    hosts,
    drives,
    listed: drives.some((d) => d.length > 0),
    wanted: settings.overrides.minio.nodes ?? hosts.length,
  };
}

/** Drives, pools and sizes of MinIO; nothing where media are in an external S3 and were not in MinIO before. */
export function planMinio(settings: Settings): { minio?: Minio; errors: SettingsError[]; notes: string[] } {
  if (!hasMinio(settings)) return { errors: [], notes: [] };
  const o = settings.overrides.minio;
  const storage = storageOf(settings);
  const errors = tooManyNodes(o.nodes, storage.hosts.length);
  const unusable = unevenDisks(settings, storage);
  if (unusable) return { errors: [...errors, unusable], notes: [] };
  const drivesPerNode =
    o.drivesPerNode ??
    (storage.listed
      ? Math.min(...storage.drives.filter((d) => d.length > 0).map((d) => d.length))
      : DEFAULT_DRIVES_PER_NODE);
  errors.push(...missingDisks(storage, o.drivesPerNode));
  const made = wantsZone(settings)
    ? zonalPools(settings, storage, drivesPerNode)
    : plainPools(settings, storage, drivesPerNode);
  const { pools, nodes } = made;
  errors.push(...made.errors);
  const { layout } = made;
  if (!layout) return { errors, notes: [] };
  const { driveGiB, error } = driveSize(settings, storage, drivesPerNode);
  if (error) errors.push(error);
  return {
    minio: {
      ...layout,
      survives: wantsZone(settings) ? "zone" : "host",
      nodes,
      pools,
      driveGiB,
      ...capacity(settings, { layout, nodes, driveGiB }),
    },
    errors,
    notes: layoutNotes(settings, pools, { ...storage, nodes, drivesPerNode }),
  };
}

type MinioOverrides = Settings["overrides"]["minio"];

/** Pools and the layout that they share; without a layout where errors say why. */
interface Pools {
  pools: number[];
  nodes: number;
  layout?: Layout;
  errors: SettingsError[];
}

const sumOf = (pools: number[]): number => pools.reduce((sum, p) => sum + p, 0);

/** Pools that survive the loss of a node. The first decides: every later one has the same sets. */
function plainPools({ overrides: { minio: o } }: Settings, { wanted }: Storage, drivesPerNode: number): Pools {
  const pools = minioPools(wanted, o.pools);
  const nodes = sumOf(pools);
  const errors = poolsBeyond(o, pools, { nodes, wanted });
  const layout = layoutFor(pools[0], drivesPerNode, o.parity);
  const shape = { nodes: pools[0], drivesPerNode, parity: o.parity };
  if (!stands(layout)) return { pools, nodes, errors: [...errors, layoutError(shape, layout)] };
  const odd = oddPool(pools, layout);
  return odd ? { pools, nodes, errors: [...errors, odd] } : { pools, nodes, layout, errors };
}

/** Pools that survive the loss of a zone. */
function zonalPools(settings: Settings, storage: Storage, drivesPerNode: number): Pools {
  const o = settings.overrides.minio;
  const pools = o.pools ?? zonePools(storageZones(storage.hosts), storage.wanted);
  const nodes = sumOf(pools);
  const shape = zoneShapeError(settings, storage, pools);
  if (shape) return { pools, nodes, errors: [shape] };
  const errors = poolsBeyond(o, pools, { nodes, wanted: storage.wanted });
  const layout = zoneLayout(pools[0], drivesPerNode, o.parity);
  if (!standsZone(layout)) return { pools, nodes, errors: [...errors, zoneParityError(layout)] };
  const odd = oddZonePool(pools, layout);
  return odd ? { pools, nodes, errors: [...errors, odd] } : { pools, nodes, layout, errors };
}

function tooManyNodes(nodes: number | undefined, hosts: number): SettingsError[] {
  if (nodes === undefined || nodes <= hosts) return [];
  return [
    {
      path: "overrides.minio.nodes",
      given: String(nodes),
      allowed: `at most ${hosts}, the hosts with the role storage: each carries one MinIO pod`,
      remedy: `add ${nodes - hosts} storage hosts, or lower it`,
    },
  ];
}

/** A host that lists fewer disks than the others, where nothing says how many are used. */
function unevenDisks(settings: Settings, { hosts, drives, listed }: Storage): SettingsError | undefined {
  const o = settings.overrides.minio;
  const path = (i: number): string => `hosts[${settings.hosts.indexOf(hosts[i])}].disks`;
  if (o.drivesPerNode !== undefined || !listed) return undefined;
  const none = drives.findIndex((d) => d.length === 0);
  if (none >= 0 && o.nodes === undefined) {
    return {
      path: path(none),
      given: `no disk with use "object-store" on ${hosts[none].name}`,
      allowed: "equally many on every storage host",
      remedy: "list its object-store disks, or take the role storage from it",
    };
  }
  const most = Math.max(...drives.map((d) => d.length));
  const fewer = drives.findIndex((d) => d.length > 0 && d.length < most);
  if (fewer < 0) return undefined;
  return {
    path: path(fewer),
    given: `${drives[fewer].length} with use "object-store" on ${hosts[fewer].name}, others have ${most}`,
    allowed: "equally many on every storage host: every pod has the same drives, for good",
    remedy: "list as many on each, or set overrides.minio.drivesPerNode to the number that is used",
  };
}

function missingDisks({ drives }: Storage, drivesPerNode: number | undefined): SettingsError[] {
  // Hosts that list none may have any number.
  const fewest = Math.min(...drives.map((d) => d.length).filter((n) => n > 0));
  if (drivesPerNode === undefined || fewest >= drivesPerNode) return [];
  return [
    {
      path: "overrides.minio.drivesPerNode",
      given: String(drivesPerNode),
      allowed: `at most ${fewest}, the object-store disks of the host that has the fewest`,
      remedy: "list more disks, or lower it",
    },
  ];
}

function poolsBeyond(
  o: MinioOverrides,
  pools: number[],
  { nodes, wanted }: { nodes: number; wanted: number },
): SettingsError[] {
  if (o.pools === undefined || nodes <= wanted) return [];
  return [
    {
      path: "overrides.minio.pools",
      given: `pools of ${pools.join(" + ")} nodes: ${nodes}`,
      allowed: `at most ${wanted} in all: ${o.nodes !== undefined ? "overrides.minio.nodes" : "the hosts with the role storage"}`,
      remedy: `add ${nodes - wanted} storage ${nodes - wanted === 1 ? "host" : "hosts"}, or leave out the newest pool if it was never deployed`,
    },
  ];
}

/** A later pool that the first one's erasure sets do not fit. */
function oddPool(pools: number[], layout: Layout): SettingsError | undefined {
  const { drivesPerNode, erasureSetDrives } = layout;
  const fits = (nodes: number): boolean => (nodes * drivesPerNode) % erasureSetDrives === 0;
  const odd = pools.find((p) => !fits(p));
  if (odd === undefined) return undefined;
  // As many nodes as the set has drives always fit.
  const step = Array.from({ length: erasureSetDrives }, (_, i) => i + 1).find(fits);
  return {
    path: "overrides.minio.pools",
    given: `a pool of ${odd} nodes x ${drivesPerNode} drives after a first one of ${pools[0]}`,
    allowed: `pools whose drives divide into the first pool's erasure sets of ${erasureSetDrives}`,
    remedy: `give each later pool a multiple of ${step} nodes`,
  };
}

/** The same where each pool survives the loss of a zone: every set has equally many drives of each zone. */
function oddZonePool(pools: number[], { drivesPerNode, erasureSetDrives }: Layout): SettingsError | undefined {
  const odd = pools.find((p) => (p * drivesPerNode) % erasureSetDrives !== 0 || erasureSetDrives % p !== 0);
  if (odd === undefined) return undefined;
  return {
    path: "overrides.minio.pools",
    given: `a pool of ${odd} nodes x ${drivesPerNode} drives after a first one of ${pools[0]}`,
    allowed: `pools whose drives divide into the first pool's erasure sets of ${erasureSetDrives}, with equally many of each node`,
    remedy: `give each later pool ${pools[0]} nodes, like the first`,
  };
}

function driveSize(
  settings: Settings,
  { drives, listed }: Storage,
  drivesPerNode: number,
): { driveGiB: number; error?: SettingsError } {
  const o = settings.overrides.minio;
  const given = o.driveGiB ?? (settings.objectStore.kind === "minio" ? settings.objectStore.driveGiB : undefined);
  const smallest = listed
    ? Math.min(
        ...drives.filter((d) => d.length > 0).flatMap((d) => [...d].sort((a, b) => b - a).slice(0, drivesPerNode)),
      )
    : undefined;
  const anchorDrive = Math.max(
    1,
    Math.floor((interpolate(MACHINES.storage.diskTB.row, settings.ccu) * GIB_PER_TB) / drivesPerNode),
  );
  const driveGiB = given ?? smallest ?? anchorDrive;
  if (smallest === undefined || driveGiB <= smallest) return { driveGiB };
  return {
    driveGiB,
    error: {
      path: o.driveGiB !== undefined ? "overrides.minio.driveGiB" : "objectStore.driveGiB",
      given: `${driveGiB} GiB`,
      allowed: `at most ${smallest} GiB, the smallest object-store disk in use`,
      remedy: `set ${smallest}, or leave it out`,
    },
  };
}

function capacity(
  settings: Settings,
  { layout, nodes, driveGiB }: { layout: Layout; nodes: number; driveGiB: number },
): Pick<Minio, "usableGiB" | "growthGiBPerYear" | "cpu" | "memoryMiB"> {
  const {
    ccu,
    overrides: { minio: o },
  } = settings;
  // Beside the media of the deployments that were run.
  const media = activityOf(settings).mediaMiBPerUserDay / profileOf("typical").mediaMiBPerUserDay;
  return {
    usableGiB: Math.floor(
      (nodes * layout.drivesPerNode * driveGiB * (layout.erasureSetDrives - layout.parity)) / layout.erasureSetDrives,
    ),
    growthGiBPerYear: count(MINIO.growthTBPerYear.row, ccu, GIB_PER_TB * media),
    cpu: o.cpu ?? cores(MINIO.cpu.row, ccu),
    memoryMiB: o.memoryMiB ?? memoryMiB(MINIO.memoryGiB.row, ccu),
  };
}

function layoutNotes(
  settings: Settings,
  pools: number[],
  { nodes, wanted, listed, drivesPerNode }: Storage & { nodes: number; drivesPerNode: number },
): string[] {
  const o = settings.overrides.minio;
  const zonal = wantsZone(settings);
  const notes: string[] = [];
  if (nodes < wanted)
    notes.push(
      `${wanted - nodes} of ${wanted} storage hosts carry no MinIO pod: the pools have ${pools.join(" + ")} nodes. A pool never grows; ${o.pools !== undefined ? "append one to overrides.minio.pools" : zonal ? `the next one takes two further hosts in each zone` : `${POOL_NODES} further storage hosts make the next one`}.`,
    );
  if (!zonal && o.pools === undefined && pools[0] < POOL_NODES)
    notes.push(
      `Object store: ${pools[0]} storage hosts make one pool of ${pools[0]}, which never changes. Before you add a storage host, set overrides.minio.pools: [${pools[0]}]; otherwise the stack asks for another first pool, and a check before MinIO's start stops the rollout.`,
    );
  if (!listed && drivesPerNode > 1)
    notes.push(
      `No object-store disks are listed on the storage hosts: the ${drivesPerNode} drives of a MinIO pod may lie on one disk and be lost together.`,
    );
  return notes;
}

function layoutError(
  { nodes, drivesPerNode, parity }: { nodes: number; drivesPerNode: number; parity?: number },
  layout: Layout | undefined,
): SettingsError {
  const shape = `${nodes} nodes x ${drivesPerNode} ${drivesPerNode === 1 ? "drive" : "drives"}`;
  const path = parity !== undefined ? "overrides.minio.parity" : "overrides.minio.drivesPerNode";
  if (!layout)
    return {
      path,
      given: shape,
      allowed: `drives that divide into equal erasure sets of 2 to ${LARGEST_SET} with equally many of each node`,
      remedy: "change the number of drives per node, or of nodes (overrides.minio.nodes)",
    };
  const allowed = possibleParities(layout);
  return {
    path,
    given: `parity ${layout.parity} with ${shape} (erasure set of ${layout.erasureSetDrives})`,
    allowed:
      allowed.length > 0
        ? `parity ${allowed.join(" or ")}: at least the ${drivesPerNode} drives that leave with a node, at most half of the set`
        : `no parity: a node holds ${drivesPerNode} drives, half of the set is ${Math.floor(layout.erasureSetDrives / 2)}, and writes need their quorum without that node`,
    remedy:
      allowed.length > 0
        ? `set parity to ${allowed[0]}, or leave it out`
        : "use more storage hosts, or fewer drives on each",
  };
}

function zoneParityError({ nodes, drivesPerNode, parity, erasureSetDrives }: Layout): SettingsError {
  const shape = `${nodes} nodes x ${drivesPerNode} ${drivesPerNode === 1 ? "drive" : "drives"}`;
  const most = Math.floor(erasureSetDrives / 2);
  const least = Array.from({ length: most }, (_, i) => i + 1).find((p) =>
    survivesZone({ erasureSetDrives, parity: p }),
  );
  return {
    path: "overrides.minio.parity",
    given: `parity ${parity} with ${shape} (erasure set of ${erasureSetDrives})`,
    allowed: `${least} to ${most}: at least the ${setDrivesOfZone(erasureSetDrives)} drives of a set that leave with a zone (objectStore.survives), at most half of the set`,
    remedy: `set parity to ${least}, or leave it out`,
  };
}

/** Parities that MinIO accepts for these drives and that survive the loss of a node; may be empty. */
export const possibleParities = (l: Layout): number[] =>
  Array.from({ length: Math.floor(l.erasureSetDrives / 2) }, (_, i) => i + 1).filter((parity) =>
    stands({ ...l, parity }),
  );
