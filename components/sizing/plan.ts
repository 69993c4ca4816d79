/** The plan: every part of the sizing in its order, and every error at once. */
import { SettingsInvalid, type SettingsError } from "../core/errors";
import type { PlanInput } from "../core/layer";
import type { Settings } from "../settings/types";
import type { HostRole } from "../domain/roles";
import { planBackups } from "./backups";
import { ceilingErrors, isBelowCeiling } from "./ceiling";
import { budgetConnections } from "./connections";
import type { Demand } from "./demands";
import { fitErrors } from "./fitErrors";
import { planFront } from "./front";
import { leastMachines, missingRoom, roleFits } from "./hostsFit";
import { isExtrapolated } from "./interpolate";
import { machinesFor } from "./machines";
import { planMinio, poolNodesOf } from "./minio";
import { sizeNotes } from "./notes";
import { loadNotes, planLoad } from "./planLoad";
import { planPostgres } from "./postgres";
import { planRedis } from "./redis";
import { AUTOSCALED, overrideOf, streamWriters, synapsePools, synapseTuning } from "./synapsePools";
import { planCalls } from "./turnRtc";
import type { FailureCost, Plan, PlanParts, PoolPlan, ZoneEffect, ZonePlan } from "./types";
import { lostZones, zoneFailures, zoneNotes, type LostZone } from "./zones";

/** The layers' part of the plan. */
export interface FromLayers {
  /** Everything that needs room on the hosts. */
  demands: (settings: Settings, parts: PlanParts) => Demand[];
  /** Roles that this stack needs hosts of, and the fewest with which one may be lost. */
  roles: (settings: Settings) => Array<{ role: HostRole; least: number }>;
  /** Costs of each failure. */
  failures: (input: PlanInput) => FailureCost[];
  /** What the loss of a zone costs each part. */
  zoneLoss: (input: PlanInput, zone: LostZone) => ZoneEffect[];
  /** What operators should know. */
  notes: (input: PlanInput) => string[];
}

/**
 * Every number of a stack, from its settings.
 * @throws SettingsInvalid with every error at once, and with the remedies where the hosts do not suffice
 */
export function planWith(settings: Settings, layers: FromLayers): Plan {
  const demandsOf = layers.demands;
  const errors: SettingsError[] = [];

  const { parts, minio, calls } = partsOf(settings);
  const unbounded = synapsePools(settings);
  // No machines and no connections mend it.
  const overloaded = ceilingErrors(settings);
  if (overloaded.length > 0) throw new SettingsInvalid([...overloaded, ...minio.errors, ...calls.errors], "plan");
  const draft = parts(unbounded, 1);
  const bounded = boundAutoscaling(settings, unbounded, (pools) => demandsOf(settings, { ...draft, pools }));
  const budget = budgetConnections(settings, bounded.pools);
  const p = parts(budget.pools, budget.maxConnections);
  errors.push(...minio.errors, ...calls.errors, ...budget.errors, ...p.postgresErrors);

  const demands = demandsOf(settings, p);
  const fit = fitErrors({ hosts: settings.hosts, demands, load: bounded.fixed ? "maximum" : "minimum" });
  errors.push(...fit.errors);
  if (errors.length > 0) throw new SettingsInvalid(errors, "plan", fit.remedies);

  const { ccu } = settings;
  const backups = planBackups({ settings, storageGiB: p.postgres.storageGiB });
  const base: Plan = {
    ccu,
    extrapolated: isExtrapolated(ccu),
    notes: [],
    nodes: machinesOf(settings, layers.roles(settings), p, demands),
    fit: roleFits(settings.hosts, demands),
    failures: [],
    zones: [],
    load: planLoad(settings, p),
    synapse: { pools: p.pools, streamWriters: streamWriters(settings), ...synapseTuning(settings) },
    postgres: p.postgres,
    ...(backups ? { backups } : {}),
    redis: p.redis,
    ...(p.minio ? { minio: p.minio } : {}),
    router: p.router,
    ingress: p.ingress,
    ...(p.turn ? { turn: p.turn } : {}),
    ...(p.rtc ? { rtc: p.rtc } : {}),
    web: p.web,
    ...(p.monitoring ? { monitoring: p.monitoring } : {}),
  };
  const zones: ZonePlan[] = lostZones(settings, demands).map((zone) => ({
    zone: zone.name,
    hosts: zone.lost.length,
    effects: layers.zoneLoss({ settings, plan: base }, zone),
  }));
  const failures = [...layers.failures({ settings, plan: base }), ...zoneFailures(zones)];
  const notes = [
    ...sizeNotes(base),
    ...loadNotes(settings, base.load),
    ...zoneNotes(settings, zones),
    ...layers.notes({ settings, plan: base }),
    ...budget.notes,
    ...bounded.notes,
    ...minio.notes,
    ...p.postgresNotes,
  ];
  return { ...base, failures, zones, notes };
}

