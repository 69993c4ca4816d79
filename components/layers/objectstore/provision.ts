/** Buckets, users and policies, as what the provisioning Job runs. Pure: keys come from the environment. */
import { scriptFrom, verbatim } from "../../core/scripts";

export const MEDIA_BUCKET = "synapse-media";
export const BACKUP_BUCKET = "synapse-backups";
/** Access keys are names, not secrets; 3 to 20 letters. */
export const ROOT_USER = "matrix-ha-root";
export const MEDIA_USER = "synapse-media";
export const BACKUP_USER = "synapse-backup";
/** What MinIO answers to, and the region that its clients sign for. */
export const MINIO_REGION = "us-east-1";

/** Days for which what was overwritten or deleted can be brought back by the administrator. */
const KEPT_DAYS = { media: 30, backup: 7 };

export interface Grant {
  user: string;
  bucket: string;
  /** Environment variable of the Job with the user's secret key. */
  secretVariable: string;
  /** Days that overwritten and deleted versions are kept. */
  keptDays: number;
}

export const grants = (withBackups: boolean): Grant[] => [
  { user: MEDIA_USER, bucket: MEDIA_BUCKET, secretVariable: "MEDIA_SECRET_KEY", keptDays: KEPT_DAYS.media },
  ...(withBackups
    ? [{ user: BACKUP_USER, bucket: BACKUP_BUCKET, secretVariable: "BACKUP_SECRET_KEY", keptDays: KEPT_DAYS.backup }]
    : []),
];

/**
 * Only its own bucket; objects may be written, read, listed and deleted, but no version and no bucket setting:
 * a process that was taken over can hide objects, and the administrator can bring them back.
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
 * Uploads that were never completed need no rule: MinIO takes them away after a day (MINIO_API_STALE_UPLOADS_EXPIRY).
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
  /** Host and port of the S3 service. */
  address: string;
  grants: Grant[];
  /** Seconds to wait for MinIO to be able to write. */
  waitSeconds: number;
}

/**
 * Every step can be repeated. Secret keys go by environment and standard input, never as arguments, which `ps` shows.
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

/** Every file of the Job, by name. */
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
