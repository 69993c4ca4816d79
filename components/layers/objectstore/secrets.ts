/** Generated secrets of the object store. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Password of MinIO's root user. */
export const MINIO_ROOT_PASSWORD: SecretSpec = { label: "minio-root", fatal: true };
/** Secret key with which Synapse reads and writes media in MinIO. */
export const MEDIA_S3_SECRET_KEY: SecretSpec = { label: "media-s3" };
/** Secret key with which PostgreSQL writes backups into MinIO. */
export const BACKUP_S3_SECRET_KEY: SecretSpec = { label: "backup-s3" };

export const OBJECT_STORE_SECRETS = [MINIO_ROOT_PASSWORD, MEDIA_S3_SECRET_KEY, BACKUP_S3_SECRET_KEY];
