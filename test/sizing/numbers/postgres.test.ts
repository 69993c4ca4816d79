/** PostgreSQL: instances, memory, volumes, and its configuration. */
import assert from "node:assert/strict";
import type { HostSettings, Settings } from "../../../components/settings/types";
import { databaseVolumes, parseMegabytes, planPostgres, syncStandbysOf } from "../../../components/sizing/postgres";
import { bare, disks, host, pool } from "./bare";

const POOLS = [
  pool("generic", { maxReplicas: 3, cpMax: 7 }),
  pool("main", { kind: "StatefulSet", replicas: 1, maxReplicas: 1, cpMax: 15 }),
];
const planned = (
  ccu: number,
  o: Partial<Settings["overrides"]["postgres"]> = {},
  change: (s: Settings) => void = () => undefined,
): ReturnType<typeof planPostgres> =>
  planPostgres({
    settings: bare(ccu, (s) => {
      s.overrides.postgres = { parameters: {}, ...o };
      change(s);
    }),
    pools: POOLS,
    maxConnections: 300,
  });

describe("PostgreSQL", () => {
  it("at 1,000 users", () => {
    assert.deepEqual(planned(1_000), {
      postgres: {
        instances: 3,
        syncStandbys: 1,
        cpu: 6,
        memoryMiB: 24_576,
        // 0.7 and 0.15 TB.
        storageGiB: 651,
        walStorageGiB: 139,
        maxConnections: 300,
        // 3 x 7, 15, and main's session that asks whether it still may.
        connectionsAtMax: 37,
        parameters: {
          max_connections: "300",
          superuser_reserved_connections: "3",
          shared_buffers: "8192MB",
          effective_cache_size: "24576MB",
          work_mem: "16MB",
          maintenance_work_mem: "1024MB",
          random_page_cost: "1.1",
          effective_io_concurrency: "200",
          min_wal_size: "2048MB",
          max_wal_size: "8192MB",
          // Two thirds of the WAL volume.
          max_slot_wal_keep_size: "94890MB",
          checkpoint_timeout: "15min",
          checkpoint_completion_target: "0.9",
          wal_compression: "on",
          autovacuum_vacuum_scale_factor: "0.05",
          autovacuum_analyze_scale_factor: "0.02",
          autovacuum_vacuum_cost_limit: "2000",
          idle_in_transaction_session_timeout: "10min",
          // Longer than a standby stalls, see the plan's failures.
          wal_sender_timeout: "20s",
          // Kubernetes takes 40 to 50 s to take a lost primary out of its Service.
          wal_receiver_timeout: "45s",
          tcp_keepalives_idle: "10",
          tcp_keepalives_interval: "10",
          tcp_keepalives_count: "3",
          log_min_duration_statement: "1s",
          log_lock_waits: "on",
          "pg_stat_statements.max": "5000",
        },
        // Each pooler carries every session, the reserve of 10 and 100 more.
        pooler: { replicas: 3, cpu: 0.25, memoryMiB: 256, maxClientConnections: 147, defaultPoolSize: 37 },
      },
      errors: [],
      notes: [],
    });
  });

  it("grows with its users; the pooler's memory stops at half a GiB", () => {
    const { postgres } = planned(20_000);
    assert.deepEqual(
      [postgres.instances, postgres.syncStandbys, postgres.cpu, postgres.memoryMiB, postgres.storageGiB],
      [5, 2, 24, 98_304, 2_607],
    );
    assert.deepEqual([postgres.pooler.cpu, postgres.pooler.memoryMiB], [1, 512]);
    assert.deepEqual([planned(100).postgres.pooler.cpu, planned(100).postgres.pooler.memoryMiB], [0.1, 128]);
  });

  it("has half of its standbys confirm a write: one of three may be lost, two of five", () => {
    assert.deepEqual([1, 2, 3, 4, 5, 7].map(syncStandbysOf), [1, 1, 1, 1, 2, 3]);
  });

  it("takes what overrides give, the parameters last", () => {
    const { postgres } = planned(1_000, {
      instances: 7,
      cpu: 1.5,
      storageGiB: 90,
      walStorageGiB: 9,
      poolerInstances: 4,
      parameters: { work_mem: "5MB", jit: "off" },
    });
    assert.deepEqual(
      [postgres.instances, postgres.syncStandbys, postgres.cpu, postgres.storageGiB, postgres.walStorageGiB],
      [7, 3, 1.5, 90, 9],
    );
    // The pooler follows the server only where its memory is given.
    assert.deepEqual([postgres.pooler.replicas, postgres.pooler.cpu, postgres.pooler.memoryMiB], [4, 0.25, 256]);
    const { work_mem, jit, max_wal_size } = postgres.parameters;
    assert.deepEqual([work_mem, jit, max_wal_size], ["5MB", "off", "3072MB"]);
  });

  it("with given memory takes its caches from that: a quarter, three quarters, and shares with a least and a most", () => {
    const of = (memoryMiB: number): unknown[] => {
      const { parameters: p } = planned(7_500, { memoryMiB }).postgres;
      return [p.shared_buffers, p.effective_cache_size, p.work_mem, p.maintenance_work_mem];
    };
    assert.deepEqual(of(512), ["128MB", "384MB", "2MB", "32MB"]);
    assert.deepEqual(of(100), ["32MB", "75MB", "1MB", "16MB"]);
    // 28 MB and 2 GB are those of 7,500 users.
    assert.deepEqual(of(200_000), ["50000MB", "150000MB", "28MB", "2048MB"]);
    const small = planned(7_500, { memoryMiB: 512, cpu: 0.05 }).postgres.pooler;
    assert.deepEqual([small.cpu, small.memoryMiB], [0.05, 64]);
    const large = planned(7_500, { memoryMiB: 512, cpu: 4 }).postgres.pooler;
    assert.deepEqual([large.cpu, large.memoryMiB], [0.1, 64]);
    assert.equal(planned(7_500, { memoryMiB: 512 }).postgres.pooler.cpu, 0.1);
  });

  it("keeps WAL to a third of its volume, a sixth at least, and two thirds for a standby that lags", () => {
    const of = (ccu: number, walStorageGiB: number): unknown[] => {
      const { parameters: p } = planned(ccu, { walStorageGiB }).postgres;
      return [p.min_wal_size, p.max_wal_size, p.max_slot_wal_keep_size];
    };
    assert.deepEqual(of(1_000, 1), ["170MB", "341MB", "682MB"]);
    assert.deepEqual(of(1_000, 3), ["512MB", "1024MB", "2048MB"]);
    assert.deepEqual(of(1_000, 100), ["2048MB", "8192MB", "68266MB"]);
    // PostgreSQL's segments have 16 MB, and it needs some of them.
    assert.deepEqual(of(1_000, 0), ["32MB", "64MB", "128MB"]);
  });
});

