/**
 * The media repository's configuration: only the processes that serve media have it, so only they restart for it. Pure.
 */
import type { Settings } from "../../settings/types";
import { RESERVED_NETWORKS } from "../../core/addresses";
import { ownNetworks } from "../../domain/ownNetworks";
import { days, type Yaml } from "./homeserverYaml";
import { MOUNTS } from "./paths";

/** The object store that media are kept in. */
export interface MediaStore {
  /** URL. @example "http://minio.minio.svc.cluster.local:9000" */
  endpoint: string;
  region: string;
  bucket: string;
}

/** Networks that the URL previewer must not reach: special ones, and this deployment's own. */
export const previewDeniedNetworks = (settings: Settings): string[] => [
  ...new Set([...RESERVED_NETWORKS, ...ownNetworks(settings)]),
];

/** The options of the processes that serve media. */
export function mediaSection(s: Settings, s3: MediaStore): Yaml {
  const m = s.media;
  return {
    enable_media_repo: true,
    media_store_path: `${MOUNTS.data}/media`,
    max_upload_size: `${m.maxUploadMiB}M`,
    enable_authenticated_media: true,
    dynamic_thumbnails: false,
    media_storage_providers: [
      {
        // Synchronous: an upload is answered when it is in the object store, so a media pod holds nothing of its own.
        module: "s3_storage_provider.S3StorageProviderBackend",
        store_local: true,
        store_remote: true,
        store_synchronous: true,
        config: { bucket: s3.bucket, region_name: s3.region, endpoint_url: s3.endpoint },
      },
    ],
    ...(m.localRetentionDays || m.remoteRetentionDays
      ? {
          media_retention: {
            ...(m.localRetentionDays ? { local_media_lifetime: days(m.localRetentionDays) } : {}),
            ...(m.remoteRetentionDays ? { remote_media_lifetime: days(m.remoteRetentionDays) } : {}),
          },
        }
      : {}),
    url_preview_enabled: m.urlPreviews,
    ...(m.urlPreviews
      ? {
          url_preview_ip_range_blacklist: [...previewDeniedNetworks(s), ...s.outgoing.previewBlockedNetworks],
          ...(s.outgoing.previewAllowedNetworks.length > 0
            ? { url_preview_ip_range_whitelist: s.outgoing.previewAllowedNetworks }
            : {}),
          max_spider_size: "10M",
        }
      : {}),
  };
}
