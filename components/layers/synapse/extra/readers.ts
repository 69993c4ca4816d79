/**
 * Which classes of processes read an option of `synapse.extra`. Another value restarts those alone.
 *
 * Almost every option is read by every process. The exceptions are those that Synapse reads after it has seen that the
 * process serves media (`enable_media_repo`, in read_config of synapse/config/repository.py): the configuration of any
 * other process is the same with and without them, so nothing there can depend on them. That it is the same is shown
 * with the pinned Synapse (test/real/mediaOptions.test.ts). An option that is parsed everywhere is in no such table,
 * even where only one class seems to use it: that could be shown for no module, and would not hold for the next
 * version. Pure.
 */
import type { Yaml } from "../homeserverYaml";

/** Options that only processes that serve media read. */
export const MEDIA_OPTIONS: readonly string[] = [
  "dynamic_thumbnails",
  "enable_authenticated_media",
  "max_image_pixels",
  "max_pending_media_uploads",
  "max_spider_size",
  "media_upload_limits",
  "prevent_media_downloads_from",
  "thumbnail_sizes",
  "unused_expiration_time",
  "url_preview_accept_language",
  "url_preview_url_blacklist",
];

/** Whether a class reads a top-level option. @param stack What the stack writes for that class */
export const isRead = (option: string, stack: Yaml): boolean =>
  stack.enable_media_repo !== false || !MEDIA_OPTIONS.includes(option);
