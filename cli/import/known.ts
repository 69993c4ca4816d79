/** Which options Synapse has. The only place that knows the list. Pure. */
import { nearest } from "../../components/schema/syntax/text";
import { patternOf, type Path } from "./finding";
import { OPTIONS, OPTIONS_VERSION, type SynapseOption } from "../../components/layers/synapse/extra/options";

/** The version of Synapse that the list is of. */
export const KNOWN_VERSION = OPTIONS_VERSION;

/** An option and what is in it, as patterns. @example "media_upload_limits", "media_upload_limits[].max_size" */
const patterns = (at: string, { options = {}, entries = {} }: SynapseOption): string[] => [
  at,
  ...Object.entries(options).flatMap(([key, inner]) => patterns(`${at}.${key}`, inner)),
  ...Object.entries(entries).flatMap(([key, inner]) => patterns(`${at}[].${key}`, inner)),
];
const LIST = Object.entries(OPTIONS).flatMap(([name, option]) => patterns(name, option));
const KNOWN = new Set(LIST);
/** Sections of which the list names what is in them. */
const SECTIONS = new Set(LIST.flatMap((option) => /^(.*?)(?:\.[^.]+)$/.exec(option)?.[1] ?? []));
/** Sections in which every name is a user's own. */
const OPEN =
  /^(old_signing_keys|caches\.per_cache_factors|instance_map|stream_writers|database\.args|modules\[\]\.config|.*\.extra_attributes|saml2_config\.sp_config|media_storage_providers\[\]\.config|(worker_)?listeners\[\].*|.*user_mapping_provider\.config|mau_appservice_trial_days|metrics_flags|room_prejoin_state|default_power_level_content_override|listeners.*|email\.subjects|push)(\.|$)/;

/** Whether Synapse knows an option at this place; names that users choose are always known. */
export function isKnown(path: Path): boolean {
  const pattern = patternOf(path);
  if (KNOWN.has(pattern) || OPEN.test(pattern)) return true;
  // Inside a section of which nothing is listed, everything goes: Synapse itself hands it on.
  const above = path.slice(0, -1);
  return above.length > 0 && isKnown(above) && !SECTIONS.has(patternOf(above));
}

/** The known option that a mistyped one probably means. */
export function meant(path: Path): string | undefined {
  const siblings = LIST.filter((option) => !option.includes(".") === (path.length === 1));
  return nearest(patternOf(path), siblings);
}
