/**
 * Does everything fit, with any one host lost? Pods are placed one by one, largest first, on the hosts of their
 * role: sums alone would say yes where no single host has room for the last pod.
 */
import type { HostSettings } from "../settings/types";
import { HOST_ROLES, type HostRole } from "../domain/roles";
import { CONTROL_PLANE_RESERVE, DAEMONS, SYSTEM_RESERVE, type Demand } from "./demands";
import { round2 } from "./interpolate";
import type { RoleFit } from "./types";

interface Room {
  host: HostSettings;
  cpu: number;
  memoryMiB: number;
}

/** Pods that find no room. */
export interface Missing {
  /** Role of the hosts that lack room. */
  role: HostRole;
  /** Number of these pods. */
  pods: number;
  /** Missing cores. */
  cpu: number;
  /** Missing memory. */
  memoryMiB: number;
  /** Name of the host with whose loss they find none; absent where they find none even with every host. */
  lost?: string;
  /** Name of the host that a tied pod has to be on. */
  onto?: string;
  /** Number of further hosts that tied pods need. */
  short?: number;
  /** Largest requests among these pods. */
  largest: { cpu: number; memoryMiB: number };
  /** Names of their demands. */
  names: string[];
  /** Setting that the requests of a tied pod can be lowered with. */
  setting?: string;
}

/** A change that makes it fit: more machines, or larger ones (`enlarge`: every host of the role at least so large). */
export interface FitRemedy {
  kind: "add" | "enlarge";
  role: HostRole;
  /** Machines to add; 0 with `enlarge`. */
  count: number;
  /** Cores of each. */
  cpu: number;
  memoryGiB: number;
}

/** Cores and memory of a host that pods may request. */
export const allocatable = (h: HostSettings): { cpu: number; memoryMiB: number } => {
  const shared = h.roles.includes("control-plane") ? CONTROL_PLANE_RESERVE : { cpu: 0, memoryGiB: 0 };
  return {
    cpu: h.cpu * (1 - SYSTEM_RESERVE.share) - SYSTEM_RESERVE.cpu - shared.cpu - DAEMONS.cpu,
    memoryMiB:
      (h.memoryGiB * (1 - SYSTEM_RESERVE.share) - SYSTEM_RESERVE.memoryGiB - shared.memoryGiB) * 1024 -
      DAEMONS.memoryMiB,
  };
};

/** Autoscalers at their minimum, or at their maximum. */
export type Load = "minimum" | "maximum";
const replicasAt = (d: Demand, load: Load): number => (load === "minimum" ? d.replicas : d.maxReplicas);
const size = (x: { cpu: number; memoryMiB: number }): number => x.cpu + x.memoryMiB / 4096;

/** The first shortage; undefined where everything fits, also with each host lost in turn. */
export function missingRoom(hosts: HostSettings[], demands: Demand[], load: Load): Missing | undefined {
  const rooms: Room[] = hosts.map((host) => ({ host, ...allocatable(host) }));
  const untied = tie(
    rooms,
    demands.filter((d) => d.tied),
  );
  if (untied) return untied;
  const floating = demands
    .filter((d) => !d.tied)
    .flatMap((d) => Array.from({ length: replicasAt(d, load) }, () => d))
    .sort((a, b) => size(b) - size(a));
  const always = pack(rooms, floating);
  if (always) return always;
  // Hosts with the same roles and the same room cost the same when lost: one of each kind is enough.
  const seen = new Set<string>();
  for (const lost of rooms) {
    const kind = `${[...lost.host.roles].sort().join()}/${lost.cpu.toFixed(3)}/${lost.memoryMiB.toFixed(1)}`;
    if (seen.has(kind)) continue;
    seen.add(kind);
    const missing = pack(
      rooms.filter((r) => r !== lost),
      floating,
    );
    if (missing) return { ...missing, lost: lost.host.name };
  }
  return undefined;
}

/** Pods that find no room when several hosts are lost at once, with the autoscalers at their minimum. */
export function missingWithout(hosts: HostSettings[], lost: HostSettings[], demands: Demand[]): Missing | undefined {
  const rooms: Room[] = hosts.map((host) => ({ host, ...allocatable(host) }));
  tie(
    rooms,
    demands.filter((d) => d.tied),
  );
  const floating = demands
    .filter((d) => !d.tied)
    .flatMap((d) => Array.from({ length: d.replicas }, () => d))
    .sort((a, b) => size(b) - size(a));
  return pack(
    rooms.filter((r) => !lost.includes(r.host)),
    floating,
  );
}

/**
 * Takes the room of tied pods from the hosts, one of a kind on each. Returns the first that finds none.
 */
