/** Start script of a coturn pod: adds the node's own addresses to the common configuration. Pure. */
import { scriptFrom, verbatim } from "../../core/scripts";
import type { Settings } from "../../settings/types";
import { publicAddressLookup } from "../../domain/callHosts";
import { TURN_PATHS } from "./turnserverConf";

export function turnStart(settings: Settings, tls: boolean): string {
  return scriptFrom(__dirname, "turnStart.sh", {
    PUBLIC_ADDRESS: verbatim(publicAddressLookup(settings)),
    SECRET: TURN_PATHS.secret,
    RUN: TURN_PATHS.run,
    RENEWAL: verbatim(tls ? scriptFrom(__dirname, "turnRenewal.sh", { TLS: TURN_PATHS.tls }) : ""),
  });
}