/** The parts that need room on the hosts, once Synapse's pools and the connections are known. */
function partsOf(settings: Settings): {
  parts: (
    pools: PoolPlan[],
    maxConnections: number,
  ) => PlanParts & { postgresErrors: SettingsError[]; postgresNotes: string[] };
  minio: ReturnType<typeof planMinio>;
  calls: ReturnType<typeof planCalls>;
} {
  const redis = planRedis(settings);
  const minio = planMinio(settings);
  const calls = planCalls(settings);
  const front = planFront(settings);
  return {
    minio,
    calls,
    parts: (pools, maxConnections) => {
      const pg = planPostgres({ settings, pools, maxConnections });
      return {
        pools,
        postgres: pg.postgres,
        postgresErrors: pg.errors,
        postgresNotes: pg.notes,
        redis,
        minio: minio.minio,
        turn: calls.turn,
        rtc: calls.rtc,
        router: front.router,
        ingress: front.ingress,
        web: front.web,
        monitoring: front.monitoring,
      };
    },
  };
}

/**
 * Everything that needs room on these hosts, with the full autoscaling range; undefined where the plan has an error
 * that no room would mend. Unlike the plan, it does not look whether there is room.
 */
export function demandsOn(settings: Settings, demandsOf: FromLayers["demands"]): Demand[] | undefined {
  const { parts, minio, calls } = partsOf(settings);
  if (!isBelowCeiling(settings)) return undefined;
  const budget = budgetConnections(settings, synapsePools(settings));
  const p = parts(budget.pools, budget.maxConnections);
  const errors = [...minio.errors, ...calls.errors, ...budget.errors, ...p.postgresErrors];
  return errors.length > 0 ? undefined : demandsOf(settings, p);
}

/** The pools whose autoscalers may not go as far as they would with more hosts. */
const lessThan = (pools: PoolPlan[], free: PoolPlan[]): PoolPlan[] =>
  pools.filter((p, i) => p.maxReplicas < free[i].maxReplicas);

/** Whether the hosts have no room for the full autoscaling range. */
export const isBounded = (settings: Settings, { synapse }: Pick<Plan, "synapse">): boolean =>
  lessThan(synapse.pools, synapsePools(settings)).length > 0;

/** Recommended machines of each role, and the fewest of that size with which everything fits. */
function machinesOf(
  settings: Settings,
  roles: Array<{ role: HostRole; least: number }>,
  parts: PlanParts,
  demands: Demand[],
): Plan["nodes"] {
  const machines = machinesFor(
    settings.ccu,
    roles.map((r) => r.role),
    poolNodesOf(settings),
  );
  return machines.map((m, i) => {
    const { role, least: fewest } = roles[i];
    switch (role) {
      case "application":
        // Where no number of them holds the pods (an override made one larger than a machine): what is recommended.
        return { ...m, least: leastMachines(role, m, demands, { fewest, most: m.count * 4 }) ?? m.count };
      case "database":
        return { ...m, least: Math.max(fewest, parts.postgres.instances) };
      case "storage":
        return { ...m, least: parts.minio?.survives === "zone" ? poolNodesOf(settings) : Math.min(fewest, m.count) };
      default:
        return { ...m, least: Math.min(fewest, m.count) };
    }
  });
}

/**
 * Lowers the autoscalers' maxima until they fit: a maximum whose pods cannot be placed would be a false promise.
 */
function boundAutoscaling(
  settings: Settings,
  planned: PoolPlan[],
  demands: (pools: PoolPlan[]) => Demand[],
): { pools: PoolPlan[]; notes: string[]; fixed: boolean } {
  const pools = planned.map((p) => ({ ...p }));
  const given = (p: PoolPlan): boolean => overrideOf(settings, p.class).maxReplicas !== undefined;
  // Not even the minimum fits: that is reported as such.
  if (missingRoom(settings.hosts, demands(pools), "minimum")) return { pools, notes: [], fixed: false };
  while (missingRoom(settings.hosts, demands(pools), "maximum")) {
    const open = pools.filter((p) => AUTOSCALED.includes(p.class) && !given(p) && p.maxReplicas > p.replicas);
    if (open.length === 0) return { pools, notes: [], fixed: true };
    open.reduce((a, b) => (b.maxReplicas / b.replicas > a.maxReplicas / a.replicas ? b : a)).maxReplicas -= 1;
  }
  const lowered = lessThan(pools, planned);
  return {
    pools,
    fixed: false,
    notes:
      lowered.length > 0
        ? [
            `The hosts have no room for the full autoscaling range with one of them lost: ${lowered.map((p) => `${p.class} stops at ${p.maxReplicas}`).join(", ")}. Another application host would allow more.`,
          ]
        : [],
  };
}
