/** What `plan(settings)` computes: every number that the layers use. Pure values. */
import type { HostRole } from "../domain/roles";
import type { Stream, WorkerClass } from "../domain/workerClasses";

/** Number and size of the processes of one class. */
export interface PoolPlan {
  class: WorkerClass;
  /**
   * StatefulSet where peers must find a pod by name or Synapse allows no second one; Deployment (with autoscaler)
   * elsewhere.
   */
  kind: "StatefulSet" | "Deployment";
  /** Processes to start with. */
  replicas: number;
  /** Most processes that the autoscaler makes; equals `replicas` where nothing scales. */
  maxReplicas: number;
  /** Requested cores of each process. */
  cpu: number;
  /** Requested memory of each process. */
  memoryMiB: number;
  /** Database connections that each process opens at its start and keeps (`cp_min`). */
  cpMin: number;
  /** Most database connections of each process (`cp_max`). */
  cpMax: number;
  /** Upper bound of the seconds until a lost process serves again; absent where others take over at once. */
  recoverySeconds?: number;
}

/** Equal pods. */
export interface Sized {
  replicas: number;
  /** Requested cores of each. */
  cpu: number;
  /** Requested memory of each. */
  memoryMiB: number;
}

/** Machines to provide for one role. */
export interface NodePlan {
  role: HostRole;
  /** Recommended: as many as the deployments had that were run. */
  count: number;
  /**
   * Fewest of this size with which everything that these settings plan fits, with one of them lost and every autoscaler
   * at its maximum.
   */
  least: number;
  /** Cores of each. */
  cpu: number;
  memoryGiB: number;
  /** Drives of each, in all. */
  diskGiB: number;
}

/** Requests and room of one role's hosts, as sums. */
export interface RoleFit {
  role: HostRole;
  /** Number of hosts with the role. */
  hosts: number;
  /** Cores that the role's pods request with every autoscaler at its maximum. */
  requestedCpu: number;
  /** Memory that they request. */
  requestedMemoryGiB: number;
  /** Allocatable cores with the role's largest host lost, less the shares of other roles on these hosts. */
  availableCpu: number;
  /** The same for memory. */
  availableMemoryGiB: number;
}

/** What one failure costs. */
export interface FailureCost {
  /** What fails. @example "Synapse main: process" */
  failure: string;
  /** What users notice meanwhile. */
  effect: string;
  /** Upper bound of the seconds to full service; 0 where others take over at once. */
  seconds: number;
  /** Where the seconds come from. @example "measured" */
  source: string;
  /** It lasts until what was lost is back, and `seconds` says nothing. @default false */
  untilBack?: boolean;
}

/** What the loss of a zone costs one part of the stack. */
export interface ZoneEffect {
  /** Name for people. @example "PostgreSQL" */
  part: string;
  /**
   * Whether users notice nothing, whether it serves again after `seconds` without the zone, or whether it stands until
   * the zone is back.
   */
  outcome: "goes on" | "recovers" | "stops";
  /** What users notice. */
  effect: string;
  /** Upper bound of the seconds until it serves; 0 where it goes on, and where it stops. */
  seconds: number;
  /** Where this comes from. */
  source: string;
  /** What would keep it from stopping, as an instruction. */
  remedy?: string;
}

/** What the loss of one zone costs. */
export interface ZonePlan {
  /** Name of the zone. */
  zone: string;
  /** Number of its hosts. */
  hosts: number;
  effects: ZoneEffect[];
}

/** The most messages a second, and what sets it. */
export interface Ceiling {
  messagesPerSecond: number;
  /** What the peak uses of it. */
  share: number;
  /** The nearest first. */
  limits: Array<{ name: string; messagesPerSecond: number; remedy: string }>;
}

/** The CPU of one part at the peak, and the processes that carry it. */
export interface PartLoad {
  /** A class of Synapse, or a service. */
  part: string;
  /** Processes that are planned. */
  planned: number;
  /** Most of them, where an autoscaler adds some. */
  most: number;
  /** Fewest that carry the peak. */
  least: number;
  /** Those for 30 % more, with one of them lost where there may be several. */
  recommended: number;
  /** Cores that they use at the peak, together. */
  cores: number;
  /** Share of the cores that the plan gives them. */
  busy: number;
  /** Share of `cores` that follows from measured figures; the rest from decided upper bounds. */
  measured: number;
}

/** What the people do, and what it takes. */
export interface LoadPlan {
  profile: string;
  /** Messages a second in the busiest minute. */
  messagesPerSecond: number;
  messagesPerUserHour: number;
  peakFactor: number;
  recipientsOnline: number;
  ceiling: Ceiling;
  parts: PartLoad[];
  /** At the peak. */
  walMiBPerSecond: number;
  /** Hours of such a peak until the WAL volume is full while archiving stands still. */
  walHours: number;
}

