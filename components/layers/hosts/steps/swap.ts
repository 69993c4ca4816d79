import { scriptFrom } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import type { HostStep, StepOptions } from "./shell";

/** Switches swap off, now and at boot. */
export function swapStep(_host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  return {
    name: "swap",
    why: "kubelet refuses a host with swap, and a swapping database is a slow one",
    script: scriptFrom(__dirname, "swap.sh", { ROOT: root }),
  };
}
