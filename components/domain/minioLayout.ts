/**
 * Layout of MinIO's drives: server pools, erasure sets, command line. Pure.
 * MinIO never changes the sets of a pool once it is formatted, and refuses to start when its arguments say otherwise:
 * it grows by another pool after those that exist.
 */
import { podFqdn } from "../core/names";
import { scriptFrom, verbatim } from "../core/scripts";

/**
 * Nodes of a pool: the fewest that keep three quarters of the space and survive the loss of one node. Growing by fours
 * then only appends.
 */
export const POOL_NODES = 4;
/** Zones that a pool is spread over where it is to survive the loss of one. */
export const ZONES = 3;
/**
 * Nodes of a pool that survives the loss of a zone: two in each of three. Two drives each make a set of twelve with
 * four for parity, which are those of a zone: two thirds of the space remain.
 */
export const ZONE_POOL_NODES = 2 * ZONES;
/** Drives of the largest erasure set: MinIO's own limit. */
export const LARGEST_SET = 16;

/** What a layout is made of. */
export interface LayoutInput {
  /** Storage nodes to use; those beyond a multiple of POOL_NODES stay unused unless `pools` says otherwise. */
  nodes: number;
  /** Drives of each pod, the same for all. */
  drivesPerNode: number;
  /** Drives of each erasure set that may be lost. */
  parity: number;
  /** Nodes of each pool, oldest first. Only ever append. @default pools of POOL_NODES, or one smaller pool */
  pools?: number[];
  /** Drives of each erasure set. @default erasureSetSize of the first pool */
  setDrives?: number;
}

/** A layout that MinIO accepts and that survives the loss of a node. */
export interface Layout {
  /** Nodes of each pool, oldest first. */
  pools: number[];
  /** Pods: the sum of `pools`. */
  replicas: number;
  /** Drives of each pod. */
  drivesPerNode: number;
  /** Drives of each erasure set, in every pool. */
  setDrives: number;
  /** Drives of each erasure set that may be lost. */
  parity: number;
  /** Share of the raw space that holds data, 0 to 1. */
  usableShare: number;
}

/** Nodes of each pool: as `given`, else as many pools of POOL_NODES as the nodes fill, or one smaller pool. */
export const minioPools = (nodes: number, given?: number[]): number[] =>
  given ?? (nodes < POOL_NODES ? [nodes] : Array.from({ length: Math.floor(nodes / POOL_NODES) }, () => POOL_NODES));

/**
 * Largest set of 2 to 16 drives that divides all drives of a pool and holds equally many of each node, so that the loss
 * of a node costs every set the same; undefined where there is none. MinIO looks for symmetry over hosts or over
 * drives, whichever it reads last (minio/minio, cmd/endpoint-ellipses.go): sets that are symmetric over both come
 * first.
 */
export function erasureSetSize(nodes: number, drivesPerNode: number): number | undefined {
  const total = nodes * drivesPerNode;
  const even = (size: number, parts: number): boolean => (size >= parts ? size % parts === 0 : parts % size === 0);
  const sizes = Array.from({ length: LARGEST_SET - 1 }, (_, i) => LARGEST_SET - i).filter(
    (size) => size <= total && total % size === 0 && even(size, nodes),
  );
  return sizes.find((size) => even(size, drivesPerNode)) ?? sizes[0];
}

/**
 * Drives of an erasure set of a pool that is to survive the loss of a zone: the most, up to 16, that take equally many
 * of each node and divide the pool. MinIO deals the drives of a pool out over the nodes in turn, and cuts the sequence
 * into sets (minio/minio, cmd/endpoint-ellipses.go, Get; minio/pkg, ellipses, argExpander: the last range of the
 * argument, which is that of the drives, is the outer loop). With the size given, it looks for no symmetry of its own.
 */
export function zoneSetSize(nodes: number, drivesPerNode: number): number | undefined {
  const most = Math.min(drivesPerNode, Math.floor(LARGEST_SET / nodes));
  for (let each = most; each >= 1; each--) if (drivesPerNode % each === 0) return each * nodes;
  return undefined;
}

/**
 * Checks and completes a layout.
 * @throws Error that names what to change, where MinIO would refuse the layout or a lost node would stop writes.
 */
