/** PostgreSQL's dashboard. Pure. */
import { panel, type Dashboard } from "../../core/monitoring";

export const POSTGRES_DASHBOARDS: Dashboard[] = [
  {
    uid: "matrix-ha-postgres",
    title: "Matrix: PostgreSQL",
    rows: [
      {
        title: "Replication",
        panels: [
          panel("Role (0 primary, 1 standby)", "none", [
            "{{pod}}",
            'cnpg_pg_replication_in_recovery{layer="postgres"}',
          ]),
          panel("Lag", "s", ["{{pod}}", 'cnpg_pg_replication_lag{layer="postgres"}']),
          panel("WAL on disk", "bytes", ["{{pod}}", 'cnpg_collector_pg_wal{layer="postgres", value="size"}']),
        ],
      },
      {
        title: "Load",
        panels: [
          panel("Connections by state", "none", [
            "{{state}}",
            'sum by (state) (cnpg_backends_total{layer="postgres"})',
          ]),
          panel("Transactions", "ops", [
            "{{pod}}",
            'sum by (pod) (rate(cnpg_pg_stat_database_xact_commit{layer="postgres"}[5m]))',
          ]),
          panel("Read from cache", "percentunit", [
            "{{pod}}",
            'sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{layer="postgres"}[5m])) / (sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{layer="postgres"}[5m])) + sum by (pod) (rate(cnpg_pg_stat_database_blks_read{layer="postgres"}[5m])))',
          ]),
          panel("Size", "bytes", ["{{datname}}", 'max by (datname) (cnpg_pg_database_size_bytes{layer="postgres"})']),
          panel("Clients waiting at the pooler", "none", ["{{pod}}", "sum by (pod) (cnpg_pgbouncer_pools_cl_waiting)"]),
        ],
      },
      {
        title: "Backup",
        panels: [
          panel("Age of the last archived WAL", "s", [
            "primary",
            'min(cnpg_pg_stat_archiver_seconds_since_last_archival{layer="postgres"} >= 0)',
          ]),
          panel("Archiving failures", "ops", [
            "{{pod}}",
            'rate(cnpg_pg_stat_archiver_failed_count{layer="postgres"}[5m])',
          ]),
        ],
      },
    ],
  },
];
