/** Start script of the SFU: puts the node's own address into its configuration. Pure. */
import { scriptFrom, verbatim } from "../../core/scripts";
import type { Settings } from "../../settings/types";
import { publicAddressLookup } from "../../domain/callHosts";
import { NODE_IP } from "./livekitYaml";

export const RTC_PATHS = {
  secret: "/etc/matrix-ha/livekit",
  start: "/etc/matrix-ha/start",
  run: "/run/livekit",
  keys: "/etc/matrix-ha/keys",
  ca: "/etc/matrix-ha/ca",
  authorities: "/etc/matrix-ha/authorities",
} as const;

export const livekitStart = (settings: Settings): string =>
  scriptFrom(__dirname, "livekitStart.sh", {
    PUBLIC_ADDRESS: verbatim(publicAddressLookup(settings)),
    NODE_IP,
    SECRET: RTC_PATHS.secret,
    RUN: RTC_PATHS.run,
  });
