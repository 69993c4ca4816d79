/**
 * The anchor points of the sizing: the values of deployments that were run at 100, 1,000, 5,000, 10,000 and 20,000
 * concurrent users. The anchors of Synapse's processes are with the classes (domain/workers.ts). `run` and `decision`
 * say where a row comes from (domain/anchors.ts).
 * Rows never fall from left to right (test/sizing proves it), so neither does a plan.
 */
import { decision, run, type Anchor } from "../domain/anchors";
import type { HostRole } from "../domain/roles";

/** Decimal terabytes, as drives are sold, in GiB. */
export const GIB_PER_TB = 1e12 / 2 ** 30;

/** Machines of one role. */
export interface MachineAnchor {
  /** Number of machines. */
  count: Anchor;
  /** Cores of each, vCPU. */
  cpu: Anchor;
  memoryGiB: Anchor;
  /** Drive of each, decimal terabytes. */
  diskTB: Anchor;
}

/** Machines by role. */
export const MACHINES: Record<HostRole, MachineAnchor> = {
  "control-plane": {
    count: run("machines", 3, 3, 3, 3, 3),
    cpu: run("vCPU", 4, 4, 8, 8, 8),
    memoryGiB: run("GB", 8, 8, 16, 16, 16),
    diskTB: decision("etcd and system, no user data", "TB", 0.1, 0.1, 0.1, 0.1, 0.1),
  },
  application: {
    count: run("machines", 3, 5, 8, 12, 21),
    cpu: run("vCPU", 8, 16, 16, 32, 32),
    memoryGiB: run("GB", 16, 32, 64, 128, 128),
    diskTB: decision("system, images, Redis, Prometheus and the bounded media caches", "TB", 0.25, 0.25, 0.5, 0.5, 0.5),
  },
  database: {
    count: run("machines (NVMe)", 3, 3, 3, 3, 5),
    cpu: run("vCPU", 4, 8, 16, 32, 32),
    memoryGiB: run("GB", 16, 32, 64, 128, 128),
    diskTB: run("TB", 0.5, 1, 2, 4, 4),
  },
  storage: {
    count: run("machines", 4, 4, 4, 8, 12),
    cpu: run("vCPU", 4, 8, 16, 16, 16),
    memoryGiB: run("GB", 8, 16, 32, 32, 32),
    diskTB: run("TB", 1, 2, 4, 4, 4),
  },
  call: {
    count: run("machines (TURN + SFU)", 2, 4, 6, 8, 10),
    cpu: run("vCPU", 4, 8, 16, 16, 16),
    memoryGiB: run("GB", 8, 16, 32, 32, 32),
    diskTB: decision("system and logs only", "TB", 0.1, 0.1, 0.1, 0.1, 0.1),
  },
};

/** Synapse as a whole: load, caches, rate limits. */
export const SYNAPSE = {
  messagesPerSecond: run("events/s", 10, 50, 200, 400, 800),
  eventCacheThousands: run("K events", 5, 10, 20, 30, 50),
  globalCacheFactor: run("factor", 0.5, 1, 2, 3, 4),
  rateMessagesPerSecond: run("rc_message.per_second", 5, 10, 15, 20, 25),
  rateMessagesBurst: run("rc_message.burst_count", 25, 50, 75, 100, 150),
};

/** PostgreSQL: resources of each instance, and its parameters. */
export const POSTGRES = {
  instances: run("instances", 3, 3, 3, 3, 5),
  maxConnections: run("connections", 200, 300, 400, 500, 600),
  sharedBuffersGB: run("GB", 4, 8, 16, 32, 32),
  effectiveCacheGB: run("GB", 12, 24, 48, 96, 96),
  /** Three quarters of the database machines above: the rest is the system's and the page cache's. */
  cpu: decision("3/4 of the machine", "vCPU", 3, 6, 12, 24, 24),
  memoryGiB: decision("3/4 of the machine", "GB", 12, 24, 48, 96, 96),
  storageTB: decision("70 % of the drive, room for a base backup's WAL and for growth", "TB", 0.35, 0.7, 1.4, 2.8, 2.8),
  walTB: decision(
    "15 % of the drive: an hour of WAL at the message rate, while archiving stands still",
    "TB",
    0.075,
    0.15,
    0.3,
    0.6,
    0.6,
  ),
  workMemMB: decision("connections x work_mem stays below a quarter of the pod's memory", "MB", 8, 16, 24, 32, 32),
  maintenanceWorkMemMB: decision(
    "1/16 of the shared buffers' machine, at most 2 GB",
    "MB",
    512,
    1024,
    2048,
    2048,
    2048,
  ),
  minWalGB: decision("keeps files for reuse", "GB", 1, 2, 2, 4, 4),
  maxWalGB: decision("checkpoints by time, not by volume", "GB", 4, 8, 16, 32, 32),
};

