#!/bin/bash
# down.sh: stops everything and removes the cluster's data and keys; the cache stays. Works from any half-way state and
# says what it could not remove.
set -uo pipefail
. "$(dirname "$0")/env.sh"
[ "$(id -u)" = 0 ] || die "must run as root"
lock
s=$(now)
"$CLUSTER/controlplane.sh" down
"$CLUSTER/nodes.sh" down
"$CLUSTER/net.sh" down
# Twice: of settings that exclude each other (vm.dirty_bytes, vm.dirty_ratio), one changes back when the other is restored.
sysctls_back() {
  local k v; while read -r k v; do [ "$(cat "/proc/sys/$k" 2>/dev/null)" = "$v" ] || echo "$v" > "/proc/sys/$k" || "$@" "could not restore $k = $v"; done < "$RUN/sysctl.old"
} 2>/dev/null
if [ -e "$RUN/sysctl.old" ]; then sysctls_back :; sysctls_back say; fi
# Nothing of the cluster may be left. Mounts under $RUN are looked for before anything is deleted: rm through a mount
# that is still there would delete the mounted files.
left=()
while read -r m; do left+=("mount $m"); done < <(awk -v r="$RUN/" 'index($2, r) == 1 {print $2}' /proc/mounts)
for n in $NODES; do
  for d in $(cgroup_dirs "$n"); do [ ! -d "$d" ] || left+=("control group $d: processes $(find "$d" -name cgroup.procs -exec cat {} + | sort -nu | tr '\n' ' ')"); done
  ! alive "$RUN/node$n/pid" || left+=("process of node$n")
done
while read -r x; do left+=("namespace $x"); done < <(ip netns list | grep -oE '^lab-(sw|cp|n[0-9])')
while read -r x; do left+=("loop device $x"); done < <(losetup -O NAME,BACK-FILE -n | awk -v r="$RUN/" 'index($2, r) == 1 {print $1}')
if [ ${#left[@]} -gt 0 ]; then printf 'still there: %s\n' "${left[@]}" >&2; die "data kept in $RUN; run down.sh again when these are gone"; fi
if [ -e "$RUN/.matrix-ha-lab" ]; then rm -rf --one-file-system "${RUN:?}"
else rm -rf --one-file-system "${RUN:?}"/node[0-9]* "${RUN:?}"/{nodes.more,cp,pki,pki.tmp,bin,import,sysctl.old,sysctl.tmp,netns.mount,pulumi,admin.json,kept.json,ca.crt} "$RUN"/provision.* "$RUN"/.probe.*; fi
rmdir "$RUN" 2>/dev/null || true
say "cluster down in $(took "$s") s; the cache stays: $(du -sh "$CACHE" 2>/dev/null | cut -f1) in $CACHE"
