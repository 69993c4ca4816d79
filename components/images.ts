/**
 * Every image that the stack runs, in one table: pods, the mirror list and the bill of materials read it. Pure.
 * Each tag is an exact version. `digest` is filled in by `npm run images -- lock` where a registry can be reached,
 * never by hand.
 */
import type { Settings } from "./settings/types";

export interface Image {
  repository: string;
  tag: string;
  digest?: string;
  /** Where the version was seen. */
  source: string;
}

export const IMAGES = {
  postgresql: { repository: "ghcr.io/cloudnative-pg/postgresql", tag: "18.6-standard-trixie", source: "cloudnative-pg/postgres-containers" },
  pgbouncer: { repository: "ghcr.io/cloudnative-pg/pgbouncer", tag: "1.26.1", source: "cloudnative-pg/pgbouncer-containers" },
  cloudnativePg: { repository: "ghcr.io/cloudnative-pg/cloudnative-pg", tag: "1.30.0", source: "releases/cnpg-1.30.0.yaml of github.com/cloudnative-pg/cloudnative-pg" },
  redis: { repository: "docker.io/library/redis", tag: "8.0.6", source: "docker-library/official-images" },
  redisExporter: { repository: "quay.io/oliver006/redis_exporter", tag: "v1.86.0", source: "oliver006/redis_exporter; Debian testing packages 1.86" },
  haproxy: { repository: "docker.io/library/haproxy", tag: "3.2.26", source: "docker-library/official-images" },
  nginx: { repository: "docker.io/nginxinc/nginx-unprivileged", tag: "1.30.6", source: "nginxinc/docker-nginx-unprivileged" },
  minio: { repository: "localhost/matrix-ha/minio", tag: "20260212", source: "images/minio: built from github.com/minio/minio (Docker Hub's images ended in September 2026)" },
  mc: { repository: "localhost/matrix-ha/mc", tag: "20260212", source: "images/mc: built from github.com/minio/mc" },
  synapse: { repository: "localhost/matrix-ha/synapse", tag: "1.163.2", source: "images/synapse: matrix-synapse 1.163.2 and synapse-s3-storage-provider 1.7.0 of PyPI" },
} as const satisfies Record<string, Image>;

export type ImageKey = keyof typeof IMAGES;

/** The reference that pods use: an override as it is; else the table's, under the mirror where one is set. */
export function imageRef(settings: Settings, key: ImageKey): string {
  const override = settings.images.overrides[key];
  if (override) return override;
  const image: Image = IMAGES[key];
  const repository = settings.images.mirror ? `${settings.images.mirror.replace(/\/$/, "")}/${image.repository.replace(/^[^/]*[.:][^/]*\/|^localhost\//, "")}` : image.repository;
  return `${repository}:${image.tag}${image.digest ? `@${image.digest}` : ""}`;
}

/** Version label of what runs: the tag of the reference in use. */
export function imageVersion(settings: Settings, key: ImageKey): string {
  const ref = imageRef(settings, key).replace(/@.*$/, "");
  const tag = ref.slice(ref.lastIndexOf("/") + 1).split(":")[1];
  return tag ?? IMAGES[key].tag;
}
