/** Start script of the SFU: puts the node's own address into its configuration. Pure. */
import type { Settings } from "../../settings/types";
import { publicAddressLookup } from "../../domain/callHosts";
import { NODE_IP } from "./livekitYaml";

export const RTC_PATHS = {
  secret: "/etc/matrix-ha/livekit",
  start: "/etc/matrix-ha/start",
  run: "/run/livekit",
  keys: "/etc/matrix-ha/keys",
  ca: "/etc/matrix-ha/ca",
} as const;

export const livekitStart = (settings: Settings): string => `#!/bin/sh
set -eu
umask 077
${publicAddressLookup(settings)}
sed "s/${NODE_IP}/$PUBLIC_IP/" ${RTC_PATHS.secret}/livekit.yaml >${RTC_PATHS.run}/livekit.yaml
`;