describe("PostgreSQL's volumes", () => {
  const volumes = (
    of: Array<HostSettings["disks"]>,
    o: { storageGiB?: number; walStorageGiB?: number } = {},
  ): ReturnType<typeof databaseVolumes> =>
    databaseVolumes(
      bare(1_000, (s) => {
        s.hosts = [
          host("app", ["application"], { disks: disks("database", 1) }),
          ...of.map((d, i) => host(`db-${i + 1}`, ["database"], { disks: d })),
        ];
        s.overrides.postgres = { parameters: {}, ...o };
      }),
    );
  const note = (have: string, gib: number): string =>
    `The database volumes are ${have} GiB: the smallest database host's drives (${gib} GiB) have no room for the 651 + 139 GiB of this size.`;

  it("are those of the size where no drive is listed, or all are large enough", () => {
    const full = { storageGiB: 651, walStorageGiB: 139, notes: [] };
    assert.deepEqual(volumes([[], []]), full);
    // 791 GiB of 85 %: 931 GiB, a drive of 1 TB.
    assert.deepEqual(volumes([disks("database", 931), disks("database", 2_000)]), full);
    // Several drives count together, and those of hosts that list none are not known.
    assert.deepEqual(volumes([disks("database", 500, 500), []]), full);
  });

  it("share the smallest host's drives otherwise, in the same ratio, with a note", () => {
    assert.deepEqual(volumes([disks("database", 500), disks("database", 2_000)]), {
      storageGiB: 350,
      walStorageGiB: 75,
      notes: [note("350 + 75", 500)],
    });
    // 0.99 of the size is as good as all of it.
    assert.deepEqual(volumes([disks("database", 925)]).notes, []);
    assert.deepEqual(volumes([disks("database", 915)]).notes, [note("639 + 137", 915)]);
    assert.deepEqual(volumes([disks("database", 1)]), { storageGiB: 1, walStorageGiB: 1, notes: [note("1 + 1", 1)] });
  });

  it("of WAL are on disks of their own where there are such", () => {
    const both = [...disks("database", 800), ...disks("wal", 100)];
    // 85 % of 100; the data's volume has its drive alone.
    assert.deepEqual(volumes([both]), { storageGiB: 651, walStorageGiB: 85, notes: [] });
    const small = (wal: number): HostSettings["disks"] => [...disks("database", 700), ...disks("wal", wal)];
    assert.deepEqual(volumes([small(200), small(300)]), {
      storageGiB: 595,
      walStorageGiB: 139,
      notes: [note("595 + 139", 700)],
    });
    // Where one host has none, the data's drive has to carry both.
    assert.deepEqual(volumes([[...disks("database", 700), ...disks("wal", 200)], disks("database", 700)]), {
      storageGiB: 490,
      walStorageGiB: 105,
      notes: [note("490 + 105", 700)],
    });
    assert.equal(
      volumes([[...disks("database", 2_000), ...disks("wal", 100)], disks("database", 2_000)]).walStorageGiB,
      85,
    );
  });

  it("are those that are given", () => {
    assert.deepEqual(volumes([disks("database", 500)], { storageGiB: 33 }), {
      storageGiB: 33,
      walStorageGiB: 75,
      notes: [],
    });
    assert.deepEqual(volumes([disks("database", 500)], { walStorageGiB: 3 }), {
      storageGiB: 350,
      walStorageGiB: 3,
      notes: [note("350 + 3", 500)],
    });
  });
});

