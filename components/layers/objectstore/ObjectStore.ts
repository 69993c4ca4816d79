import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AUTHORITIES_FILE } from "../../core/authorities";
import type { StackContext } from "../../core/context";
import { hasMinio } from "../../domain/mediaStore";
import { NAMESPACES, PORTS, SECRETS, SERVICES, serviceFqdn } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import type { S3Settings } from "../../settings/types";
import { labels } from "../../core/workload";
import { Minio } from "./Minio";
import { BACKUP_BUCKET, BACKUP_USER, MEDIA_BUCKET, MEDIA_USER, MINIO_REGION } from "./provision";
import { BACKUP_S3_SECRET_KEY, MEDIA_S3_SECRET_KEY } from "./secrets";

export interface ObjectStoreArgs {
  /** Settings, plan and provider. */
  ctx: StackContext;
  /** Generated secrets; with MinIO it needs those of `objectstore/secrets.ts`. */
  secrets: StackSecrets;
}

/**
 * One bucket and its credentials. They are in a Secret in namespace matrix, with the keys `accessKey`, `secretKey`,
 * `region`, `bucket` and `endpoint`.
 */
export interface Bucket {
  /** URL of the S3 API, without a path. @example "http://minio-api.minio.svc.cluster.local:9000" */
  endpoint: string;
  /** Region that clients sign requests for. */
  region: string;
  /** Name of the bucket. */
  bucket: string;
  /** Folder within the bucket, without slashes at its ends; empty where nothing else uses the bucket. */
  prefix: string;
  /** Name of the Secret with the credentials. */
  secretName: string;
  /** Whether the Secret has the authorities of the endpoint too, under AUTHORITIES_FILE. @default false */
  withAuthorities?: boolean;
}

/** A bucket with its credentials themselves. */
interface Keys extends Omit<Bucket, "secretName"> {
  accessKey: string;
  secretKey: pulumi.Input<string>;
}

/**
 * The store of media and backups: MinIO on this cluster's storage nodes, or any S3 elsewhere. The outputs are the same.
 *
 * @example new ObjectStore("objectstore", { ctx, secrets }, { parent: stack }).media.secretName
 */
export class ObjectStore extends pulumi.ComponentResource {
  /** Bucket of Synapse's media. */
  readonly media: Bucket;
  /** Bucket of the database's backups. Absent when backups are off. */
  readonly backup?: Bucket;
  /** What clients of the buckets must wait for: the Secrets, and with MinIO the Job that makes buckets and users. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: ObjectStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("matrix-ha:objectstore:ObjectStore", name, {}, opts);
    const { ctx, secrets } = args;
    const { objectStore, backups } = ctx.settings;
    const ownBackups = backups.enabled && backups.target.kind === "object-store";

    let media: Keys;
    let backup: Keys | undefined;
    const made: pulumi.Resource[] = [];
    // During a move away from it, MinIO stays as it was, with its users and buckets.
    if (hasMinio(ctx.settings))
      made.push(new Minio(`${name}-minio`, { ctx, secrets, withBackups: ownBackups }, { parent: this }).provisioned);
    if (objectStore.kind === "minio") {
      const common = {
        endpoint: `http://${serviceFqdn(SERVICES.minioApi, NAMESPACES.minio, ctx.settings.cluster.domain)}:${PORTS.s3}`,
        region: MINIO_REGION,
        prefix: "",
      };
      media = { ...common, bucket: MEDIA_BUCKET, accessKey: MEDIA_USER, secretKey: secrets.of(MEDIA_S3_SECRET_KEY) };
      if (ownBackups)
        backup = {
          ...common,
          bucket: BACKUP_BUCKET,
          accessKey: BACKUP_USER,
          secretKey: secrets.of(BACKUP_S3_SECRET_KEY),
        };
    } else {
      media = external(objectStore, "");
      // The settings name one bucket for everything, so backups get their own folder in it.
      if (ownBackups) backup = external(objectStore, BACKUP_BUCKET);
    }
    if (backups.enabled && backups.target.kind === "s3") backup = external(backups.target, "");

    const open = (label: string, secretName: string, { accessKey, secretKey, ...bucket }: Keys): Bucket => {
      made.push(
        new k8s.core.v1.Secret(
          `${name}-${label}-secret`,
          {
            metadata: {
              name: secretName,
              namespace: NAMESPACES.matrix,
              labels: labels(ctx.settings, `object-store-${label}`, "s3", "none"),
            },
            stringData: {
              accessKey: pulumi.secret(accessKey),
              secretKey: pulumi.secret(secretKey),
              region: bucket.region,
              bucket: bucket.bucket,
              endpoint: bucket.endpoint,
              ...(bucket.withAuthorities ? { [AUTHORITIES_FILE]: ctx.settings.trustedAuthorities } : {}),
            },
          },
          { parent: this },
        ),
      );
      return { ...bucket, secretName };
    };
    this.media = open("media", SECRETS.mediaS3, media);
    if (backup) this.backup = open("backup", SECRETS.backupS3, backup);
    this.ready = made;
    this.registerOutputs({ media: this.media, ...(this.backup ? { backup: this.backup } : {}) });
  }
}

const external = (s: S3Settings, prefix: string): Keys => ({
  endpoint: s.endpoint.replace(/\/+$/, ""),
  region: s.region,
  bucket: s.bucket,
  prefix,
  accessKey: s.accessKey,
  secretKey: pulumi.secret(s.secretKey),
  ...(s.privateAuthority ? { withAuthorities: true } : {}),
});
