/** The provisioning Job's script and files: buckets, users and policies. Pure: keys come from the environment. */
import { BACKUP_VERSION_DAYS } from "../../sizing/backups";
import { scriptFrom, verbatim } from "../../core/scripts";

export const MEDIA_BUCKET = "synapse-media";
export const BACKUP_BUCKET = "synapse-backups";
/** User names, which are S3's access keys: not secret, 3 to 20 characters. */
export const ROOT_USER = "matrix-ha-root";
export const MEDIA_USER = "synapse-media";
export const BACKUP_USER = "synapse-backup";
/** MinIO's region, which its clients sign requests for. */
export const MINIO_REGION = "us-east-1";

/** Days for which the administrator can bring back overwritten and deleted objects. */
const KEPT_DAYS = { media: 30, backup: BACKUP_VERSION_DAYS };

/** A user, and the one bucket that it may use. */
export interface Grant {
  user: string;
  bucket: string;
  /** Environment variable of the Job that holds the user's secret key. */
  secretVariable: string;
  /** Days for which overwritten and deleted versions are kept. */
  keptDays: number;
}

/** Users of the stack's own MinIO. */
export const grants = (withBackups: boolean): Grant[] => [
  { user: MEDIA_USER, bucket: MEDIA_BUCKET, secretVariable: "MEDIA_SECRET_KEY", keptDays: KEPT_DAYS.media },
  ...(withBackups
    ? [{ user: BACKUP_USER, bucket: BACKUP_BUCKET, secretVariable: "BACKUP_SECRET_KEY", keptDays: KEPT_DAYS.backup }]
    : []),
];

/**
 * Lets a user write, read, list and delete objects of its own bucket, but no versions and no bucket settings. A
 * compromised process can hide objects, and the administrator can bring them back.
 */
export function bucketPolicy(bucket: string): object {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
        Resource: [`arn:aws:s3:::${bucket}`],
      },
      {
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ],
        Resource: [`arn:aws:s3:::${bucket}/*`],
      },
    ],
  };
}

/**
 * Lifecycle rules of a bucket. Incomplete uploads need none: MinIO removes them after a day
 * (MINIO_API_STALE_UPLOADS_EXPIRY).
 */
export function lifecycle(keptDays: number): object {
  return {
    Rules: [
      {
        ID: "earlier-versions",
        Status: "Enabled",
        Filter: { Prefix: "" },
        NoncurrentVersionExpiration: { NoncurrentDays: keptDays },
      },
      {
        ID: "delete-markers",
        Status: "Enabled",
        Filter: { Prefix: "" },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
    ],
  };
}

export interface ProvisionInput {
  /** Host and port of the S3 Service. @example "minio-api.minio.svc.cluster.local:9000" */
  address: string;
  /** Users and buckets to make. */
  grants: Grant[];
  /** Seconds to wait until MinIO accepts writes. */
  waitSeconds: number;
}

/**
 * The Job's script. Every step can be repeated. Secret keys come by environment and standard input, never as arguments:
 * `ps` shows those.
 */
export function provisionScript(input: ProvisionInput): string {
  const grants = input.grants.map((g) =>
    scriptFrom(__dirname, "grant.sh", { BUCKET: g.bucket, USER: g.user, SECRET_KEY: verbatim(`$${g.secretVariable}`) }),
  );
  return scriptFrom(__dirname, "provision.sh", {
    ADDRESS: input.address,
    WAIT_SECONDS: input.waitSeconds,
    GRANTS: verbatim(grants.join("")),
  });
}

/** All files of the Job, by name. */
export function provisionFiles(input: ProvisionInput): Record<string, string> {
  return {
    "provision.sh": provisionScript(input),
    ...Object.fromEntries(
      input.grants.flatMap((g) => [
        [`${g.user}.policy.json`, `${JSON.stringify(bucketPolicy(g.bucket), null, 2)}\n`],
        [`${g.bucket}.lifecycle.json`, `${JSON.stringify(lifecycle(g.keptDays), null, 2)}\n`],
      ]),
    ),
  };
}
