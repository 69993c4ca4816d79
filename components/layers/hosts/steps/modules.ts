import type { HostSettings } from "../../../settings/types";
import { script, type HostStep, type StepOptions } from "./shell";

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
    script: script(
      "kernel-modules",
      `
ensure() {
  if [ -e "/sys/module/$1" ] || [ -e "$2" ]; then return 0; fi
  if modprobe "$1" 2>/dev/null; then change "loaded $1"; return 0; fi
  if [ "$1" = overlay ] && grep -qw overlay /proc/filesystems; then return 0; fi
  fail "the kernel has no module $1 and does not have it built in ($2 does not exist): use a kernel that does"
}
${MODULES.map(([m, f]) => `ensure ${m} ${f}`).join("\n")}
put ${root}/etc/modules-load.d/90-matrix-ha.conf <<'FILE'
${MODULES.map(([m]) => m).join("\n")}
FILE`,
    ),
  };
}
