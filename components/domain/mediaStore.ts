/** Which store holds the media, by a name that two deployments can compare; and whether MinIO is there. Pure. */
import type { Settings } from "../settings/types";

type Store = Settings["objectStore"];

/** The name of the stack's own MinIO, in `objectStore.moveFrom.store`. */
export const OWN_MINIO = "minio";

/** `minio`, or endpoint and bucket of an S3: `https://s3.example.com/media`. */
export const storeName = (store: Store): string =>
  store.kind === "minio" ? OWN_MINIO : `${store.endpoint.replace(/\/+$/, "")}/${store.bucket}`;

/** Whether MinIO is part of the stack: it holds the media, or held them and is being copied from. */
export const hasMinio = ({ objectStore }: Pick<Settings, "objectStore">): boolean =>
  objectStore.kind === "minio" || objectStore.moveFrom?.store === OWN_MINIO;

/** What may be lost while MinIO's media can still be read and written; it keeps its layout while it is being left. */
export const minioSurvives = ({ objectStore }: Pick<Settings, "objectStore">): "host" | "zone" =>
  (objectStore.kind === "minio" ? objectStore.survives : objectStore.moveFrom?.survives) ?? "host";
