/** MinIO: drives, erasure set and parity such that one node may be lost without losing a write. */
import type { Settings, SettingsError } from "../settings/types";
import { GIB_PER_TB, MACHINES, MINIO } from "./anchors";
import { hostsOf } from "./hosts";
import { cores, count, interpolate, memoryMiB } from "./interpolate";
import type { Plan } from "./types";

type Minio = NonNullable<Plan["minio"]>;
export interface Layout { nodes: number; drivesPerNode: number; erasureSetDrives: number; parity: number }

const LARGEST_SET = 16;
const DEFAULT_DRIVES_PER_NODE = 2;
const MIN_NODES = 3;

/** The most drives of one erasure set that one node may hold, in whatever order MinIO deals them out. */
export const setDrivesOfNode = (l: Pick<Layout, "drivesPerNode" | "erasureSetDrives">): number => Math.min(l.drivesPerNode, l.erasureSetDrives);

/** Drives of a set that must answer for a write: the data drives, and one more where parity is half. */
export const writeQuorum = (l: Pick<Layout, "erasureSetDrives" | "parity">): number => {
  const data = l.erasureSetDrives - l.parity;
  return data === l.parity ? data + 1 : data;
};

export const survivesNode = (l: Layout): boolean => l.erasureSetDrives - setDrivesOfNode(l) >= writeQuorum(l);

/**
 * Largest set of 2 to 16 drives that divides all drives and holds equally many of each node, so that the loss of a
 * node costs every set the same. MinIO looks for symmetry over hosts or over drives, whichever it reads last
 * (minio/minio, cmd/endpoint-ellipses.go): sets that are symmetric over both come first.
 */
export function erasureSetSize(nodes: number, drivesPerNode: number): number | undefined {
  const total = nodes * drivesPerNode;
  const even = (size: number, parts: number): boolean => (size >= parts ? size % parts === 0 : parts % size === 0);
  const sizes = Array.from({ length: LARGEST_SET - 1 }, (_, i) => LARGEST_SET - i).filter((size) => size <= total && total % size === 0 && even(size, nodes));
  return sizes.find((size) => even(size, drivesPerNode)) ?? sizes[0];
}

/** MinIO's own defaults (EC:4 from eight drives on), never less than the drives that leave with a node. */
export function defaultParity(erasureSetDrives: number, drivesPerNode: number): number {
  const standard = erasureSetDrives >= 8 ? 4 : erasureSetDrives >= 6 ? 3 : erasureSetDrives >= 4 ? 2 : 1;
  return Math.min(Math.floor(erasureSetDrives / 2), Math.max(standard, drivesPerNode));
}

export function layoutFor(nodes: number, drivesPerNode: number, parity?: number): Layout | undefined {
  const erasureSetDrives = erasureSetSize(nodes, drivesPerNode);
  if (erasureSetDrives === undefined) return undefined;
  return { nodes, drivesPerNode, erasureSetDrives, parity: parity ?? defaultParity(erasureSetDrives, drivesPerNode) };
}

const stands = (l: Layout | undefined): l is Layout => l !== undefined && l.parity <= l.erasureSetDrives / 2 && l.parity >= l.drivesPerNode && survivesNode(l);

