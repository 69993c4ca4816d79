/** Parsed settings made complete: the defaults that depend on other settings. Pure. */
import { LAYERS, type LayerCompleted } from "../layers/registry";
import { defined } from "../schema/walk";
import type { SettingsInput } from "./schema";
import type { Settings } from "./types";

/** What concerns the stack as a whole. */
export interface GeneralCompleted {
  /** Name of the deployment: the Pulumi stack. Only a label; nothing branches on it. */
  instance: string;
  /** The `:server` part of user ids. Can never be changed later. @default domain */
  serverName: string;
  hostnames: { homeserver: string; web: string; admin: string; rtc: string; turn: string };
  images: Omit<SettingsInput["images"], "overrides"> & { overrides: Record<string, string> };
}

export function complete(input: SettingsInput, instance: string): Settings {
  const layers = Object.assign({}, ...LAYERS.map((layer) => layer.complete?.(input))) as LayerCompleted;
  const { hostDefaults: _ofHosts, ssh: _ofEachHost, ...written } = input;
  const settings: Settings = {
    ...written,
    instance,
    serverName: input.serverName ?? input.domain,
    hostnames: completeHostnames(input.hostnames, input.domain),
    images: { ...input.images, overrides: defined(input.images.overrides) },
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