describe("shared_buffers", () => {
  it("are read as PostgreSQL reads them; without a unit they count pages of 8 kB", () => {
    assert.deepEqual(
      ["512MB", "4GB", "1TB", "2048kB", " 3 MB ", "128", "12mb", "MB", "1.5GB", "5MBx", "x5MB", ""].map(parseMegabytes),
      [512, 4_096, 1_048_576, 2, 3, 1, undefined, undefined, undefined, undefined, undefined, undefined],
    );
  });

  const errors = (shared_buffers: string): unknown =>
    planned(1_000, { memoryMiB: 1_000, parameters: { shared_buffers } }).errors;

  it("that are no size are refused", () => {
    assert.deepEqual(errors("much"), [
      {
        path: "overrides.postgres.parameters.shared_buffers",
        given: "much",
        allowed: "a number with kB, MB, GB or TB",
        remedy: "for example 512MB",
      },
    ]);
  });

  it("above the pod's memory are refused, with the usual quarter as the remedy", () => {
    assert.deepEqual(errors("1000MB"), []);
    assert.deepEqual(errors("1001MB"), [
      {
        path: "overrides.postgres.parameters.shared_buffers",
        given: "1001MB with 1000 MiB of memory",
        allowed: "less than the pod's memory: the operator refuses it otherwise",
        remedy: "set shared_buffers to 250MB or memoryMiB to 3003",
      },
    ]);
  });
});
