/** Every connection that the database's pods and their operator open, with its ports and its reason. */
import assert from "node:assert/strict";
import { postgresEdges } from "../../components/layers/postgres/edges";
import type { Edge } from "../../components/core/edges";
import type { Settings } from "../../components/settings/types";
import { planned } from "./planned";

const edges = (change?: (s: Settings) => void): Edge[] => postgresEdges(planned(change));
const tcp = (...ports: number[]): object[] => ports.map((port) => ({ port, protocol: "TCP" }));

const INSTANCES = { component: "synapse-postgres", namespace: "matrix" };
const POOLERS = {
  labels: { "cnpg.io/poolerName": "synapse-postgres-pooler-rw" },
  namespace: "matrix",
  label: "synapse-postgres-pooler-rw",
};
const API_SERVER = { apiServer: true };
const ALWAYS = [
  {
    from: INSTANCES,
    to: INSTANCES,
    ports: tcp(5432, 8000),
    why: "replication, new copies, and whether a primary is isolated",
  },
  {
    from: INSTANCES,
    to: API_SERVER,
    ports: tcp(6443),
    why: "the instance manager reads its Cluster and holds the primary's lease",
  },
  {
    from: { component: "cnpg-controller-manager", namespace: "cnpg-system" },
    to: INSTANCES,
    ports: tcp(8000),
    why: "the state of each instance: who may be promoted",
  },
  {
    from: API_SERVER,
    to: INSTANCES,
    ports: tcp(8000),
    why: "the operator's command-line tool, through the API server",
  },
  { from: POOLERS, to: INSTANCES, ports: tcp(5432), why: "sessions of Synapse's processes" },
  { from: POOLERS, to: API_SERVER, ports: tcp(6443), why: "the instance manager reads its Pooler" },
];

const s3 = (endpoint: string) => ({
  kind: "s3" as const,
  endpoint,
  region: "eu-1",
  bucket: "backups",
  accessKey: "a",
  secretKey: "b",
});
const EXTERNAL = { from: INSTANCES, why: "base backups and write-ahead log, in an external S3" };

describe("the database's connections", () => {
  it("lead to MinIO for backups in the stack's own store", () => {
    assert.deepEqual(edges(), [
      ...ALWAYS,
      {
        from: INSTANCES,
        to: { component: "minio", namespace: "minio" },
        ports: tcp(9000),
        why: "base backups and write-ahead log",
      },
    ]);
  });

  it("lead to an S3 elsewhere where backups have one, whatever holds the media", () => {
    assert.deepEqual(
      edges((s) => {
        s.backups.target = s3("https://s3.example.net:8443");
      }),
      [...ALWAYS, { ...EXTERNAL, to: { world: true }, ports: tcp(8443) }],
    );
  });

  it("lead to the S3 of the media where backups are beside them", () => {
    assert.deepEqual(
      edges((s) => {
        s.objectStore = s3("https://192.0.2.7");
      }),
      [...ALWAYS, { ...EXTERNAL, to: { cidrs: ["192.0.2.7/32"], label: "192.0.2.7" }, ports: tcp(443) }],
    );
  });

  it("lead to no store without backups", () => {
    assert.deepEqual(
      edges((s) => {
        s.backups.enabled = false;
      }),
      ALWAYS,
    );
  });

  it("an import opens the old server's database, and nothing else of it", () => {
    const importing =
      (host: string) =>
      (s: Settings): void => {
        s.backups.enabled = false;
        s.database.importFrom = {
          host,
          port: 5433,
          majorVersion: 16,
          database: "synapse",
          user: "synapse",
          password: "old",
          sslMode: "require",
        };
      };
    const why = "the old server's database, which a new one is read from once";
    assert.deepEqual(edges(importing("10.9.0.5")), [
      ...ALWAYS,
      { from: INSTANCES, to: { cidrs: ["10.9.0.5/32"], label: "10.9.0.5" }, ports: tcp(5433), why },
    ]);
    assert.deepEqual(edges(importing("old.example.org")), [
      ...ALWAYS,
      { from: INSTANCES, to: { world: true }, ports: tcp(5433), why },
    ]);
  });
});
