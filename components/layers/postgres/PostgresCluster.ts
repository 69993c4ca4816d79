import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AUTHORITIES_FILE } from "../../core/authorities";
import type { StackContext } from "../../core/context";
import { imageVersion } from "../../core/images";
import { NAMESPACES, SECRETS, SERVICES } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { otherCentres } from "../../domain/dataCentre";
import { budgetSpec, labels, type ObjectMetadata } from "../../core/workload";
import {
  IMPORT_SECRET,
  OBJECT_STORE,
  archiveSpec,
  backupMethod,
  objectStoreSpec,
  scheduledBackupSpec,
  type BackupTarget,
} from "./backups";
import { DATABASE, POSTGRES_APP, clusterMetadata, cnpgClusterSpec } from "./cnpgCluster";
import { POOLER_LABELS, poolerMetadata, poolerSpec } from "./pooler";
import { IMAGES } from "./images";
import { DATABASE_PASSWORD, STREAM_PASSWORD } from "./secrets";
import { archiveStore, STREAM_ROLE, STREAM_SECRET } from "./topology";

/** Keys of the Secret with another data centre's archive, as of the own one's. */
const ARCHIVE_KEYS = { accessKeyKey: "accessKey", secretKeyKey: "secretKey" } as const;

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

    const others = settings.dataCentre ? this.centres(name, args, meta) : [];
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
        dependsOn: [owner, ...source, ...store, ...others],
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

  /** What the Cluster needs of the other data centres: their archives, and the role that copies the database. */
  private centres(
    name: string,
    { ctx: { settings, plan }, secrets }: PostgresClusterArgs,
    meta: (n: string) => ObjectMetadata,
  ): pulumi.Resource[] {
    const role = new k8s.core.v1.Secret(
      `${name}-stream`,
      {
        metadata: { ...meta(STREAM_SECRET), labels: { ...meta(STREAM_SECRET).labels, "cnpg.io/reload": "true" } },
        type: "kubernetes.io/basic-auth",
        stringData: { username: STREAM_ROLE, password: secrets.of(STREAM_PASSWORD) },
      },
      { parent: this },
    );
    const archives = otherCentres(settings).flatMap(({ name: centre, archive }) => {
      const object = archiveStore(centre);
      const keys = new k8s.core.v1.Secret(
        `${name}-archive-${centre}-keys`,
        {
          metadata: meta(object),
          stringData: {
            [ARCHIVE_KEYS.accessKeyKey]: pulumi.secret(archive.accessKey),
            [ARCHIVE_KEYS.secretKeyKey]: pulumi.secret(archive.secretKey),
            region: archive.region,
            ...(archive.privateAuthority ? { [AUTHORITIES_FILE]: settings.trustedAuthorities } : {}),
          },
        },
        { parent: this },
      );
      const target: BackupTarget = {
        ...ARCHIVE_KEYS,
        endpoint: archive.endpoint.replace(/\/+$/, ""),
        region: archive.region,
        bucket: archive.bucket,
        secretName: object,
        ...(archive.privateAuthority ? { endpointCa: { name: object, key: AUTHORITIES_FILE } } : {}),
      };
      const store = new k8s.apiextensions.CustomResource(
        `${name}-archive-${centre}`,
        {
          apiVersion: "barmancloud.cnpg.io/v1",
          kind: "ObjectStore",
          metadata: meta(object),
          spec: archiveSpec({ settings, plan, target }),
        },
        { parent: this, dependsOn: [keys] },
      );
      return [keys, store];
    });
    return [role, ...archives];
  }
}