/** Every number of a stack. */
export interface Plan {
  /** Concurrent users that it is made for. */
  ccu: number;
  /** Whether `ccu` is beyond 20,000: nothing was measured there, and the numbers continue the last slope. */
  extrapolated: boolean;
  /** What operators should know of it. */
  notes: string[];
  /** Machines to provide, per role, at this number of users. */
  nodes: NodePlan[];
  /** Requests and room of the hosts in the settings, per role. */
  fit: RoleFit[];
  failures: FailureCost[];
  /** What the loss of each zone costs, part by part; empty where the hosts are not in several zones. */
  zones: ZonePlan[];
  load: LoadPlan;
  synapse: {
    /** The classes that this deployment has, in the order of the table (domain/workers.ts). */
    pools: PoolPlan[];
    /** Which class writes each stream. */
    streamWriters: Record<Stream, WorkerClass>;
    /** `event_cache_size`, events. @example "10K" */
    eventCacheSize: string;
    /** `caches.global_factor`. */
    globalCacheFactor: number;
    /** Events per second that it is made for, in all. */
    messagesPerSecond: number;
    /** `rc_message`, per user: `per_second` and `burst_count`. */
    rateLimits: { messagesPerSecond: number; messagesBurst: number };
  };
  postgres: {
    /** Primary and standbys. */
    instances: number;
    /** Standbys that must have a write before it is acknowledged. */
    syncStandbys: number;
    /** Requested cores of each instance. */
    cpu: number;
    /** Requested memory of each instance. */
    memoryMiB: number;
    /** Data volume of each instance. */
    storageGiB: number;
    /** WAL volume of each instance. */
    walStorageGiB: number;
    /** `max_connections`. */
    maxConnections: number;
    /** Sum over all pools at their autoscaling maximum of cpMax. */
    connectionsAtMax: number;
    /** postgresql.conf, values as CNPG wants them (strings). */
    parameters: Record<string, string>;
    /** PgBouncer: connections that each pod accepts, and those that it opens to the server. */
    pooler: Sized & { maxClientConnections: number; defaultPoolSize: number };
  };
  /** The database's archive, a year after the start. Absent when backups are off. */
  backups?: {
    /** Whether it is in MinIO on the stack's own hosts, beside the media. */
    onSite: boolean;
    /** Base backups that are kept at a time. */
    bases: number;
    /** Archived WAL a day, compressed. */
    walGiBPerDay: number;
    /** Size of the database, at most that of its volume. */
    databaseGiB: number;
    /** Room in the store: base backups and WAL, compressed, with what a store of our own keeps after their deletion. */
    storeGiB: number;
    /** The same after each of the first 24 months. */
    storeGiBByMonth: number[];
    /** Copy of a base backup, and replay of the WAL since. */
    restoreSeconds: number;
    /** WAL files that are compressed and sent at a time. */
    walParallel: number;
    /** Processes that compress and send a base backup. */
    baseJobs: number;
  };
  /**
   * Each of the two deployments: instances with a Sentinel each, Sentinels that must agree on a failover, requests of
   * each instance, `maxmemory`, and the proxy in front.
   */
  redis: { instances: number; quorum: number; memoryMiB: number; maxmemoryMiB: number; cpu: number; proxy: Sized };
  /** Absent when media are in an external S3. */
  minio?: {
    /** Pods: the sum of `pools`. */
    nodes: number;
    /** Nodes of each server pool, oldest first. A pool never changes: growth appends. */
    pools: number[];
    /** Drives of each pod. */
    drivesPerNode: number;
    /** Size of each drive. */
    driveGiB: number;
    /** Drives of each erasure set that may be lost. */
    parity: number;
    /** What may be lost while it can be read and written: a node, or every node of a zone. */
    survives: "host" | "zone";
    /** Drives of each erasure set. */
    erasureSetDrives: number;
    /** Space for data, without parity. */
    usableGiB: number;
    /** Expected growth of the media in the first year. */
    growthGiBPerYear: number;
    /** Requested cores of each pod. */
    cpu: number;
    /** Requested memory of each pod. */
    memoryMiB: number;
  };
  /** HAProxy; `maxConnections` of each pod, on both sides together. */
  router: Sized & { maxConnections: number };
  /**
   * The ingress controller. Without addresses: it is not this stack's. `workers`, `workerConnections` and `openFiles`
   * of each pod; the connections are those that one pod holds.
   */
  ingress: Sized & {
    /** Addresses of each entrance, of each IP family one. An entrance has a Service and pods of its own. */
    addresses: string[][];
    /** Pods of each entrance; `replicas` is the sum. */
    replicasEach: number;
    /** Whether the hosts suffice to forbid two of all these pods on one. */
    hostsApart: boolean;
    /** Users at each entrance, on average. */
    usersEach: number;
    /** Connections of clients that one pod holds. */
    clientConnections: number;
    /** Requests that wait for an answer, each with a connection to the router. */
    proxiedConnections: number;
    /** `worker_processes`. */
    workers: number;
    /** `worker_connections`. */
    workerConnections: number;
    /** `worker_rlimit_nofile`. */
    openFiles: number;
  };
  /** coturn, one pod on each of `nodes` hosts; `allocations` in all. Absent when TURN is off. */
  turn?: { nodes: number; cpu: number; memoryMiB: number; allocations: number; minPort: number; maxPort: number };
  /** LiveKit, one pod on each of `nodes` hosts, and lk-jwt-service; `usersInCalls` in all. Absent when RTC is off. */
  rtc?: { nodes: number; cpu: number; memoryMiB: number; usersInCalls: number; jwt: Sized };
  /** Pods that serve static pages. */
  web: { elementWeb: Sized; admin: Sized; wellKnown: Sized };
  /** Absent when monitoring is off. `storageGiB` of each Prometheus. */
  monitoring?: { prometheus: Sized & { storageGiB: number }; alertmanager: Sized; exporters: Sized };
}

/** The parts of a plan that need room on the hosts. */
export type PlanParts = Pick<
  Plan,
  "postgres" | "redis" | "minio" | "router" | "ingress" | "turn" | "rtc" | "web" | "monitoring"
> & { pools: PoolPlan[] };
