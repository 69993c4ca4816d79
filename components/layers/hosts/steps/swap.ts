import type { HostSettings } from "../../../settings/types";
import { script, type HostStep, type StepOptions } from "./shell";

/** Switches swap off, now and at boot. */
export function swapStep(_host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  return {
    name: "swap",
    why: "kubelet refuses a host with swap, and a swapping database is a slow one",
    script: script(
      "swap",
      `
fstab=${root}/etc/fstab
if [ "$(wc -l <${root}/proc/swaps)" -gt 1 ]; then
  # Units that systemd found by itself (a partition of type swap, zram) come back at boot unless masked.
  if have systemctl; then
    for unit in $(systemctl list-units --type=swap --state=active --no-legend --plain 2>/dev/null | awk '{print $1}'); do systemctl mask "$unit" >/dev/null 2>&1 || true; done
  fi
  swapoff -a
  [ "$(wc -l <${root}/proc/swaps)" -le 1 ] || fail "swap is still on after swapoff -a: $(awk 'NR > 1 {print $1}' ${root}/proc/swaps | tr '\\n' ' ')"
  change "swap is off"
fi
if [ -e "$fstab" ] && grep -qE '^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]]|$)' "$fstab"; then
  sed -E -i.before-matrix-ha 's/^([[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?)$/# matrix-ha: \\1/' "$fstab"
  change "swap lines of $fstab commented out"
fi`,
    ),
  };
}
