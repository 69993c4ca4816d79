import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import { imageVersion } from "../../core/images";
import { NAMESPACES, SECRETS, SERVICES } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { budgetSpec, labels, type ObjectMetadata } from "../../core/workload";
import {
  IMPORT_SECRET,
  OBJECT_STORE,
  backupMethod,
  objectStoreSpec,
  scheduledBackupSpec,
  type BackupTarget,
} from "./backups";
import { DATABASE, POSTGRES_APP, clusterMetadata, cnpgClusterSpec } from "./cnpgCluster";
import { POOLER_LABELS, poolerMetadata, poolerSpec } from "./pooler";
import { IMAGES } from "./images";
import { DATABASE_PASSWORD } from "./secrets";

export interface PostgresClusterArgs {
  /** Settings, plan and provider. */
  ctx: StackContext;
  /** Generated secrets; needs those of `postgres/secrets.ts`. */
  secrets: StackSecrets;
  /** Destination of WAL and base backups; its Secret must be in namespace matrix. @default no backups */
  backup?: BackupTarget;
}

/**
 * PostgreSQL for Synapse: CloudNativePG instances with synchronous standbys, poolers in front, and an archive in object
 * storage. Create it after the operator, whose kinds it uses.
 */
export class PostgresCluster extends pulumi.ComponentResource {
  /** Secret of the database's owner, with the keys `username` and `password`. */
  readonly databaseSecretName: string = SECRETS.database;
  /** Database to connect to. */
  readonly databaseName: string = DATABASE;
  /** CloudNativePG's Cluster; ready when all instances are. */
  readonly cluster: k8s.apiextensions.CustomResource;
  /** CloudNativePG's Pooler: PgBouncer, which clients connect to. */
  readonly pooler: k8s.apiextensions.CustomResource;
  /** What clients of the database must wait for. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: PostgresClusterArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:postgres:PostgresCluster", name, {}, opts);
    const { ctx, backup } = args;
    const { settings, plan } = ctx;
    const meta = (n: string): ObjectMetadata => ({
      name: n,
      namespace: NAMESPACES.matrix,
      labels: labels(settings, SERVICES.postgresCluster, POSTGRES_APP, imageVersion(settings, IMAGES.postgresql)),
    });

    const owner = new k8s.core.v1.Secret(
      `${name}-owner`,
      {
        // With this label the operator applies a changed password to the database by itself.
        metadata: { ...meta(SECRETS.database), labels: { ...meta(SECRETS.database).labels, "cnpg.io/reload": "true" } },
        type: "kubernetes.io/basic-auth",
        stringData: { username: DATABASE, password: args.secrets.of(DATABASE_PASSWORD) },
      },
      { parent: this },
    );

    const from = settings.database.importFrom;
    const source = from
      ? [
          new k8s.core.v1.Secret(
            `${name}-import`,
            { metadata: meta(IMPORT_SECRET), stringData: { password: pulumi.secret(from.password) } },
            { parent: this },
          ),
        ]
      : [];

    const store =
      backup && backupMethod(settings) === "plugin"
        ? [
            new k8s.apiextensions.CustomResource(
              `${name}-object-store`,
              {
                apiVersion: "barmancloud.cnpg.io/v1",
                kind: "ObjectStore",
                metadata: meta(OBJECT_STORE),
                spec: objectStoreSpec({ settings, plan, target: backup }),
              },
              { parent: this },
            ),
          ]
        : [];

    this.cluster = new k8s.apiextensions.CustomResource(
      `${name}-cluster`,
      {
        apiVersion: "postgresql.cnpg.io/v1",
        kind: "Cluster",
        metadata: clusterMetadata(settings),
        spec: cnpgClusterSpec({ settings, plan, backup }),
      },
      {
        parent: this,
        dependsOn: [owner, ...source, ...store],
        protect: settings.deletionProtection,
        // Deleting it would delete its volumes too. Since it stays behind, the next `up` finds it again.
        retainOnDelete: true,
      },
    );

    this.pooler = new k8s.apiextensions.CustomResource(
      `${name}-pooler`,
      {
        apiVersion: "postgresql.cnpg.io/v1",
        kind: "Pooler",
        metadata: poolerMetadata(settings, plan.postgres.pooler.replicas),
        spec: poolerSpec({ settings, plan }),
      },
      { parent: this, dependsOn: [this.cluster] },
    );
    if (plan.postgres.pooler.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-pooler-budget`,
        {
          metadata: {
            ...meta(SERVICES.pooler),
            labels: labels(settings, SERVICES.pooler, "pgbouncer", imageVersion(settings, IMAGES.pgbouncer)),
          },
          spec: budgetSpec(POOLER_LABELS),
        },
        { parent: this },
      );
    }
    if (backup) {
      // One for each archive, so that a restored database gets its first base backup at once as well.
      const { archiveName } = settings.backups;
      new k8s.apiextensions.CustomResource(
        `${name}-scheduled-backup${archiveName === SERVICES.postgresCluster ? "" : `-${archiveName}`}`,
        {
          apiVersion: "postgresql.cnpg.io/v1",
          kind: "ScheduledBackup",
          metadata: meta(archiveName),
          spec: scheduledBackupSpec(settings),
        },
        { parent: this, dependsOn: [this.cluster, ...store] },
      );
    }
    this.ready = [this.cluster, this.pooler];
    this.registerOutputs({ databaseSecretName: this.databaseSecretName });
  }
}
