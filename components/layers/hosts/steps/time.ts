import { scriptFrom } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import type { HostStep } from "./shell";

/** Makes sure that a time daemon runs. */
export function timeStep(_host: HostSettings): HostStep {
  return {
    name: "time",
    why: "TURN credentials, certificates and leases compare clocks",
    script: scriptFrom(__dirname, "time.sh"),
  };
}
