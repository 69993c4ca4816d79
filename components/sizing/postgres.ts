/** PostgreSQL: instances, resources and postgresql.conf, as CloudNativePG wants it. */
import type { Settings, SettingsError } from "../settings/types";
import { GIB_PER_TB, POSTGRES } from "./anchors";
import { processesUnder } from "./ceiling";
import { RESERVED_CONNECTIONS, connectionsAtMax } from "./connections";
import { ceilTo, cores, interpolate, memoryMiB, round2, step } from "./interpolate";
import { hostsOf } from "./hosts";
import { loadOf, serviceCpu, UTILISATION } from "./load";
import type { Plan, PoolPlan } from "./types";

/** Share of a drive that the volumes may have; the rest is for the file system and its reserved blocks. */
const DRIVE_SHARE = 0.85;
const POOLER_INSTANCES = 3;

/**
 * Standbys that must have a write before it is acknowledged (`W`), such that as many instances as possible may be lost
 * at once. CloudNativePG promotes one only while `R + W > N`, with the reachable standbys `R` of `N = instances - 1`
 * (internal/controller/replicas_quorum.go): after the loss of the primary and `k - 1` standbys that needs `W >= k`. The
 * new primary then has `instances - 1 - k` standbys, and needs `W` of them to write. So W is half of the standbys: one
 * of three instances may be lost, two of five. With `W = 1`, five instances survived no more than three.
 */
export const syncStandbysOf = (instances: number): number => Math.max(1, Math.floor((instances - 1) / 2));

/** What the sizes of PostgreSQL depend on. */
export interface PostgresInput {
  settings: Settings;
  /** Synapse's pools: they decide how many connections there are. */
  pools: PoolPlan[];
  /** max_connections, from budgetConnections. */
  maxConnections: number;
}

/** Sizes and parameters of PostgreSQL and its pooler. */
export function planPostgres({ settings, pools, maxConnections }: PostgresInput): {
  postgres: Plan["postgres"];
  errors: SettingsError[];
  notes: string[];
} {
  const { ccu } = settings;
  const o = settings.overrides.postgres;
  const storage = databaseVolumes(settings);
  const memory = o.memoryMiB ?? memoryMiB(POSTGRES.memoryGiB.row, ccu);
  const atMax = connectionsAtMax(pools);
  const parameters = {
    ...postgresParameters({ settings, memoryMiB: memory, maxConnections, walStorageGiB: storage.walStorageGiB }),
    ...o.parameters,
  };
  const load = loadOf(settings),
    processes = processesUnder(load, pools);
  /** Cores that the activity needs of a service, where they are more than the deployments had. */
  const needed = (service: "postgres" | "pgbouncer"): number =>
    serviceCpu(load, service, processes).cores / UTILISATION;
  const instances = o.instances ?? step(POSTGRES.instances.row, ccu);
  const postgres: Plan["postgres"] = {
    instances,
    syncStandbys: syncStandbysOf(instances),
    cpu: o.cpu ?? Math.max(cores(POSTGRES.cpu.row, ccu), round2(ceilTo(needed("postgres"), 0.05))),
    memoryMiB: memory,
    storageGiB: storage.storageGiB,
    walStorageGiB: storage.walStorageGiB,
    maxConnections,
    connectionsAtMax: atMax,
    parameters,
    pooler: {
      // Each is one thread.
      replicas: o.poolerInstances ?? Math.max(POOLER_INSTANCES, ceilTo(needed("pgbouncer"), 1)),
      // A small override of the server means a small deployment: the pooler follows (measured: 16 MiB suffice idle).
      ...(o.memoryMiB !== undefined
        ? { cpu: Math.min(0.1, o.cpu ?? 0.1), memoryMiB: 64 }
        : {
            cpu: cores([0.1, 0.25, 0.5, 1, 1], ccu),
            memoryMiB: ceilTo(interpolate([0.125, 0.25, 0.5, 0.5, 0.5], ccu) * 1024, 64),
          }),
      // Session pooling multiplexes nothing: each client connection holds a server connection. Every pooler must
      // be able to carry all of them, since one may have to while the others are replaced.
      maxClientConnections: atMax + RESERVED_CONNECTIONS + 100,
      defaultPoolSize: atMax,
    },
  };
  return { postgres, errors: postgresErrors(postgres), notes: storage.notes };
}

const megabytes = (mb: number): string => `${Math.max(1, Math.floor(mb))}MB`;

interface ParameterInput {
  settings: Settings;
  memoryMiB: number;
  maxConnections: number;
  walStorageGiB: number;
}