export function planMinio(settings: Settings): { minio?: Minio; errors: SettingsError[]; notes: string[] } {
  if (settings.objectStore.kind === "s3") return { errors: [], notes: [] };
  const { ccu } = settings;
  const o = settings.overrides.minio;
  const hosts = hostsOf(settings, "storage");
  const notes: string[] = [];
  const drives = hosts.map((h) => h.disks.filter((d) => d.use === "object-store").map((d) => d.sizeGiB));
  const listed = drives.some((d) => d.length > 0);
  const errors: SettingsError[] = [];

  if (o.nodes !== undefined && o.nodes > hosts.length) {
    errors.push({ path: "overrides.minio.nodes", given: String(o.nodes), allowed: `at most ${hosts.length}, the hosts with the role storage: each carries one MinIO pod`, remedy: `add ${o.nodes - hosts.length} storage hosts, or lower it` });
  }
  const wanted = o.nodes ?? hosts.length;
  if (wanted < MIN_NODES) {
    errors.push({
      path: o.nodes !== undefined ? "overrides.minio.nodes" : "hosts", given: `${wanted} storage ${wanted === 1 ? "node" : "nodes"}`, allowed: `at least ${MIN_NODES}: with ${wanted}, losing one takes away half of the drives or more, and no write finds its quorum`,
      remedy: `add ${MIN_NODES - wanted} storage ${MIN_NODES - wanted === 1 ? "host" : "hosts"}, give the role storage to hosts that exist, or use an external S3 (objectStore.kind: s3)`,
    });
    return { errors, notes };
  }
  if (listed && drives.some((d) => d.length === 0) && o.drivesPerNode === undefined && o.nodes === undefined) {
    const i = drives.findIndex((d) => d.length === 0);
    errors.push({ path: `hosts[${settings.hosts.indexOf(hosts[i])}].disks`, given: `no disk with use "object-store" on ${hosts[i].name}`, allowed: "equally many on every storage host", remedy: "list its object-store disks, or take the role storage from it" });
    return { errors, notes };
  }
  const drivesPerNode = o.drivesPerNode ?? (listed ? Math.min(...drives.filter((d) => d.length > 0).map((d) => d.length)) : DEFAULT_DRIVES_PER_NODE);
  if (listed && o.drivesPerNode !== undefined && drives.some((d) => d.length > 0 && d.length < drivesPerNode)) {
    errors.push({ path: "overrides.minio.drivesPerNode", given: String(drivesPerNode), allowed: `at most ${Math.min(...drives.map((d) => d.length))}, the object-store disks of the host that has the fewest`, remedy: "list more disks, or lower it" });
  }
  const layout = chooseLayout(wanted, drivesPerNode, o.parity, o.nodes !== undefined);
  if (!stands(layout)) return { errors: [...errors, layoutError(wanted, drivesPerNode, o.parity, layout)], notes };
  if (layout.nodes < wanted) notes.push(`${wanted - layout.nodes} of ${wanted} storage hosts carry no MinIO pod: ${wanted} x ${drivesPerNode} drives cannot be divided into equal erasure sets of 2 to ${LARGEST_SET}, ${layout.nodes} x ${drivesPerNode} can.`);

  const smallest = listed ? Math.min(...drives.filter((d) => d.length > 0).flatMap((d) => [...d].sort((a, b) => b - a).slice(0, drivesPerNode))) : undefined;
  const anchorDrive = Math.max(1, Math.floor((interpolate(MACHINES.storage.diskTB.row, ccu) * GIB_PER_TB) / drivesPerNode));
  const driveGiB = o.driveGiB ?? settings.objectStore.driveGiB ?? smallest ?? anchorDrive;
  if (smallest !== undefined && driveGiB > smallest) {
    errors.push({ path: o.driveGiB !== undefined ? "overrides.minio.driveGiB" : "objectStore.driveGiB", given: `${driveGiB} GiB`, allowed: `at most ${smallest} GiB, the smallest object-store disk in use`, remedy: `set ${smallest}, or leave it out` });
  }
  const usable = Math.floor((layout.nodes * drivesPerNode * driveGiB * (layout.erasureSetDrives - layout.parity)) / layout.erasureSetDrives);
  const growth = count(MINIO.growthTBPerYear.row, ccu, GIB_PER_TB);
  return {
    minio: { ...layout, driveGiB, usableGiB: usable, growthGiBPerYear: growth, cpu: o.cpu ?? cores(MINIO.cpu.row, ccu), memoryMiB: o.memoryMiB ?? memoryMiB(MINIO.memoryGiB.row, ccu) },
    errors, notes,
  };
}

/** With a number of nodes given, exactly that; else the most of the hosts that make equal sets. */
function chooseLayout(nodes: number, drivesPerNode: number, parity: number | undefined, exact: boolean): Layout | undefined {
  for (let n = nodes; n >= (exact ? nodes : MIN_NODES); n--) {
    const layout = layoutFor(n, drivesPerNode, parity);
    if (stands(layout)) return layout;
  }
  return layoutFor(nodes, drivesPerNode, parity);
}

function layoutError(nodes: number, drivesPerNode: number, parity: number | undefined, layout: Layout | undefined): SettingsError {
  const shape = `${nodes} nodes x ${drivesPerNode} ${drivesPerNode === 1 ? "drive" : "drives"}`;
  const path = parity !== undefined ? "overrides.minio.parity" : "overrides.minio.drivesPerNode";
  if (!layout) return { path, given: shape, allowed: `drives that divide into equal erasure sets of 2 to ${LARGEST_SET} with equally many of each node`, remedy: "change the number of drives per node, or of nodes (overrides.minio.nodes)" };
  const allowed = possibleParities(layout);
  return {
    path, given: `parity ${layout.parity} with ${shape} (erasure set of ${layout.erasureSetDrives})`,
    allowed: allowed.length > 0 ? `parity ${allowed.join(" or ")}: at least the ${drivesPerNode} drives that leave with a node, at most half of the set` : `no parity: a node holds ${drivesPerNode} drives, half of the set is ${Math.floor(layout.erasureSetDrives / 2)}, and writes need their quorum without that node`,
    remedy: allowed.length > 0 ? `set parity to ${allowed[0]}, or leave it out` : "use more storage hosts, or fewer drives on each",
  };
}

export const possibleParities = (l: Layout): number[] =>
  Array.from({ length: Math.floor(l.erasureSetDrives / 2) }, (_, i) => i + 1).filter((parity) => stands({ ...l, parity }));
