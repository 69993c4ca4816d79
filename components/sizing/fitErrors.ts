/** Remedies where the hosts do not suffice: the smallest addition that does, found by trying. */
import type { HostSettings, SettingsError } from "../settings/types";
import type { HostRole } from "../domain/roles";
import type { Demand } from "./demands";
import { missingRoom, type FitRemedy, type Load, type Missing } from "./hostsFit";
import { round2 } from "./interpolate";

/** Usual sizes of machines, smallest first. */
const MACHINE_SIZES: Array<[cpu: number, memoryGiB: number]> = [
  [2, 4],
  [2, 8],
  [4, 8],
  [4, 16],
  [8, 16],
  [8, 32],
  [16, 32],
  [16, 64],
  [32, 64],
  [32, 128],
  [64, 256],
  [128, 512],
];
/**
 * Largest machine that a remedy adds, cores, unless the stack has larger ones: a machine far larger than the others
 * would itself be the host whose loss costs most.
 */
const USUAL_CPU = 32;
/** Most machines that a remedy adds. */
const MOST_ADDED = 64;
/** Most shortages that are reported at once. */
const MOST_ERRORS = 8;

/** What has to fit, and where. */
export interface FitInput {
  hosts: HostSettings[];
  demands: Demand[];
  /** Whether autoscalers are at their minimum or maximum. */
  load: Load;
}

/**
 * Every shortage with its remedy. Each remedy counts as applied when the next shortage is searched, so that together
 * they suffice.
 */
export function fitErrors({ hosts, demands, load }: FitInput): { errors: SettingsError[]; remedies: FitRemedy[] } {
  const errors: SettingsError[] = [];
  const remedies: FitRemedy[] = [];
  let now = hosts;
  while (errors.length < MOST_ERRORS) {
    const missing = missingRoom(now, demands, load);
    if (!missing) break;
    const remedy = remedyFor({ hosts: now, demands, load }, missing);
    errors.push({
      path: "hosts",
      given: given(hosts, missing.role),
      allowed: allowed(missing),
      remedy: remedyText(remedy, missing),
    });
    if (!remedy) break;
    remedies.push(remedy);
    now = applyRemedy(now, remedy);
  }
  return { errors, remedies };
}

/** The hosts with the remedy applied; added ones get addresses of the benchmarking range (RFC 2544). */
export function applyRemedy(hosts: HostSettings[], r: FitRemedy): HostSettings[] {
  if (r.kind === "enlarge")
    return hosts.map((h) =>
      h.roles.includes(r.role)
        ? { ...h, cpu: Math.max(h.cpu, r.cpu), memoryGiB: Math.max(h.memoryGiB, r.memoryGiB) }
        : h,
    );
  return [
    ...hosts,
    ...Array.from({ length: r.count }, (_, i): HostSettings => ({
      name: `added-${r.role}-${hosts.length + i}`,
      address: `198.19.${Math.floor((hosts.length + i) / 250)}.${((hosts.length + i) % 250) + 1}`,
      roles: [r.role],
      cpu: r.cpu,
      memoryGiB: r.memoryGiB,
      disks: [],
      ssh: { user: "root", port: 22 },
    })),
  ];
}

/** The fewest machines, and of those the smallest, after which this shortage is gone. */
function remedyFor(input: FitInput, missing: Missing): FitRemedy | undefined {
  const gone = (r: FitRemedy): boolean => {
    const left = missingRoom(applyRemedy(input.hosts, r), input.demands, input.load);
    return !left || !sameShortage(left, missing);
  };
  if (missing.onto)
    return MACHINE_SIZES.map(([cpu, memoryGiB]): FitRemedy => ({
      kind: "enlarge",
      role: missing.role,
      count: 0,
      cpu,
      memoryGiB,
    })).find(gone);
  const usual = Math.max(USUAL_CPU, ...input.hosts.filter((h) => h.roles.includes(missing.role)).map((h) => h.cpu));
  for (let count = missing.short ?? 1; count <= MOST_ADDED; count++) {
    const found = MACHINE_SIZES.filter(([cpu]) => cpu <= usual)
      .map(([cpu, memoryGiB]): FitRemedy => ({ kind: "add", role: missing.role, count, cpu, memoryGiB }))
      .find(gone);
    if (found) return found;
  }
  return undefined;
}

/**
 * Whether it is still the same shortage. Tied pods are placed first; a shortage of the others is another one, and is
 * reported after it.
 */
function sameShortage(left: Missing, missing: Missing): boolean {
  if (missing.short !== undefined || missing.onto)
    return left.role === missing.role && (left.short !== undefined || left.onto !== undefined);
  return true;
}

function given(hosts: HostSettings[], role: HostRole): string {
  const mine = hosts.filter((h) => h.roles.includes(role));
  const shapes = [...new Set(mine.map((h) => `${h.cpu} CPU / ${h.memoryGiB} GiB`))].join(", ");
  return `${mine.length} ${role} ${mine.length === 1 ? "host" : "hosts"}${shapes ? ` (${shapes})` : ""}`;
}

function allowed(m: Missing): string {
  if (m.short !== undefined) return `one ${m.role} host for each instance of ${m.names[0]}: ${m.short} more`;
  if (m.onto)
    return `room for the pods that are tied to a ${m.role} host: on ${m.onto}, ${m.names[0]} (${cores(m.largest.cpu)}, ${gib(m.largest.memoryMiB)}) lacks ${lacks(m)}, after the system's reserve and the other tied pods`;
  const pods = `${m.pods} ${m.pods === 1 ? "pod" : "pods"} (${m.names.slice(0, 4).join(", ")}${m.names.length > 4 ? ", ..." : ""})`;
  return `room for everything with any one host lost: ${m.lost ? `without ${m.lost}` : "even with every host there"}, ${pods} of the role ${m.role} lack ${lacks(m)}`;
}

function remedyText(r: FitRemedy | undefined, m: Missing): string {
  const otherwise = "or lower requests in overrides";
  if (!r) return `use larger ${m.role} hosts, ${otherwise}`;
  if (r.kind === "enlarge")
    return `give every ${r.role} host at least ${r.cpu} CPU / ${r.memoryGiB} GiB, take other roles from it, ${otherwise}`;
  return `add ${r.count} ${r.role} ${r.count === 1 ? "host" : "hosts"} of ${r.cpu} CPU / ${r.memoryGiB} GiB, give the role ${r.role} to hosts that have as much to spare, ${otherwise}`;
}

const gib = (mib: number): string => `${round2(Math.ceil((mib / 1024) * 100) / 100)} GiB`;
const cores = (c: number): string => `${round2(Math.ceil(c * 100) / 100)} cores`;
const lacks = (m: Missing): string =>
  [m.cpu > 1e-9 ? cores(m.cpu) : "", m.memoryMiB > 1e-9 ? gib(m.memoryMiB) : ""].filter(Boolean).join(" and ");
