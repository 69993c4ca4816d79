/** How a layer names the images that it runs, and what a stack makes of them. Pure. */
import type { Settings } from "../settings/types";

export interface Image {
  /** As `images.overrides` names it. */
  key: string;
  repository: string;
  tag: string;
  digest?: string;
  /** Where the version was seen. */
  source: string;
}

/** A layer's table of images, each with its key. */
export const images = <T extends Record<string, Omit<Image, "key">>>(table: T): { [K in keyof T & string]: Image } =>
  Object.fromEntries(Object.entries(table).map(([key, image]) => [key, { key, ...image }])) as {
    [K in keyof T & string]: Image;
  };

/** The reference that pods use: an override as it is; else the table's, under the mirror where one is set. */
export function imageRef(settings: Settings, image: Image): string {
  const override = settings.images.overrides[image.key];
  if (override) return override;
  const repository = settings.images.mirror
    ? `${settings.images.mirror.replace(/\/$/, "")}/${image.repository.replace(/^[^/]*[.:][^/]*\/|^localhost\//, "")}`
    : image.repository;
  return `${repository}:${image.tag}${image.digest ? `@${image.digest}` : ""}`;
}

/** Version label of what runs: the tag of the reference in use. */
export function imageVersion(settings: Settings, image: Image): string {
  const ref = imageRef(settings, image).replace(/@.*$/, "");
  const tag = ref.slice(ref.lastIndexOf("/") + 1).split(":")[1];
  return tag ?? image.tag;
}
