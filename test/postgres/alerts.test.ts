/** When each of PostgreSQL's alerts fires, what it says, and that its page in the runbook says what to do. */
import assert from "node:assert/strict";
import { postgresAlerts } from "../../components/layers/postgres/alerts";
import type { AlertRule } from "../../components/core/monitoring";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { planned } from "./planned";

/** A volume of 100 GiB of WAL, so that shares of it are easy to read. */
const alerts = (change: (s: Settings, p: Plan) => void = () => undefined) =>
  postgresAlerts(
    planned((s, p) => {
      p.postgres.walStorageGiB = 100;
      change(s, p);
    }),
  );
const rule = (name: string, change?: (s: Settings, p: Plan) => void): AlertRule => {
  const found = alerts(change).rules.find((r) => r.alert === name);
  assert.ok(found, `no alert ${name}`);
  return found;
};
const fiveInstances = (_: Settings, { postgres }: Plan): void => {
  Object.assign(postgres, { instances: 5, syncStandbys: 2 });
};

type Row = [alert: string, severity: string, after: string, expr: string, summary: string];
const ALERTS: Row[] = [
  [
    "PostgresNoPrimary",
    "critical",
    "1m", // a failover takes at most 32 s
    '(count(cnpg_pg_replication_in_recovery{layer="postgres"} == 0) or vector(0)) < 1',
    "PostgreSQL has no primary: nothing can be written",
  ],
  [
    "PostgresTwoPrimaries",
    "critical",
    "30s",
    'count(cnpg_pg_replication_in_recovery{layer="postgres"} == 0) > 1',
    "{{ $value }} PostgreSQL instances believe that they are primary",
  ],
  [
    "PostgresInstanceDown",
    "warning",
    "3m",
    '(count(cnpg_collector_up{layer="postgres"} == 1) or vector(0)) < 3',
    "Fewer than 3 PostgreSQL instances answer ({{ $value }})",
  ],
  [
    "PostgresNoSyncStandby",
    "critical",
    "1m",
    'max(cnpg_pg_replication_streaming_replicas{layer="postgres"}) < 1',
    "No standby follows the primary: commits wait",
  ],
  [
    "PostgresStandbyNotStreaming",
    "warning",
    "5m",
    'max(cnpg_pg_replication_streaming_replicas{layer="postgres"}) < 2',
    "Only {{ $value }} of 2 standbys follow the primary",
  ],
  [
    "PostgresReplicationLag",
    "warning",
    "5m",
    'max by (pod) (cnpg_pg_replication_lag{layer="postgres"}) > 30',
    "{{ $labels.pod }} is {{ $value | humanizeDuration }} behind",
  ],
  [
    "PostgresFailover",
    "info",
    "0m",
    '(cnpg_pg_replication_in_recovery{layer="postgres"} == 0) and (cnpg_pg_replication_in_recovery{layer="postgres"} offset 10m == 1)',
    "{{ $labels.pod }} became primary within the last ten minutes",
  ],
  [
    "PostgresConnectionsHigh",
    "warning",
    "5m",
    'sum by (pod) (cnpg_backends_total{layer="postgres"}) > 255', // 85 % of 300
    "{{ $labels.pod }} has {{ $value }} of 300 connections in use",
  ],
  [
    "PoolerDown",
    "warning",
    "2m",
    '(count(up{layer="pooler"} == 1) or vector(0)) < 3',
    "Fewer than 3 PgBouncer pods answer ({{ $value }})",
  ],
  [
    "PoolerClientsWaiting",
    "warning",
    "2m",
    "max by (pod) (cnpg_pgbouncer_pools_cl_waiting) > 0",
    "{{ $value }} clients wait for a database connection at {{ $labels.pod }}",
  ],
  [
    "PostgresLongTransaction",
    "warning",
    "5m",
    // Half an hour; backups and standbys are meant to take long.
    'max by (pod, application_name) (cnpg_backends_max_tx_duration_seconds{layer="postgres", application_name!~".*(backup|walreceiver|wal).*"}) > 1800',
    "A transaction of {{ $labels.application_name }} has been open for {{ $value | humanizeDuration }}",
  ],
  [
    "PostgresTransactionIdAge",
    "warning",
    "1h",
    'max by (datname) (cnpg_pg_database_xid_age{layer="postgres"}) > 1000000000', // half of what stops writes
    "Transaction ids of {{ $labels.datname }} are {{ $value | humanize }} old",
  ],
  [
    "PostgresWalVolumeHalfFull",
    "warning",
    "10m",
    'max by (pod) (cnpg_collector_pg_wal{layer="postgres", value="size"}) > 53687091200', // 50 GiB
    "WAL of {{ $labels.pod }} takes {{ $value | humanize1024 }}B, over half of its volume",
  ],
  [
    "PostgresWalVolumeFilling",
    "critical",
    "5m",
    'max by (pod) (cnpg_collector_pg_wal{layer="postgres", value="size"}) > 85899345920', // 80 GiB
    "WAL of {{ $labels.pod }} takes {{ $value | humanize1024 }}B, over 80 % of its volume",
  ],
  [
    "PostgresWalArchiveBehind",
    "warning",
    "15m",
    'max by (pod) (cnpg_collector_pg_wal_archive_status{layer="postgres", value="ready"}) > 640', // 10 GiB
    "{{ $value }} WAL files of {{ $labels.pod }} wait for the archive",
  ],
  [
    "PostgresWalArchivingFailing",
    "critical",
    "10m",
    'max(cnpg_pg_stat_archiver_last_failed_time{layer="postgres"}) > max(cnpg_pg_stat_archiver_last_archived_time{layer="postgres"})',
    "The last attempt to archive WAL failed",
  ],
  [
    "PostgresBackupTooOld",
    "critical",
    "15m",
    'time() - max({__name__=~"cnpg_collector_last_available_backup_timestamp|barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", layer="postgres"}) > 93600', // 26 h
    "The newest base backup is {{ $value | humanizeDuration }} old",
  ],
];

