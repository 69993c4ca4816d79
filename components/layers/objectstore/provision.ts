/** Buckets, users and policies, as what the provisioning Job runs. Pure: keys come from the environment. */
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
  return `set -eu
export HOME=/tmp MC_CONFIG_DIR=/tmp/.mc
export MC_HOST_store="http://$ROOT_USER:$ROOT_PASSWORD@${input.address}"
mc() { command mc --quiet --no-color "$@"; }
timeout ${input.waitSeconds} mc --quiet --no-color ready store || { echo "MinIO cannot write after ${input.waitSeconds} s: see its pods" >&2; exit 1; }
${input.grants
  .map(
    (g) => `
mc mb --ignore-existing store/${g.bucket}
mc version enable store/${g.bucket}
mc ilm rule import store/${g.bucket} < "$FILES/${g.bucket}.lifecycle.json"
mc admin policy create store ${g.user} "$FILES/${g.user}.policy.json"
printf '%s\\n%s\\n' ${g.user} "$${g.secretVariable}" | mc admin user add store
mc admin policy attach store ${g.user} --user ${g.user}`,
  )
  .join("\n")}
echo "buckets, users and policies are as they should be"
`;
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
