/** What `plan(settings)` computes: every number that the layers use. Pure values. */
import type { HostRole } from "../domain/roles";
import type { Stream, WorkerClass } from "../domain/workerClasses";

export interface PoolPlan {
  class: WorkerClass;
  /**
   * StatefulSet where peers must find a pod by name or Synapse allows no second one; Deployment (with autoscaler)
   * elsewhere.
   */
  kind: "StatefulSet" | "Deployment";
  replicas: number;
  /** Autoscaling bound; equals `replicas` where nothing scales. */
  maxReplicas: number;
  /** Requested cores. */
  cpu: number;
  memoryMiB: number;
  /** Database connection pool of each process. */
  cpMin: number;
  cpMax: number;
  /** Seconds to be serving again when the process is lost and nothing takes over; absent where others take over. */
  recoverySeconds?: number;
}

export interface Sized {
  replicas: number;
  cpu: number;
  memoryMiB: number;
}

export interface NodePlan {
  role: HostRole;
  count: number;
  cpu: number;
  memoryGiB: number;
  diskGiB: number;
}

/** One machine-carried role combination as given in the settings, with what lands on it. */
export interface RoleFit {
  role: HostRole;
  hosts: number;
  requestedCpu: number;
  requestedMemoryGiB: number;
  /** Allocatable with the largest host of the role lost, shares of other roles taken off. */
  availableCpu: number;
  availableMemoryGiB: number;
}

export interface FailureCost {
  failure: string;
  effect: string;
  /** Seconds to full service; a bound from measurements (origin in `source`). */
  seconds: number;
  source: string;
}

export interface Plan {
  ccu: number;
  /** Beyond 20,000 nothing was measured: numbers are the last slope continued. */
  extrapolated: boolean;
  notes: string[];
  /** Machines to provide, per role, at this number of users. */
  nodes: NodePlan[];
  fit: RoleFit[];
  failures: FailureCost[];
  synapse: {
    pools: PoolPlan[];
    /** Which class writes each stream. */
    streamWriters: Record<Stream, WorkerClass>;
    eventCacheSize: string;
    globalCacheFactor: number;
    messagesPerSecond: number;
    rateLimits: { messagesPerSecond: number; messagesBurst: number };
  };
  postgres: {
    instances: number;
    cpu: number;
    memoryMiB: number;
    storageGiB: number;
    walStorageGiB: number;
    maxConnections: number;
    /** Sum over all pools at their autoscaling maximum of cpMax. */
    connectionsAtMax: number;
    /** postgresql.conf, values as CNPG wants them (strings). */
    parameters: Record<string, string>;
    pooler: Sized & { maxClientConnections: number; defaultPoolSize: number };
  };
  redis: { instances: number; quorum: number; memoryMiB: number; maxmemoryMiB: number; cpu: number; proxy: Sized };
  /** Absent when media live in an external S3. */
  minio?: {
    /** Pods: the sum of `pools`. */
    nodes: number;
    /** Nodes of each server pool, oldest first. A pool never changes: growth appends. */
    pools: number[];
    drivesPerNode: number;
    driveGiB: number;
    parity: number;
    erasureSetDrives: number;
    usableGiB: number;
    growthGiBPerYear: number;
    cpu: number;
    memoryMiB: number;
  };
  router: Sized & { maxConnections: number };
  ingress: Sized;
  turn?: { nodes: number; cpu: number; memoryMiB: number; allocations: number; minPort: number; maxPort: number };
  rtc?: { nodes: number; cpu: number; memoryMiB: number; usersInCalls: number; jwt: Sized };
  web: { elementWeb: Sized; admin: Sized; wellKnown: Sized };
  monitoring?: { prometheus: Sized & { storageGiB: number }; alertmanager: Sized; exporters: Sized };
}

/** The parts of a plan that ask for room on the hosts. */
export type PlanParts = Pick<
  Plan,
  "postgres" | "redis" | "minio" | "router" | "ingress" | "turn" | "rtc" | "web" | "monitoring"
> & { pools: PoolPlan[] };