/** Backups of the database: the order of magnitude, before there are any. The alerts watch what is really archived. */
export const BACKUPS = {
  /**
   * Mean over the day as a share of the rate that the stack is made for. Decision: about 200 events a day for each
   * concurrent user, who stands for several registered ones.
   */
  meanShare: 0.05,
  /** Compressed size, as a share. Estimates: WAL holds compressed page images already (wal_compression). */
  walRatio: 0.4,
  baseRatio: 0.4,
  /** MiB of the database a second when a base backup is restored: one process unpacks it. Estimate. */
  restoreMiBPerSecond: 100,
  /** MiB of WAL a second that a recovering server, which is one process, replays. Estimate. */
  replayMiBPerSecond: 30,
  walParallel: decision("keeps up with bursts after an outage of the store", "processes", 2, 2, 4, 8, 8),
  baseJobs: decision("half of the instance's cores, at most 8", "processes", 2, 2, 4, 8, 8),
};

/** Redis: each of the two deployments has this size. */
export const REDIS = {
  instances: run("instances with Sentinel", 3, 3, 3, 5, 5),
  memoryGiB: run("Gi", 1, 2, 4, 4, 8),
  cpu: decision("one thread serves everything", "vCPU", 0.15, 0.5, 0.5, 1, 1),
};

/** MinIO: space in all, resources of each pod. */
export const MINIO = {
  usableTB: run("TB", 1, 2, 4, 8, 12),
  growthTBPerYear: run("TB in year 1", 0.2, 2, 10, 20, 40),
  cpu: decision("half of the storage machine", "vCPU", 2, 4, 8, 8, 8),
  memoryGiB: decision("half of the storage machine, the rest is its page cache", "GB", 4, 8, 16, 16, 16),
};

/** coturn and LiveKit: resources of each where it has a machine of its own, and the calls in all. */
export const CALLS = {
  livekitCpu: run("vCPU", 4, 8, 16, 16, 16),
  livekitGiB: run("GB", 8, 16, 16, 16, 16),
  coturnCpu: run("vCPU", 4, 8, 16, 16, 16),
  coturnGiB: run("GB", 4, 8, 16, 16, 16),
  allocations: run("TURN allocations", 60, 600, 3_000, 6_000, 12_000),
  usersInCalls: run("users", 10, 100, 500, 1_000, 2_000),
};

/** Ingress, router and monitoring: resources of each pod. */
export const FRONT = {
  ingressReplicas: run("replicas", 2, 2, 3, 5, 7),
  ingressCpu: decision("TLS", "vCPU", 0.25, 0.5, 1, 1, 1),
  ingressGiB: decision("buffers of open connections", "GB", 0.25, 0.5, 1, 1, 1),
  routerReplicas: decision("one more than the load needs", "replicas", 2, 2, 3, 3, 4),
  routerCpu: decision("HTTP/1.1 in and out, hashing", "vCPU", 0.25, 0.5, 1, 1.5, 2),
  routerGiB: decision("17 kB a connection and its buffers", "GB", 0.25, 0.5, 1, 1.5, 2),
  prometheusCpu: decision("rule evaluation and compaction", "vCPU", 0.1, 0.5, 1, 2, 2),
  prometheusGiB: decision("8 kB a series, Synapse has about 8,000 a process", "GB", 1, 3, 6, 8, 12),
  prometheusStorageGiBPerDay: decision("2 bytes a sample, every 30 s", "GiB a day", 1, 1.5, 2.5, 3.5, 5),
};