describe("PostgreSQL's alerts", () => {
  it("are one group", () => {
    const { name, title, rules } = alerts();
    assert.deepEqual([name, title], ["postgres", "PostgreSQL"]);
    assert.deepEqual(
      rules.map((r) => r.alert),
      ALERTS.map(([alert]) => alert),
    );
  });

  for (const [alert, ...row] of ALERTS)
    it(`${alert} fires and says exactly this`, () => {
      const r = rule(alert);
      assert.deepEqual([r.severity, r.for, r.expr, r.summary], row);
    });

  it("say in whole sentences what they mean and what to do, and name where to look", () => {
    for (const { alert, meaning, look, act } of alerts(fiveInstances).rules) {
      assert.match(meaning, /^[A-Z\d].{20,}\.$/s, alert);
      assert.ok(look.length > 0 && act.length > 0, alert);
      for (const place of look) assert.match(place, /\S{3}/, alert);
      for (const step of act) assert.match(step, /^[A-Z].{20,}\.$/s, alert);
    }
  });

  it("begin at the operator's own view wherever the state of the cluster decides", () => {
    assert.deepEqual(
      alerts()
        .rules.filter((r) => r.look[0] === "kubectl cnpg status synapse-postgres -n matrix")
        .map((r) => r.alert),
      [
        "PostgresNoPrimary",
        "PostgresTwoPrimaries",
        "PostgresInstanceDown",
        "PostgresNoSyncStandby",
        "PostgresStandbyNotStreaming",
        "PostgresWalArchiveBehind",
        "PostgresWalArchivingFailing",
      ],
    );
  });

  it("count the instances and the confirmations of the plan", () => {
    const down = rule("PostgresInstanceDown", fiveInstances);
    assert.match(down.expr, /< 5$/);
    assert.equal(down.summary, "Fewer than 5 PostgreSQL instances answer ({{ $value }})");
    assert.match(down.meaning, /as long as 2 standbys confirm them/);
    assert.match(rule("PostgresInstanceDown").meaning, /as long as one standby confirms them/);

    const quorum = rule("PostgresNoSyncStandby", fiveInstances);
    assert.match(quorum.expr, /< 2$/);
    assert.equal(quorum.summary, "Only {{ $value }} standbys follow the primary, and 2 must: commits wait");
    assert.equal(
      quorum.meaning,
      "2 standbys must confirm every commit (`dataDurability: required`). With fewer, writes wait, and no acknowledged write can be lost.",
    );
    assert.match(rule("PostgresNoSyncStandby").meaning, /^One standby must confirm every commit.*Without any, writes/);

    const streaming = rule("PostgresStandbyNotStreaming", fiveInstances);
    assert.match(streaming.expr, /< 4$/);
    assert.equal(streaming.summary, "Only {{ $value }} of 4 standbys follow the primary");
  });

  it("do not warn of one standby fewer where the loss of the only one is critical already", () => {
    const names = (instances: number): string[] =>
      alerts((_, { postgres }) => {
        postgres.instances = instances;
      }).rules.map((r) => r.alert);
    assert.ok(!names(2).includes("PostgresStandbyNotStreaming"));
    assert.ok(names(3).includes("PostgresStandbyNotStreaming"));
  });

  it("take connections, volumes and poolers from the plan", () => {
    const larger = (_: Settings, { postgres }: Plan): void => {
      postgres.maxConnections = 1001;
      postgres.walStorageGiB = 7;
      postgres.pooler.replicas = 4;
    };
    const connections = rule("PostgresConnectionsHigh", larger);
    assert.match(connections.expr, /> 850$/); // 850.85, rounded down
    assert.match(connections.summary, /of 1001 connections/);
    assert.match(connections.meaning, /85 % of max_connections \(1001\)/);
    assert.match(rule("PoolerDown", larger).expr, /< 4$/);
    assert.match(rule("PostgresWalVolumeHalfFull", larger).expr, /> 3758096384$/); // 3.5 GiB
    assert.match(rule("PostgresWalVolumeHalfFull", larger).meaning, /a third of the volume \(7 GiB\)/);
    assert.match(rule("PostgresWalVolumeFilling", larger).expr, /> 6012954214$/); // 5.6 GiB, rounded down
    assert.match(rule("PostgresWalVolumeFilling", larger).meaning, /When the volume \(7 GiB\) is full/);
  });

  it("let a tenth of the WAL volume wait for the archive, and 16 files in any case", () => {
    const waiting = (walStorageGiB: number): AlertRule =>
      rule("PostgresWalArchiveBehind", (_, { postgres }) => {
        postgres.walStorageGiB = walStorageGiB;
      });
    // 64 files of 16 MiB in each GiB.
    for (const [gib, files] of [
      [1, 16],
      [2, 16],
      [3, 19],
      [10, 64],
    ] as const) {
      assert.match(waiting(gib).expr, new RegExp(`> ${files}$`));
      assert.match(waiting(gib).meaning, new RegExp(`: ${files} files are a tenth`));
    }
  });

  it("on backups follow their schedule", () => {
    const weekly = rule("PostgresBackupTooOld", ({ backups }) => {
      backups.schedule = "0 0 3 * * 0";
    });
    assert.match(weekly.expr, /> 691200$/); // eight days
    assert.match(weekly.meaning, /^Base backups are scheduled \(`0 0 3 \* \* 0`\); the newest is older than 192 h\./);
    assert.match(rule("PostgresBackupTooOld").meaning, /older than 26 h/);
  });

  it("are silent about backups where there are none", () => {
    assert.deepEqual(
      alerts(({ backups }) => {
        backups.enabled = false;
      }).rules.map((r) => r.alert),
      ALERTS.map(([alert]) => alert).slice(0, -3),
    );
  });

  it("name in commands what is deployed", () => {
    assert.deepEqual(rule("PostgresNoPrimary").look.slice(1), [
      "kubectl get pods -n matrix -l cnpg.io/cluster=synapse-postgres -o wide",
      "kubectl logs -n cnpg-system deploy/cnpg-controller-manager --since=10m",
    ]);
    assert.match(rule("PostgresTwoPrimaries").act[0]!, /kubectl cnpg fencing on synapse-postgres <instance> -n matrix/);
    assert.equal(
      rule("PostgresInstanceDown").look[1],
      "kubectl describe pod -n matrix -l cnpg.io/cluster=synapse-postgres",
    );
    assert.deepEqual(rule("PoolerDown").look, [
      "kubectl get pods -n matrix -l cnpg.io/poolerName=synapse-postgres-pooler-rw -o wide",
    ]);
    assert.match(rule("PostgresBackupTooOld").act[0]!, /kubectl cnpg backup synapse-postgres -n matrix/);
  });
});
