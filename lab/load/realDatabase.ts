/**
 * PostgreSQL and PgBouncer as the stack configures them: their parameters as rendered, TLS on both connections as
 * CloudNativePG's Pooler sets it (pkg/management/pgbouncer/config/config.go of 1.30: client_tls_sslmode prefer,
 * server_tls_sslmode verify-ca). Without standbys.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Subject } from "../../policy/types";
import { certificate } from "../real/configurations";
import { nextAddress, type Network } from "../real/network";
import { inImage, query } from "../real/postgres";
import { Server } from "../real/postgresServer";

const POOLER_UID = 998;
const CERTIFICATE = "tls.crt",
  KEY = "tls.key";

function writePair(dir: string, uid: number): void {
  const { certificate: text, privateKey } = certificate();
  for (const [name, content] of [
    [CERTIFICATE, text],
    [KEY, privateKey],
  ] as const) {
    fs.writeFileSync(path.join(dir, name), content, { mode: 0o600 });
    fs.chownSync(path.join(dir, name), uid, uid);
  }
}

const assignments = (values: Record<string, string>, quote: string): string =>
  Object.entries(values)
    .map(([k, v]) => `${k} = ${quote}${v}${quote}`)
    .join("\n");

const POSTGRES_UID = 26;

/** With Synapse's user and empty database. */
async function postgres(net: Network, subject: Subject): Promise<Server> {
  const cluster = subject.objects.find((o) => o.kind === "Cluster" && o.apiVersion.startsWith("postgresql.cnpg.io"))!;
  const server = Server.primary(net),
    data = path.join(server.dir, "data/data");
  writePair(data, POSTGRES_UID);
  fs.writeFileSync(
    path.join(data, "postgresql.auto.conf"),
    `${assignments(
      {
        ...cluster.inputs.spec.postgresql.parameters,
        // As the operator does when it sees parameters of this extension.
        shared_preload_libraries: "pg_stat_statements",
        ssl: "on",
        ssl_cert_file: CERTIFICATE,
        ssl_key_file: KEY,
      },
      "'",
    )}\n`,
  );
  await server.start();
  const own = { host: server.ip, port: 5432, name: "postgres" };
  await query(net, own, "create role synapse login");
  await query(net, own, "create database synapse owner synapse");
  await server.sql("create extension pg_stat_statements");
  return server;
}

/** The pooler's address. */
async function pooler(net: Network, subject: Subject, server: Server): Promise<string> {
  const { pgbouncer } = subject.objects.find((o) => o.kind === "Pooler")!.inputs.spec;
  const dir = path.join(net.dir, "pgbouncer"),
    data = path.join(dir, "data");
  fs.mkdirSync(data, { recursive: true });
  fs.chmodSync(dir, 0o755);
  writePair(data, POOLER_UID);
  const own = {
    listen_addr: "*",
    listen_port: "5432",
    unix_socket_dir: "",
    // Passwords cost only at the start of a session, and sessions last.
    auth_type: "any",
    admin_users: "postgres",
    pool_mode: pgbouncer.poolMode,
    ignore_startup_parameters: "extra_float_digits,options",
    log_stats: "0",
    client_tls_sslmode: "prefer",
    client_tls_cert_file: `/mnt/${CERTIFICATE}`,
    client_tls_key_file: `/mnt/${KEY}`,
    server_tls_sslmode: "verify-ca",
    server_tls_ca_file: `/mnt/${CERTIFICATE}`,
  };
  fs.writeFileSync(
    path.join(data, "pgbouncer.ini"),
    `[databases]\n* = host=${server.ip} port=5432 user=synapse\n[pgbouncer]\n${assignments({ ...own, ...pgbouncer.parameters }, "")}\n`,
  );
  const ip = nextAddress();
  const running = net.spawn(
    net.namespace(ip),
    inImage("pgbouncer", dir, ["/usr/sbin/pgbouncer", "/mnt/pgbouncer.ini"], POOLER_UID),
    "pgbouncer",
  );
  await running.until(
    async () => (await query(net, { host: ip, port: 5432, name: "synapse" }, "select 1")) === "1",
    60,
  );
  return ip;
}

export async function databaseAlone(net: Network, subject: Subject): Promise<{ server: Server; ip: string }> {
  const server = await postgres(net, subject);
  return { server, ip: server.ip };
}

export async function databaseWithPooler(net: Network, subject: Subject): Promise<{ server: Server; ip: string }> {
  const server = await postgres(net, subject);
  return { server, ip: await pooler(net, subject, server) };
}

/** What the database and its pooler have counted since their start. */
export interface DatabaseCounts {
  /** Of the pooler: what Synapse asked. */ transactions: number;
  queries: number;
  walBytes: number;
  bytes: number;
}

export async function databaseCounts(net: Network, server: Server, pooler: string): Promise<DatabaseCounts> {
  const totals = await query(net, { host: pooler, port: 5432, name: "pgbouncer" }, "show stats_totals");
  // database | server_assignment_count | xact_count | query_count | ...
  const row = totals
    .split("\n")
    .map((l) => l.split("|"))
    .find(([name]) => name === "synapse");
  const own = (
    await server.sql("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_database_size('synapse')")
  ).split("|");
  return {
    transactions: Number(row?.[2] ?? 0),
    queries: Number(row?.[3] ?? 0),
    walBytes: Number(own[0]),
    bytes: Number(own[1]),
  };
}
