/** The plan: every part of the sizing in its order, and every error at once. */
import { SettingsInvalid, type SettingsError } from "../core/errors";
import type { PlanInput } from "../core/layer";
import type { Settings } from "../settings/types";
import type { HostRole } from "../domain/roles";
import { planBackups } from "./backups";
import { budgetConnections } from "./connections";
import type { Demand } from "./demands";
import { fitErrors } from "./fitErrors";
import { planFront } from "./front";
import { missingRoom, roleFits } from "./hostsFit";
import { isExtrapolated } from "./interpolate";
import { machinesFor } from "./machines";
import { planMinio } from "./minio";
import { sizeNotes } from "./notes";
import { planPostgres } from "./postgres";
import { planRedis } from "./redis";
import { AUTOSCALED, overrideOf, streamWriters, synapsePools, synapseTuning } from "./synapsePools";
import { planCalls } from "./turnRtc";
import type { FailureCost, Plan, PlanParts, PoolPlan } from "./types";

/** The layers' part of the plan. */
export interface FromLayers {
  /** Everything that needs room on the hosts. */
  demands: (settings: Settings, parts: PlanParts) => Demand[];
  /** Roles that this stack needs hosts of. */
  roles: (settings: Settings) => HostRole[];
  /** Costs of each failure. */
  failures: (input: PlanInput) => FailureCost[];
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

  const redis = planRedis(settings);
  const minio = planMinio(settings);
  const calls = planCalls(settings);
  const front = planFront(settings);
  const parts = (
    pools: PoolPlan[],
    maxConnections: number,
  ): PlanParts & { postgresErrors: SettingsError[]; postgresNotes: string[] } => {
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
  };

  const unbounded = synapsePools(settings);
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
    nodes: machinesFor(ccu, layers.roles(settings)),
    fit: roleFits(settings.hosts, demands),
    failures: [],
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
  const failures = layers.failures({ settings, plan: base });
  const notes = [
    ...sizeNotes(base),
    ...layers.notes({ settings, plan: base }),
    ...budget.notes,
    ...bounded.notes,
    ...minio.notes,
    ...p.postgresNotes,
  ];
  return { ...base, failures, notes };
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
  const lowered = pools.filter((p, i) => p.maxReplicas < planned[i].maxReplicas);
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
