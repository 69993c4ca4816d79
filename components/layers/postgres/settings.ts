/** Settings of PostgreSQL and its backups. Pure. */
import { z } from "zod";
import { bool, dnsLabel, field, int, oneOf, port, secret, section, text, texts } from "../../schema/fields";
import { s3Fields } from "../../schema/s3";
import { cpu, memoryMiB, storageGiB } from "../../schema/sizes";
import { cronProblem } from "../../schema/syntax/schedule";
import { isDnsName, isMoment } from "../../schema/syntax/text";
import { archiveOf } from "../../domain/dataCentre";
import type { SettingsInput } from "../../settings/schema";

export const postgresSettings = {
  database: section(
    {
      importFrom: section(
        {
          host: text(
            {
              doc: "Name or address at which the cluster's hosts reach the old PostgreSQL.",
              allowed: "a DNS name or an address",
            },
            (v) => isDnsName(v) || /^[0-9a-f.:]+$/i.test(v),
            "db.example.com",
          ),
          port: port({ doc: "Its port." }).default(5432),
          majorVersion: int(10, 99, {
            doc: "Its major version, as `SHOW server_version` says. It must not be newer than this stack's, whose pg_dump reads it.",
            example: 16,
          }),
          database: text({ doc: "The database to read." }).default("synapse"),
          user: text({ doc: "A user that may read all of it: the owner." }).default("synapse"),
          password: secret({ doc: "The user's password." }),
          sslMode: oneOf(["require", "disable"], {
            doc: "`require`: the connection is encrypted, or nothing is read. `disable`: password and messages cross the network in clear.",
          }).default("require"),
        },
        {
          doc: "Create a missing database with what this PostgreSQL holds (pg_dump and pg_restore by CloudNativePG); an existing database is left as it is, whatever changes here. Stop the old Synapse before, so that nothing is written behind the copy. Remove the section once the copy is verified.",
        },
      ).optional(),
    },
    { doc: "Where the database comes from when it is created." },
  ).prefault({}),
  backups: section(
    {
      enabled: bool({ doc: "Base backups and a continuous WAL archive of PostgreSQL." }).default(true),
      target: field(
        z.discriminatedUnion("kind", [
          section(
            { kind: z.literal("object-store") },
            {
              doc: "A separate bucket in the stack's object store. Its own MinIO does not survive the loss of the site, and media and backups fill it together.",
            },
          ),
          section({ kind: z.literal("s3"), ...s3Fields }, { doc: "An existing S3, preferably at another site." }),
        ]),
        {
          doc: "Destination of the backups.",
          allowed: "kind object-store, or s3 with endpoint, bucket, accessKey and secretKey",
          example: { kind: "object-store" },
        },
      ).prefault({ kind: "object-store" }),
      acceptNoOffsite: bool({
        doc: "Above 500 users, backups in the stack's own MinIO are refused unless this says that the loss of the site, which takes database and backups together, is accepted. No effect with a target of kind s3.",
      }).default(false),
      schedule: text(
        {
          doc: "When base backups run: SIX cron fields, seconds first, UTC.",
          allowed: "six fields: second minute hour day-of-month month day-of-week",
          remedy: 'put the second before the usual five fields: "0 0 2 * * *" is 02:00 every day',
        },
        (v) => cronProblem(v) === undefined,
        "0 0 2 * * *",
      ).default("0 0 2 * * *"),
      retentionDays: int(1, 3650, { doc: "Days back from now within which any moment can be restored." }).default(30),
      archiveName: dnsLabel({
        doc: "Folder of the target that this database writes to. Change it only together with `restore`: a restored database must not write into the archive that it was restored from.",
        remedy: "number the archives: synapse-postgres-2, synapse-postgres-3",
        example: "synapse-postgres",
      }).default("synapse-postgres"),
      restore: section(
        {
          from: dnsLabel({ doc: "The `archiveName` of the database to restore.", example: "synapse-postgres" }),
          targetTime: text(
            {
              doc: "The moment to go back to. Absent: the latest moment in the archive.",
              allowed: "a moment with its zone, such as 2026-11-20T14:30:00Z",
              remedy: "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the current time in this form",
            },
            isMoment,
            "2026-11-20T14:30:00Z",
          ).optional(),
        },
        {
          doc: "Create a missing database from this archive instead of empty; an existing database is left as it is. The section may stay after the restore.",
        },
      ).optional(),
    },
    { doc: "Backups of the database." },
  ).prefault({}),
};

export const postgresOverrides = {
  postgres: section(
    {
      instances: int(3, 9, {
        doc: "PostgreSQL instances. With fewer than three, the loss of one would stop all writes or lose acknowledged ones.",
        allowed: "a whole number from 3 to 9",
      }).optional(),
      cpu: cpu(),
      memoryMiB: memoryMiB(512),
      storageGiB: storageGiB("Data volume of each instance, GiB."),
      walStorageGiB: storageGiB("WAL volume of each instance, GiB."),
      maxConnections: int(50, 10_000, {
        doc: "max_connections. The plan checks that all pools fit at their largest.",
      }).optional(),
      parameters: texts({ doc: "Parameters of postgresql.conf, in addition to the plan's or in their place." }).default(
        {},
      ),
      poolerInstances: int(2, 20, { doc: "PgBouncer pods." }).optional(),
    },
    { doc: "PostgreSQL." },
  ).prefault({}),
};

/** The sections that depend on others. */
export interface PostgresCompleted {
  /** In a data centre among others, target and archiveName are what `dataCentre.peers` says of it. */
  backups: SettingsInput["backups"];
}

/** Fills in the archive of a data centre, which the other data centres know too. */
export function completePostgres({ backups, dataCentre }: SettingsInput): PostgresCompleted {
  const own = dataCentre?.peers.find((peer) => peer.name === dataCentre.self);
  return {
    backups: own ? { ...backups, target: { kind: "s3", ...own.archive }, archiveName: archiveOf(own) } : backups,
  };
}