/** postgresql.conf as the plan has it; `overrides.postgres.parameters` is not applied yet. */
export function postgresParameters({
  settings,
  memoryMiB: memory,
  maxConnections,
  walStorageGiB,
}: ParameterInput): Record<string, string> {
  const { ccu, overrides } = settings;
  const given = overrides.postgres.memoryMiB !== undefined;
  const mb = (row: Parameters<typeof interpolate>[0], factor = 1): number => ceilTo(interpolate(row, ccu) * factor, 1);
  const wal = Math.max(64, Math.floor((walStorageGiB * 1024) / 3));
  return {
    max_connections: String(maxConnections),
    superuser_reserved_connections: "3",
    shared_buffers: megabytes(given ? Math.max(32, memory / 4) : mb(POSTGRES.sharedBuffersGB.row, 1024)),
    effective_cache_size: megabytes(given ? memory * 0.75 : mb(POSTGRES.effectiveCacheGB.row, 1024)),
    work_mem: megabytes(
      given ? Math.min(mb(POSTGRES.workMemMB.row), Math.max(1, memory / 256)) : mb(POSTGRES.workMemMB.row),
    ),
    maintenance_work_mem: megabytes(
      given
        ? Math.min(mb(POSTGRES.maintenanceWorkMemMB.row), Math.max(16, memory / 16))
        : mb(POSTGRES.maintenanceWorkMemMB.row),
    ),
    // NVMe: a random page costs little more than the next one, and many reads may be under way.
    random_page_cost: "1.1",
    effective_io_concurrency: "200",
    // At most a third of the WAL volume, which overrides may make small: the rest is for replicas and archiving that
    // lag behind.
    min_wal_size: megabytes(Math.min(mb(POSTGRES.minWalGB.row, 1024), Math.max(32, wal / 2))),
    max_wal_size: megabytes(Math.min(mb(POSTGRES.maxWalGB.row, 1024), wal)),
    max_slot_wal_keep_size: megabytes(wal * 2),
    checkpoint_timeout: "15min",
    checkpoint_completion_target: "0.9",
    wal_compression: "on",
    // Synapse's tables change everywhere: vacuum early, in small steps.
    autovacuum_vacuum_scale_factor: "0.05",
    autovacuum_analyze_scale_factor: "0.02",
    autovacuum_vacuum_cost_limit: "2000",
    idle_in_transaction_session_timeout: "10min",
    // The operator's default, 5 s, cuts off a standby that only stalls for a moment. While the primary hands over, this
    // standby cannot come back, and is promoted without the primary's last record. The other standby, which has that
    // record, then follows no primary any more, and writes wait (measured 2026-11-21 with a successor that stalled for
    // 8 s: with 5 s they wait, with 20 s all follow 2 s later; scenario handover).
    wal_sender_timeout: "20s",
    // A standby whose primary stands still must not look for another one before Kubernetes has taken that primary out
    // of its Service (40 to 50 s): it would connect to the same machine again, whose kernel answers, and hang there for
    // ever (libpq's asynchronous connect has no time-out). It must not be much later: a promotion waits for the
    // receivers to end.
    wal_receiver_timeout: "45s",
    tcp_keepalives_idle: "10",
    tcp_keepalives_interval: "10",
    tcp_keepalives_count: "3",
    log_min_duration_statement: "1s",
    log_lock_waits: "on",
    "pg_stat_statements.max": "5000",
  };
}

/** Sizes of the two volumes of each instance. Depends on the settings alone. */
export function databaseVolumes(settings: Settings): { storageGiB: number; walStorageGiB: number; notes: string[] } {
  const { ccu } = settings;
  const o = settings.overrides.postgres;
  // Rounded last: data and WAL share a full drive in a fixed ratio, and one GiB of rounding would let either fall as
  // users grow.
  const want = {
    data: interpolate(POSTGRES.storageTB.row, ccu) * GIB_PER_TB,
    wal: interpolate(POSTGRES.walTB.row, ccu) * GIB_PER_TB,
  };
  const whole = (gib: number): number => Math.max(1, Math.floor(gib + 1e-6));
  const hosts = hostsOf(settings, "database");
  const sizes = (use: "database" | "wal"): number[] =>
    hosts.map((h) => h.disks.filter((d) => d.use === use).reduce((s, d) => s + d.sizeGiB, 0)).filter((g) => g > 0);
  const drives = sizes("database");
  const walDrives = sizes("wal");
  const walRoom = walDrives.length > 0 ? Math.floor(Math.min(...walDrives) * DRIVE_SHARE) : Infinity;
  // Only where every host has a disk for WAL, the other one is the data's alone.
  const apart = walDrives.length === hosts.length;
  const room = drives.length > 0 ? Math.floor(Math.min(...drives) * DRIVE_SHARE) : Infinity;
  const share = Math.min(1, room / (want.data + (apart ? 0 : want.wal)));
  const wal = o.walStorageGiB ?? whole(Math.min(walRoom, want.wal * (apart ? 1 : share)));
  const data = o.storageGiB ?? whole(want.data * share);
  return {
    storageGiB: data,
    walStorageGiB: wal,
    notes:
      share < 0.99 && o.storageGiB === undefined
        ? [
            `The database volumes are ${data} + ${wal} GiB: the smallest database host's drives (${Math.min(...drives)} GiB) have no room for the ${whole(want.data)} + ${whole(want.wal)} GiB of this size.`,
          ]
        : [],
  };
}

const UNITS: Record<string, number> = { kB: 1 / 1024, MB: 1, GB: 1024, TB: 1024 * 1024 };
/** PostgreSQL's memory quantity in MiB; without a unit it counts 8 kB pages. Undefined where it is not one. */
export function parseMegabytes(value: string): number | undefined {
  const m = /^\s*(\d+)\s*(kB|MB|GB|TB)?\s*$/.exec(value);
  return m ? Number(m[1]) * (m[2] ? UNITS[m[2]] : 8 / 1024) : undefined;
}

function postgresErrors(p: Plan["postgres"]): SettingsError[] {
  const errors: SettingsError[] = [];
  const buffers = parseMegabytes(p.parameters.shared_buffers);
  if (buffers === undefined) {
    errors.push({
      path: "overrides.postgres.parameters.shared_buffers",
      given: p.parameters.shared_buffers,
      allowed: "a number with kB, MB, GB or TB",
      remedy: "for example 512MB",
    });
  } else if (buffers > p.memoryMiB) {
    errors.push({
      path: "overrides.postgres.parameters.shared_buffers",
      given: `${p.parameters.shared_buffers} with ${p.memoryMiB} MiB of memory`,
      allowed: "less than the pod's memory: the operator refuses it otherwise",
      remedy: `set shared_buffers to ${Math.floor(p.memoryMiB / 4)}MB or memoryMiB to ${Math.ceil(buffers * 3)}`,
    });
  }
  return errors;
}
