/** What each part of a plan has to carry, with how many processes, and how near the ceiling is. */
import { AUTOSCALED } from "./synapsePools";
import { activityOf } from "./activity";
import { ceilingOf, mostUsers, processesUnder } from "./ceiling";
import { SERVICES } from "./costs";
import {
  classCpu,
  grown,
  ingressCpu,
  loadOf,
  processesFor,
  serviceCpu,
  UTILISATION,
  walMiBPerSecond,
  type Cpu,
  type Load,
} from "./load";
import type { Settings } from "../settings/types";
import type { LoadPlan, PartLoad, PlanParts, PoolPlan } from "./types";
import { WORKERS } from "../domain/workers";

/** Users by which a stack should be able to grow. */
export const GROWTH = 1.3;

const n = (value: number): string => Math.floor(value).toLocaleString("en-US");

/** What operators should know of it. */
export function loadNotes(settings: Settings, { ceiling, parts }: LoadPlan): string[] {
  const wanted = Math.ceil(settings.ccu * GROWTH),
    most = mostUsers(settings, wanted);
  const thin = parts
    .filter((p) => p.most < p.recommended)
    .map((p) => `${p.part} ${p.most} instead of ${p.recommended}`);
  return [
    ...(most < wanted
      ? [
          `THIN: ${n(most)} users of this activity reach the ceiling of messages a second (${ceiling.limits[0]!.name}). To grow beyond it: ${ceiling.limits[0]!.remedy}.`,
        ]
      : []),
    ...(thin.length > 0
      ? [
          `Less reserve than for 30 % more people with one process lost: ${thin.join(", ")}. overrides.pools raises them; the upper bounds in costs.json may also be too high.`,
        ]
      : []),
  ];
}

/** What is expected of the parts of a plan. */
export function planLoad(settings: Settings, parts: PlanParts): LoadPlan {
  const load = loadOf(settings);
  const activity = activityOf(settings);
  const wal = walMiBPerSecond(load);
  return {
    profile: settings.activity.profile,
    messagesPerSecond: load.rates.send,
    messagesPerUserHour: activity.messagesPerUserHour,
    peakFactor: activity.peakFactor,
    recipientsOnline: activity.recipientsOnline,
    ceiling: ceilingOf(settings, load),
    parts: [...parts.pools.map((pool) => classLoad(load, pool)), ...services(load, parts)],
    walMiBPerSecond: wal,
    walHours: (parts.postgres.walStorageGiB * 1024) / wal / 3600,
  };
}

function classLoad(load: Load, pool: PoolPlan): PartLoad {
  const single = WORKERS[pool.class].scaling.mode === "single";
  const least = single ? 1 : processesFor(load, pool.class);
  const autoscaled = AUTOSCALED.includes(pool.class);
  const running = autoscaled ? Math.min(pool.maxReplicas, Math.max(pool.replicas, least)) : pool.replicas;
  return {
    part: pool.class,
    planned: pool.replicas,
    most: pool.maxReplicas,
    least,
    // One more for the one that is lost, except where a small stack does without.
    recommended: single ? 1 : processesFor(grown(load, GROWTH), pool.class) + (pool.replicas > 1 ? 1 : 0),
    ...used(classCpu(load, pool.class, running), running),
  };
}

const used = ({ cores, measured }: Cpu, given: number): Pick<PartLoad, "cores" | "busy" | "measured"> => ({
  cores,
  busy: given > 0 ? cores / given : 0,
  measured: cores > 0 ? measured / cores : 0,
});

interface Given {
  /** Pods that carry load; standbys do not. */
  working: number;
  cpu: number;
  /** Another would carry a share: more of them help. */
  shares: boolean;
}

/** The services beside Synapse, each with the cores that the plan gives it. */
function services(load: Load, parts: PlanParts): PartLoad[] {
  const { postgres, router, minio, ingress } = parts;
  const count = processesUnder(load, parts.pools);
  const given: Partial<Record<(typeof SERVICES)[number], Given>> = {
    postgres: { working: 1, cpu: postgres.cpu, shares: false },
    pgbouncer: { working: postgres.pooler.replicas, cpu: 1, shares: true },
    redis: { working: 1, cpu: 1, shares: false },
    router: { working: router.replicas, cpu: router.cpu, shares: true },
    ...(minio ? { minio: { working: minio.nodes, cpu: minio.cpu, shares: false } } : {}),
  };
  const rows = SERVICES.flatMap((service) => {
    const pods = given[service];
    return pods ? [serviceLoad(service, pods, (factor) => serviceCpu(grown(load, factor), service, count))] : [];
  });
  const entrances = ingress.addresses.length;
  // One pod of each address works; the others stand by.
  return entrances > 0
    ? [
        ...rows,
        serviceLoad("ingress", { working: entrances, cpu: ingress.cpu, shares: false }, (f) =>
          ingressCpu(grown(load, f)),
        ),
      ]
    : rows;
}

function serviceLoad(part: string, { working, cpu, shares }: Given, cpuAt: (factor: number) => Cpu): PartLoad {
  const pods = (factor: number): number => Math.max(1, Math.ceil(cpuAt(factor).cores / (cpu * UTILISATION) - 1e-9));
  return {
    part,
    planned: working,
    most: working,
    least: shares ? pods(1) : working,
    recommended: shares ? pods(GROWTH) + 1 : working,
    ...used(cpuAt(1), working * cpu),
  };
}
