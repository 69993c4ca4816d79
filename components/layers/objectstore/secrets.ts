/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

export const MINIO_ROOT_PASSWORD: SecretSpec = { label: "minio-root", fatal: true };
export const MEDIA_S3_SECRET_KEY: SecretSpec = { label: "media-s3" };
export const BACKUP_S3_SECRET_KEY: SecretSpec = { label: "backup-s3" };

export const OBJECT_STORE_SECRETS = [MINIO_ROOT_PASSWORD, MEDIA_S3_SECRET_KEY, BACKUP_S3_SECRET_KEY];
