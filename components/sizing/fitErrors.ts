/** Remedies where the hosts do not suffice: the smallest addition that does, found by trying. */
import type { HostSettings, SettingsError } from "../settings/types";
import type { HostRole } from "../domain/roles";
import type { Demand } from "./demands";
import { missingRoom, type FitRemedy, type Load, type Missing } from "./hostsFit";
import { ceilTo, round2 } from "./interpolate";
import { CPU_STEP, MEMORY_STEP_GIB } from "./machines";

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
/** Steps by which a remedy enlarges a machine before it takes a usual size. */
const MOST_STEPS = 16;
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
  if (missing.onto) return enlargement(input.hosts, missing, gone);
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
 * The smallest size of every host of the role with which the shortage is gone: as they are, with the cores and the
 * memory that are missing, in the steps in which machines and their virtual cores are sold.
 */
function enlargement(hosts: HostSettings[], missing: Missing, gone: (r: FitRemedy) => boolean): FitRemedy | undefined {
  // The host that lacks room is among the smaller ones: only those that are smaller than this become larger.
  const at = hosts.find((h) => h.name === missing.onto)!;
  const needs = (r: { cpu: number; memoryGiB: number }): FitRemedy => ({
    kind: "enlarge",
    role: missing.role,
    count: 0,
    ...r,
  });
  for (let step = 0; step < MOST_STEPS; step++) {
    const cpu = missing.cpu > 0 ? ceilTo(at.cpu + missing.cpu, CPU_STEP) + step * CPU_STEP : at.cpu;
    const memoryGiB =
      missing.memoryMiB > 0
        ? ceilTo(at.memoryGiB + missing.memoryMiB / 1024, MEMORY_STEP_GIB) + step * MEMORY_STEP_GIB
        : at.memoryGiB;
    const larger = needs({ cpu, memoryGiB });
    if (gone(larger)) return larger;
  }
  return MACHINE_SIZES.map(([cpu, memoryGiB]) => needs({ cpu, memoryGiB })).find(gone);
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
  if (r.kind === "enlarge" && lowered(m))
    return `${lowered(m)}, or give every ${r.role} host at least ${r.cpu} CPU / ${r.memoryGiB} GiB`;
  if (r.kind === "enlarge")
    return `give every ${r.role} host at least ${r.cpu} CPU / ${r.memoryGiB} GiB, take other roles from it, ${otherwise}`;
  return `add ${r.count} ${r.role} ${r.count === 1 ? "host" : "hosts"} of ${r.cpu} CPU / ${r.memoryGiB} GiB, give the role ${r.role} to hosts that have as much to spare, ${otherwise}`;
}

/** Most of its request that a pod can do without: beyond a quarter it would be another machine's size. */
const SPARED = 0.25;

/** The overrides with which a tied pod fits on its host, where little is missing. */
function lowered(m: Missing): string | undefined {
  const { setting, largest } = m;
  if (!setting || m.cpu > largest.cpu * SPARED || m.memoryMiB > largest.memoryMiB * SPARED) return undefined;
  // Rounded down: twentieths of a core, steps of 64 MiB.
  const cpu = Math.floor((largest.cpu - m.cpu) * 20 + 1e-6) / 20;
  const memoryMiB = Math.floor((largest.memoryMiB - m.memoryMiB) / 64) * 64;
  const parts = [
    ...(m.cpu > 1e-9 ? [`${setting}.cpu to ${round2(cpu)} (it requests ${round2(largest.cpu)})`] : []),
    ...(m.memoryMiB > 1e-9 ? [`${setting}.memoryMiB to ${memoryMiB} (it requests ${largest.memoryMiB})`] : []),
  ];
  return parts.length > 0 ? `set ${parts.join(" and ")}` : undefined;
}

const gib = (mib: number): string => `${round2(Math.ceil((mib / 1024) * 100) / 100)} GiB`;
const cores = (c: number): string => `${round2(Math.ceil(c * 100) / 100)} cores`;
const lacks = (m: Missing): string =>
  [m.cpu > 1e-9 ? cores(m.cpu) : "", m.memoryMiB > 1e-9 ? gib(m.memoryMiB) : ""].filter(Boolean).join(" and ");