export function minioLayout(input: LayoutInput): Layout {
  const { drivesPerNode, parity } = input;
  const pools = minioPools(input.nodes, input.pools);
  const replicas = pools.reduce((a, b) => a + b, 0);
  const fail = (why: string, remedy: string): never => {
    throw new Error(
      `MinIO with pools of ${pools.join(" + ")} nodes x ${drivesPerNode} drives, parity ${parity}: ${why}. ${remedy}`,
    );
  };
  if (pools.length === 0 || pools.some((p) => !Number.isInteger(p) || p < 2))
    fail("each pool needs at least 2 nodes", "Correct overrides.minio.pools.");
  if (replicas > input.nodes)
    fail(
      `${replicas} nodes are needed and ${input.nodes} have the role storage`,
      "Add storage hosts, or take the newest pool out before it holds data.",
    );
  const setDrives =
    input.setDrives ??
    erasureSetSize(pools[0], drivesPerNode) ??
    fail(
      "no erasure set of 2 to 16 drives takes equally many drives of each node",
      "Use other numbers of drives per node or nodes.",
    );
  for (const pool of pools) {
    if ((pool * drivesPerNode) % setDrives !== 0)
      fail(
        `the first pool's erasure sets have ${setDrives} drives, which do not divide the ${pool * drivesPerNode} of a later pool`,
        `Give each later pool a multiple of ${setDrives / drivesPerNode} nodes.`,
      );
    // MinIO distributes the drives of a set over the nodes of its pool in turn.
    const ofOneNode = Math.ceil(setDrives / pool);
    const data = setDrives - parity;
    const writeQuorum = data === parity ? data + 1 : data;
    if (parity > setDrives / 2)
      fail(
        `at most half of a set of ${setDrives} can be parity`,
        `Set overrides.minio.parity to ${Math.floor(setDrives / 2)} or less.`,
      );
    if (setDrives - ofOneNode < writeQuorum)
      fail(
        `without one node a set has ${setDrives - ofOneNode} of its ${setDrives} drives and writes need ${writeQuorum}`,
        `Set overrides.minio.parity to ${ofOneNode} or more, below half of the set, or use more nodes.`,
      );
  }
  return { pools, replicas, drivesPerNode, setDrives, parity, usableShare: (setDrives - parity) / setDrives };
}

const range = (from: number, count: number): string => (count === 1 ? String(from) : `{${from}...${from + count - 1}}`);

/**
 * Path of a drive in the pod, or of a range of drives. It is a directory below the volume's root: the root may hold
 * `lost+found`, and a volume that is not mounted must not look like an empty drive.
 */
export const drivePath = (drive: number | string): string => `/data${drive}/drive`;

/** Where MinIO's pods are found. */
export interface Addressing {
  /** Name of the StatefulSet, which its pods' names begin with. */
  statefulSet: string;
  /** Name of its headless Service. */
  service: string;
  namespace: string;
  /** DNS domain of the cluster. @example "cluster.local" */
  clusterDomain: string;
  /** Port of MinIO's S3 interface. */
  port: number;
}

/**
 * MinIO's arguments, one for each pool, oldest first.
 * @example "http://minio-{0...3}.minio.minio.svc.cluster.local:9000/data{0...1}/drive"
 */
export function poolArguments(layout: Layout, a: Addressing): string[] {
  let first = 0;
  return layout.pools.map((nodes) => {
    const host = podFqdn(`${a.statefulSet}-${range(first, nodes)}`, a.service, a.namespace, a.clusterDomain);
    first += nodes;
    return `http://${host}:${a.port}${drivePath(range(0, layout.drivesPerNode))}`;
  });
}

/**
 * A script to run before MinIO. It compares what each drive of this pod says about its pool with this layout. Where
 * they differ, it stops the rollout at this one pod (whose absence MinIO tolerates), before MinIO gets arguments that
 * it would refuse on all nodes. A blank drive passes: it is new or replaced, and MinIO formats or heals it.
 */
export function layoutGuardScript(layout: Layout): string {
  let last = -1;
  const [first, ...later] = layout.pools.map((nodes) => {
    const drives = nodes * layout.drivesPerNode;
    last += nodes;
    return { LAST: last, DRIVES: drives, SETS: drives / layout.setDrives };
  });
  const formats = Array.from(
    { length: layout.drivesPerNode },
    (_, d) => `"\${ROOT:-}${drivePath(d)}/.minio.sys/format.json"`,
  );
  return scriptFrom(__dirname, "layoutGuard.sh", {
    ...first,
    LATER_POOLS: verbatim(
      later.map((p) => `elif [ "$ordinal" -le ${p.LAST} ]; then drives=${p.DRIVES} sets=${p.SETS}`).join("\n"),
    ),
    FORMATS: verbatim(formats.join(" ")),
  });
}
