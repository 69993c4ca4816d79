import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import type { HostStep, StepOptions } from "./shell";

/** Kernel modules, each with a file that exists when the feature is built into the kernel. */
const MODULES: Array<[module: string, builtIn: string]> = [
  ["br_netfilter", "/proc/sys/net/bridge/bridge-nf-call-iptables"],
  ["overlay", "/sys/module/overlay"],
  ["nf_conntrack", "/proc/sys/net/netfilter/nf_conntrack_max"],
];

/** Loads kernel modules, now and at boot. */
export function modulesStep(_host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  return {
    name: "kernel-modules",
    why: "bridged pod traffic passes the packet filter, images are overlays, connections are tracked",
    script: scriptFrom(__dirname, "modules.sh", {
      ROOT: root,
      ENSURE: verbatim(MODULES.map(([m, f]) => `ensure ${m} ${f}`).join("\n")),
      NAMES: verbatim(MODULES.map(([m]) => m).join("\n")),
    }),
  };
}
