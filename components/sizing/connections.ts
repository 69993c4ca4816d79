/** The connection budget: with every autoscaler at its maximum, all pools stay below 0.85 x max_connections. */
import type { Settings, SettingsError } from "../settings/types";
import { POSTGRES } from "./anchors";
import { ceilTo, interpolate } from "./interpolate";
import { overrideOf } from "./synapsePools";
import type { PoolPlan } from "./types";

/** Largest share of max_connections that may be in use. */
export const CONNECTION_SHARE = 0.85;
/**
 * Connections beside Synapse's: superuser_reserved_connections (3), the operator's metrics and status (3), the exporter
 * (2), an administrator (2).
 */
export const RESERVED_CONNECTIONS = 10;
/** Smallest cp_max: a worker with fewer cannot run its transactions and its background work side by side. */
export const CP_MAX_FLOOR = 4;
/** Largest max_connections of a plan: beyond it PostgreSQL spends more on its snapshots than a larger Synapse gains. */
const MAX_CONNECTIONS_LIMIT = 2_000;
/** max_connections is rounded up to multiples of this. */
const STEP = 25;

/** A process that may exist once asks in a session of its own whether it still may (synapse/scripts/only_one.py). */
const GUARD = 1;
/** Connections that these pools hold with every autoscaler at its maximum. */
export const connectionsAtMax = (pools: PoolPlan[]): number =>
  pools.reduce((sum, p) => sum + p.maxReplicas * (p.cpMax + (p.kind === "StatefulSet" ? GUARD : 0)), 0);
/** The same, with those beside Synapse's. */
export const connectionsUsed = (pools: PoolPlan[]): number => connectionsAtMax(pools) + RESERVED_CONNECTIONS;
/** Connections that may be in use with this max_connections. */
export const budgetOf = (maxConnections: number): number => Math.floor(CONNECTION_SHARE * maxConnections);

/** Result of budgetConnections. */
export interface ConnectionBudget {
  /** The pools, with a smaller cpMax where max_connections is given and too small for them. */
  pools: PoolPlan[];
  /** max_connections of PostgreSQL. */
  maxConnections: number;
  errors: SettingsError[];
  notes: string[];
}

/**
 * max_connections is the anchors' value. It rises where more connections are needed (for federation, which the anchors
 * do not have, or for raised replicas): a backend costs about 10 MiB. Where the settings give it, the pools shrink to
 * fit, down to CP_MAX_FLOOR, except those whose cpMax is given. Pools that still do not fit are an error.
 */
export function budgetConnections(settings: Settings, pools: PoolPlan[]): ConnectionBudget {
  const given = settings.overrides.postgres.maxConnections;
  const anchor = Math.ceil(interpolate(POSTGRES.maxConnections.row, settings.ccu));
  const path = "overrides.postgres.maxConnections";
  if (given === undefined) {
    const needed = ceilTo(connectionsUsed(pools) / CONNECTION_SHARE, STEP);
    if (needed > MAX_CONNECTIONS_LIMIT && needed > anchor) {
      return {
        pools,
        maxConnections: anchor,
        notes: [],
        errors: [
          {
            path: "overrides.pools",
            given: `pools that need ${connectionsUsed(pools)} connections at their maximum, so max_connections ${needed}`,
            allowed: `at most ${budgetOf(MAX_CONNECTIONS_LIMIT)} connections`,
            remedy: "lower replicas, maxReplicas or cpMax of the pools with overrides",
          },
        ],
      };
    }
    const raised = needed > anchor;
    return {
      pools,
      maxConnections: Math.max(anchor, needed),
      errors: [],
      notes: raised
        ? [
            `max_connections is ${needed} instead of ${anchor}: ${connectionsUsed(pools)} connections can be open at the autoscaling maximum, and they stay below ${CONNECTION_SHARE} of it.`,
          ]
        : [],
    };
  }
  const shrunk = shrink(settings, pools, budgetOf(given) - RESERVED_CONNECTIONS);
  const lowest = connectionsUsed(shrunk);
  if (lowest > budgetOf(given)) {
    return {
      pools: shrunk,
      maxConnections: given,
      notes: [],
      errors: [
        {
          path,
          given: String(given),
          allowed: `at least ${Math.ceil(lowest / CONNECTION_SHARE)}: ${lowest} connections at the autoscaling maximum (${RESERVED_CONNECTIONS} of them reserved) must stay below ${CONNECTION_SHARE} x max_connections = ${budgetOf(given)}`,
          remedy: `set it to ${ceilTo(lowest / CONNECTION_SHARE, STEP)}, leave it out, or lower maxReplicas or cpMax of overridden pools`,
        },
      ],
    };
  }
  const changed = shrunk.some((p, i) => p.cpMax !== pools[i].cpMax);
  return {
    pools: shrunk,
    maxConnections: given,
    errors: [],
    notes: changed
      ? [
          `Connection pools were lowered to fit max_connections ${given}: ${connectionsUsed(shrunk)} of ${budgetOf(given)} allowed.`,
        ]
      : [],
  };
}

/** Takes one connection at a time from the largest pool of a process, main last. */
function shrink(settings: Settings, pools: PoolPlan[], budget: number): PoolPlan[] {
  const result = pools.map((p) => ({ ...p }));
  const open = result.filter((p) => overrideOf(settings, p.class).cpMax === undefined);
  while (connectionsAtMax(result) > budget) {
    const workers = open.filter((p) => p.class !== "main" && p.cpMax > CP_MAX_FLOOR);
    const candidates = workers.length > 0 ? workers : open.filter((p) => p.cpMax > CP_MAX_FLOOR);
    if (candidates.length === 0) break;
    candidates.reduce((a, b) => (b.cpMax > a.cpMax ? b : a)).cpMax -= 1;
  }
  return result;
}
