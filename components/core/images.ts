/** How a layer declares its images, and how a stack refers to them. Pure. */
import type { Settings } from "../settings/types";

/** An image that the stack runs. */
export interface Image {
  /** Its key in `images.overrides`. */
  key: string;
  /** Registry and path, without tag: `ghcr.io/cloudnative-pg/cloudnative-pg`. */
  repository: string;
  /** Exact version; never `latest`. */
  tag: string;
  /** `sha256:...`, where the content is pinned. */
  digest?: string;
  /** The publication that the version was taken from. */
  source: string;
}

/** A layer's table of images; each image gets its key in the table as its `key`. */
export const images = <T extends Record<string, Omit<Image, "key">>>(table: T): { [K in keyof T & string]: Image } =>
  Object.fromEntries(Object.entries(table).map(([key, image]) => [key, { key, ...image }])) as {
    [K in keyof T & string]: Image;
  };

/**
 * The reference that pods use: the override unchanged, if there is one; else the table's image, with its registry
 * replaced by `images.mirror` where that is set.
 */
export function imageRef(settings: Settings, image: Image): string {
  const override = settings.images.overrides[image.key];
  if (override) return override;
  const repository = settings.images.mirror
    ? `${settings.images.mirror.replace(/\/$/, "")}/${image.repository.replace(/^[^/]*[.:][^/]*\/|^localhost\//, "")}`
    : image.repository;
  return `${repository}:${image.tag}${image.digest ? `@${image.digest}` : ""}`;
}

/** Value of the version label: the tag of the reference in use. */
export function imageVersion(settings: Settings, image: Image): string {
  const ref = imageRef(settings, image).replace(/@.*$/, "");
  const tag = ref.slice(ref.lastIndexOf("/") + 1).split(":")[1];
  return tag ?? image.tag;
}
