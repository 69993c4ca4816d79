/** Completes parsed settings with the defaults that depend on other settings. Pure. */
import { LAYERS, type LayerCompleted } from "../layers/registry";
import { defined } from "../schema/walk";
import { PULL_SECRET } from "./general/images";
import type { SettingsInput } from "./schema";
import type { Settings } from "./types";

/** The completed sections that belong to no layer. */
export interface GeneralCompleted {
  /** Name of the Pulumi stack. Used in labels only; nothing branches on it. */
  instance: string;
  /** The `:server` part of user ids. Can never be changed later. @default domain */
  serverName: string;
  /** Public host names. @default matrix, chat, admin, rtc and turn, each below `domain` */
  hostnames: { homeserver: string; web: string; admin: string; rtc: string; turn: string };
  /** As written; `overrides` has only the keys that are set. */
  images: Omit<SettingsInput["images"], "overrides"> & { overrides: Record<string, string> };
}

/** Complete settings. @param instance Name of the Pulumi stack */
export function complete(input: SettingsInput, instance: string): Settings {
  const layers = Object.assign({}, ...LAYERS.map((layer) => layer.complete?.(input))) as LayerCompleted;
  const { hostDefaults: _ofHosts, ssh: _ofEachHost, ...written } = input;
  const settings: Settings = {
    ...written,
    instance,
    serverName: input.serverName ?? input.domain,
    hostnames: completeHostnames(input.hostnames, input.domain),
    images: {
      ...input.images,
      pullSecret: input.images.pullSecret ?? (input.images.dockerConfig === undefined ? undefined : PULL_SECRET),
      overrides: defined(input.images.overrides),
    },
    ...layers,
  };
  return defined(settings);
}

const completeHostnames = (given: SettingsInput["hostnames"], domain: string): GeneralCompleted["hostnames"] => ({
  homeserver: given.homeserver ?? `matrix.${domain}`,
  web: given.web ?? `chat.${domain}`,
  admin: given.admin ?? `admin.${domain}`,
  rtc: given.rtc ?? `rtc.${domain}`,
  turn: given.turn ?? `turn.${domain}`,
});
