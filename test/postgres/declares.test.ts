/** What the layer declares to the rest of the stack: hosts, targets, images, secrets, exceptions, dashboards. */
import assert from "node:assert/strict";
import { postgres } from "../../components/layers/postgres/layer";
import { POSTGRES_DASHBOARDS } from "../../components/layers/postgres/dashboards";
import type { Settings } from "../../components/settings/types";
import { planned } from "./planned";

describe("the layer of the database", () => {
  it("needs three database hosts, and one for each instance that the settings ask for", () => {
    const [need, ...others] = postgres.roles!;
    assert.deepEqual(others, []);
    const { more, ...fixed } = need!;
    assert.deepEqual(fixed, {
      role: "database",
      least: 3,
      why: "two PostgreSQL instances acknowledge each write; with three, the loss of one neither loses nor refuses a write",
    });
    const asked = (instances?: number): Settings =>
      planned((s) => {
        s.overrides.postgres.instances = instances;
      }).settings;
    assert.deepEqual(more!(asked(5)), {
      count: 5,
      why: "overrides.postgres.instances is 5, and each instance needs its own host",
    });
    assert.equal(more!(asked()).count, 0);
  });

  it("has the instances and the poolers scraped, under the labels by which alerts select", () => {
    assert.deepEqual(postgres.targets!(planned()), [
      {
        name: "postgres",
        namespace: "matrix",
        pods: { labels: { "cnpg.io/cluster": "synapse-postgres", "cnpg.io/podRole": "instance" } },
        port: 9187, // CloudNativePG's instance manager
        paths: ["/metrics"],
        job: "postgres",
        layer: "postgres",
      },
      {
        name: "pooler",
        namespace: "matrix",
        pods: { labels: { "cnpg.io/poolerName": "synapse-postgres-pooler-rw" } },
        port: 9127, // CloudNativePG's PgBouncer exporter
        paths: ["/metrics"],
        job: "pooler",
        layer: "pooler",
      },
    ]);
  });

  it("runs two images of exact versions", () => {
    assert.deepEqual(postgres.images, {
      postgresql: {
        key: "postgresql",
        repository: "ghcr.io/cloudnative-pg/postgresql",
        tag: "18.6-standard-trixie",
        source: "cloudnative-pg/postgres-containers",
      },
      pgbouncer: {
        key: "pgbouncer",
        repository: "ghcr.io/cloudnative-pg/pgbouncer",
        tag: "1.26.1",
        source: "cloudnative-pg/pgbouncer-containers",
      },
    });
  });

  it("has these secrets, whose labels never change: another label is another password", () => {
    const secrets = postgres.secrets!.map(({ when, ...secret }) => ({ ...secret, always: when === undefined }));
    assert.deepEqual(secrets, [
      { label: "database", fatal: true, importable: "databasePassword", always: true },
      // Of a stack that is one of several data centres.
      { label: "database-stream", importable: "replicationPassword", always: false },
    ]);
  });

  it("leaves to the operator what it sets in PgBouncer's pod, and nothing else", () => {
    const [exception, ...others] = postgres.exceptions!;
    assert.deepEqual(others, []);
    assert.equal(exception!.rule, "10b");
    assert.equal(exception!.object, "Pooler matrix/*");
    assert.match(exception!.why, /^the operator completes PgBouncer's container: .*no capabilities$/);
    const what = exception!.what as RegExp;
    for (const found of ["runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"]) {
      assert.match(`${found} is not set`, what);
      assert.doesNotMatch(`container: ${found} is not set`, what);
      assert.doesNotMatch(`${found} is not set in a sidecar`, what);
    }
    assert.doesNotMatch("readOnlyRootFilesystem is not set", what);
  });

  it("declares all of its parts under its name", () => {
    assert.equal(postgres.name, "postgres");
    assert.deepEqual(postgres.pods, ["synapse-postgres", "pooler"]);
    assert.deepEqual(
      postgres.alerts!(planned()).map((group) => group.name),
      ["postgres"],
    );
    assert.equal(postgres.checks!.length, 1);
    assert.deepEqual(Object.keys(postgres.settings!), ["database", "backups"]);
    assert.deepEqual(Object.keys(postgres.overrides!), ["postgres"]);
  });
});

type Row = [title: string, unit: string, legend: string, expr: string];
const L = '{layer="postgres"}';
/** Rows of panels with one line each. */
const PANELS: Record<string, Row[]> = {
  Replication: [
    ["Role (0 primary, 1 standby)", "none", "{{pod}}", `cnpg_pg_replication_in_recovery${L}`],
    ["Lag", "s", "{{pod}}", `cnpg_pg_replication_lag${L}`],
    ["WAL on disk", "bytes", "{{pod}}", 'cnpg_collector_pg_wal{layer="postgres", value="size"}'],
  ],
  Load: [
    ["Connections by state", "none", "{{state}}", `sum by (state) (cnpg_backends_total${L})`],
    ["Transactions", "ops", "{{pod}}", `sum by (pod) (rate(cnpg_pg_stat_database_xact_commit${L}[5m]))`],
    [
      "Read from cache",
      "percentunit",
      "{{pod}}",
      `sum by (pod) (rate(cnpg_pg_stat_database_blks_hit${L}[5m])) / (sum by (pod) (rate(cnpg_pg_stat_database_blks_hit${L}[5m])) + sum by (pod) (rate(cnpg_pg_stat_database_blks_read${L}[5m])))`,
    ],
    ["Size", "bytes", "{{datname}}", `max by (datname) (cnpg_pg_database_size_bytes${L})`],
    ["Clients waiting at the pooler", "none", "{{pod}}", "sum by (pod) (cnpg_pgbouncer_pools_cl_waiting)"],
  ],
  Backup: [
    // Before the first archived file the exporter says -1.
    ["Age of the last archived WAL", "s", "primary", `min(cnpg_pg_stat_archiver_seconds_since_last_archival${L} >= 0)`],
    ["Archiving failures", "ops", "{{pod}}", `rate(cnpg_pg_stat_archiver_failed_count${L}[5m])`],
  ],
};

describe("PostgreSQL's dashboard", () => {
  it("shows exactly these panels, at an address that never changes", () => {
    assert.deepEqual(POSTGRES_DASHBOARDS, [
      {
        uid: "matrix-ha-postgres",
        title: "Matrix: PostgreSQL",
        rows: Object.entries(PANELS).map(([title, panels]) => ({
          title,
          panels: panels.map(([name, unit, legend, expr]) => ({ title: name, unit, queries: [[legend, expr]] })),
        })),
      },
    ]);
  });
});
