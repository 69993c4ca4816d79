/**
 * The most messages a second that a stack can carry, whatever its number of processes: what Synapse has one process
 * for, what every process does, and what the database and Redis have one of. Pure.
 */
import type { SettingsError } from "../core/errors";
import { MAX_REPLICAS, type WorkerClass } from "../domain/workerClasses";
import { WORKERS } from "../domain/workers";
import type { Settings } from "../settings/types";
import { hostsOf } from "./hosts";
import {
  classCpu,
  commits,
  following,
  grown,
  loadOf,
  mostCommits,
  processesFor,
  serviceCpu,
  UTILISATION,
  type Load,
} from "./load";
import { usualProcesses } from "./synapsePools";
import type { Ceiling, PoolPlan } from "./types";

type Processes = ReadonlyArray<Pick<PoolPlan, "class" | "replicas">>;

interface Limit {
  name: string;
  holds: (load: Load) => boolean;
  remedy: string;
  /** Set by the hosts: where it does not hold, the room on them is the error (fitErrors.ts). @default false */
  ofHosts?: true;
}

const FASTER = "faster cores (coreSpeed) or less activity";
const isSingle = (cls: WorkerClass): boolean => WORKERS[cls].scaling.mode === "single";

/** Processes of Synapse under a load: at least these, and as many as it needs. */
export const processesUnder = (load: Load, pools: Processes): number =>
  pools.reduce(
    (all, { class: cls, replicas }) =>
      all + (isSingle(cls) ? replicas : Math.max(replicas, Math.min(MAX_REPLICAS, processesFor(load, cls)))),
    0,
  );

/** The number of processes that the operator fixed; undefined where the plan chooses it. */
function fixedNumber(settings: Settings, cls: WorkerClass): number | undefined {
  const given = settings.overrides.pools[cls];
  return WORKERS[cls].scaling.mode === "autoscaled" ? given?.maxReplicas : given?.replicas;
}

function limitsOf(settings: Settings): Limit[] {
  const pools = usualProcesses(settings);
  const classes = pools.map((p) => p.class);
  const count = (load: Load): number => processesUnder(load, pools);
  const database = Math.min(...hostsOf(settings, "database").map((host) => host.cpu));
  const poolers = settings.overrides.postgres.poolerInstances;
  return [
    {
      name: "every process reads what all others write",
      holds: (load) => classes.every((cls) => following(load, cls).cores < UTILISATION),
      remedy: `${FASTER}: neither more nor fewer processes change it`,
    },
    ...classes.filter(isSingle).map((cls) => ({
      name: `Synapse allows one ${cls}`,
      holds: (load: Load) => classCpu(load, cls, 1).cores <= UTILISATION,
      remedy: cls === "presence" ? `presence.enabled: false, or ${FASTER}` : FASTER,
    })),
    ...classes.flatMap((cls) => {
      const most = isSingle(cls) ? undefined : fixedNumber(settings, cls);
      return most === undefined
        ? []
        : [
            {
              name: `overrides.pools.${cls} allows ${most}`,
              holds: (load: Load) => processesFor(load, cls) <= most,
              remedy: `raise overrides.pools.${cls}, or leave it out`,
            },
          ];
    }),
    {
      name: "one thread of Redis sends each change to every process",
      holds: (load) => serviceCpu(load, "redis", count(load)).cores <= UTILISATION,
      remedy: FASTER,
    },
    ...(poolers === undefined
      ? []
      : [
          {
            name: `overrides.postgres.poolerInstances allows ${poolers} PgBouncers`,
            holds: (load: Load) => serviceCpu(load, "pgbouncer", count(load)).cores <= poolers * UTILISATION,
            remedy: "raise overrides.postgres.poolerInstances, or leave it out",
          },
        ]),
    {
      name: `one PostgreSQL primary has ${database} cores`,
      holds: (load) => serviceCpu(load, "postgres", count(load)).cores <= database * UTILISATION,
      remedy: "database hosts with more cores, or faster ones (coreSpeed)",
      ofHosts: true,
    },
    {
      name: "one PostgreSQL primary commits what all write",
      holds: (load) => commits(load) <= mostCommits(load),
      remedy: "less activity",
    },
  ];
}

/** Beyond so many times the load nothing is looked for. */
const FAR = 2 ** 20;
/** How exactly a ceiling is found. */
const EXACT = 1.0005;

/** So many times the load that the limit still holds. */
function timesThatHold({ holds }: Limit, load: Load): number {
  let [low, high] = [0, 1];
  while (holds(grown(load, high)) && high < FAR) [low, high] = [high, high * 2];
  while (high / Math.max(low, 1 / FAR) > EXACT) {
    const middle = (low + high) / 2;
    if (holds(grown(load, middle))) low = middle;
    else high = middle;
  }
  return low;
}

/** Each limit with the messages a second at which it is reached by a load that grows as a whole; the nearest first. */
const ceilings = (settings: Settings, load: Load): Array<Limit & { messagesPerSecond: number }> =>
  limitsOf(settings)
    .map((limit) => ({ ...limit, messagesPerSecond: timesThatHold(limit, load) * load.rates.send }))
    .sort((a, b) => a.messagesPerSecond - b.messagesPerSecond);

/** The ceiling of a load that grows as a whole, as it does with the number of users. */
export function ceilingOf(settings: Settings, load = loadOf(settings)): Ceiling {
  const limits = ceilings(settings, load).map(({ name, remedy, messagesPerSecond }) => ({
    name,
    remedy,
    messagesPerSecond,
  }));
  const { messagesPerSecond } = limits[0]!;
  return { messagesPerSecond, share: load.rates.send / messagesPerSecond, limits };
}

/** Whether a load is below every limit that no hosts set. */
export const isBelowCeiling = (settings: Settings, load = loadOf(settings)): boolean =>
  limitsOf(settings).every(({ holds, ofHosts }) => ofHosts || holds(load));

/** Most users of this activity below the ceiling; 0 where not one is. A larger stack has more processes to feed. */
export function mostUsers(settings: Settings, atMost: number): number {
  const fits = (ccu: number): boolean => isBelowCeiling({ ...settings, ccu });
  if (fits(atMost)) return atMost;
  let [low, high] = [0, atMost];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const n = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 });

/** An error where the load is above the ceiling. */
export function ceilingErrors(settings: Settings): SettingsError[] {
  if (isBelowCeiling(settings)) return [];
  const { ccu, activity, coreSpeed } = settings;
  const users = mostUsers(settings, ccu);
  const beyond = { ...settings, ccu: users + 1 };
  const { name, remedy } = limitsOf(beyond).find(({ holds, ofHosts }) => !ofHosts && !holds(loadOf(beyond)))!;
  const explicit = Object.keys(activity).length > 1 || activity.profile !== "typical";
  return [
    {
      path: explicit ? "activity" : "ccu",
      given: `${n(ccu)} users who send ${n(loadOf(settings).rates.send)} messages a second at their peak`,
      allowed: `at most ${n(loadOf(settings, users).rates.send)}, of ${n(users)} users, on cores as they were measured${coreSpeed === 1 ? "" : `, times ${coreSpeed}`}: ${name}`,
      remedy: `${remedy}. Count the messages of a real hour and set activity.messagesPerUserHour; measure your cores and set coreSpeed (docs/plan.md); or divide the users among several homeservers`,
    },
  ];
}
