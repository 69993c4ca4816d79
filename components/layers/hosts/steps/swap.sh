# shellcheck shell=bash
. ./preamble.sh

fstab=@ROOT@/etc/fstab
if [ "$(wc -l <@ROOT@/proc/swaps)" -gt 1 ]; then
  # Units that systemd found by itself (a partition of type swap, zram) come back at boot unless masked.
  if have systemctl; then
    for unit in $(systemctl list-units --type=swap --state=active --no-legend --plain 2>/dev/null | awk '{print $1}'); do systemctl mask "$unit" >/dev/null 2>&1 || true; done
  fi
  swapoff -a
  [ "$(wc -l <@ROOT@/proc/swaps)" -le 1 ] || fail "swap is still on after swapoff -a: $(awk 'NR > 1 {print $1}' @ROOT@/proc/swaps | tr '\n' ' ')"
  change "swap is off"
fi
if [ -e "$fstab" ] && grep -qE '^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]]|$)' "$fstab"; then
  sed -E -i.before-matrix-ha 's/^([[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?)$/# matrix-ha: \1/' "$fstab"
  change "swap lines of $fstab commented out"
fi

echo "swap: ${changed:-nothing changed}"