function tie(rooms: Room[], tied: Demand[]): Missing | undefined {
  for (const d of [...tied].sort((a, b) => size(b) - size(a))) {
    const candidates = rooms
      .filter((r) => r.host.roles.includes(d.role))
      .sort((a, b) => size(b) - size(a))
      .slice(0, d.replicas);
    const short = d.replicas - candidates.length;
    const setting = d.setting === undefined ? {} : { setting: d.setting };
    const missing = { role: d.role, largest: d, names: [d.name], ...setting };
    if (short > 0) return { ...missing, pods: short, cpu: d.cpu * short, memoryMiB: d.memoryMiB * short, short };
    for (const r of candidates) {
      r.cpu -= d.cpu;
      r.memoryMiB -= d.memoryMiB;
      if (r.cpu < -1e-9 || r.memoryMiB < -1e-9)
        return {
          ...missing,
          pods: 1,
          cpu: Math.max(0, -r.cpu),
          memoryMiB: Math.max(0, -r.memoryMiB),
          onto: r.host.name,
        };
    }
  }
  return undefined;
}

/** Places the largest first, on the host that has most room: roughly what the scheduler does. */
function pack(rooms: Room[], pods: Demand[]): Missing | undefined {
  const left = rooms.filter((r) => r.host.roles.includes("application")).map((r) => ({ ...r }));
  const over = pods.filter((pod) => {
    const room = left
      .filter((r) => r.cpu >= pod.cpu - 1e-9 && r.memoryMiB >= pod.memoryMiB - 1e-9)
      .reduce<Room | undefined>((best, r) => (best && size(best) >= size(r) ? best : r), undefined);
    if (!room) return true;
    room.cpu -= pod.cpu;
    room.memoryMiB -= pod.memoryMiB;
    return false;
  });
  if (over.length === 0) return undefined;
  return {
    role: "application",
    pods: over.length,
    cpu: sum(over, (p) => p.cpu),
    memoryMiB: sum(over, (p) => p.memoryMiB),
    largest: { cpu: Math.max(...over.map((p) => p.cpu)), memoryMiB: Math.max(...over.map((p) => p.memoryMiB)) },
    names: [...new Set(over.map((p) => p.name))],
  };
}

const sum = <T>(list: T[], of: (x: T) => number): number => list.reduce((s, x) => s + of(x), 0);

/** Sums per role, for people: the requests, and the room with the largest host lost. */
export function roleFits(hosts: HostSettings[], demands: Demand[]): RoleFit[] {
  return HOST_ROLES.flatMap((role) => {
    const mine = hosts.filter((h) => h.roles.includes(role));
    if (mine.length === 0) return [];
    const largest = mine.reduce((a, b) => (allocatable(b).memoryMiB > allocatable(a).memoryMiB ? b : a));
    const left = mine.filter((h) => h !== largest);
    const asked = demands.filter((d) => d.role === role);
    // A tied pod is lost with its host and comes back with it.
    const wanted = (d: Demand): number => (d.tied ? Math.min(d.replicas, left.length) : d.maxReplicas);
    const others = demands
      .filter((d) => d.role !== role)
      .map((d) => {
        const theirs = hosts.filter((h) => h !== largest && h.roles.includes(d.role));
        const share = theirs.length === 0 ? 0 : theirs.filter((h) => h.roles.includes(role)).length / theirs.length;
        return {
          cpu: d.cpu * wantedOf(d, theirs.length) * share,
          memoryMiB: d.memoryMiB * wantedOf(d, theirs.length) * share,
        };
      });
    return [
      {
        role,
        hosts: mine.length,
        requestedCpu: round2(sum(asked, (d) => d.cpu * wanted(d))),
        requestedMemoryGiB: round2(sum(asked, (d) => d.memoryMiB * wanted(d)) / 1024),
        availableCpu: round2(sum(left, (h) => allocatable(h).cpu) - sum(others, (x) => x.cpu)),
        availableMemoryGiB: round2(
          (sum(left, (h) => allocatable(h).memoryMiB) - sum(others, (x) => x.memoryMiB)) / 1024,
        ),
      },
    ];
  });
}

const wantedOf = (d: Demand, hosts: number): number => (d.tied ? Math.min(d.replicas, hosts) : d.maxReplicas);

/**
 * The fewest equal machines of a role that hold its pods with any one lost and the autoscalers at their maximum;
 * undefined where no number up to `most` suffices, because a single pod is larger than a machine.
 */
export function leastMachines(
  role: HostRole,
  machine: { cpu: number; memoryGiB: number },
  demands: Demand[],
  { fewest, most }: { fewest: number; most: number },
): number | undefined {
  const mine = demands.filter((d) => d.role === role);
  const hosts = Array.from({ length: most }, (_, i): HostSettings => ({
    name: `${role}-${i + 1}`,
    address: "",
    roles: [role],
    cpu: machine.cpu,
    memoryGiB: machine.memoryGiB,
    disks: [],
    ssh: { user: "root", port: 22 },
  }));
  const fits = (n: number): boolean => missingRoom(hosts.slice(0, n), mine, "maximum") === undefined;
  // More machines of the same size never fit less, so the number is found by halving.
  let [low, high] = [fewest, most];
  if (high < low || !fits(high)) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
