# shellcheck shell=bash
. ./preamble.sh

ensure() {
  if [ -e "/sys/module/$1" ] || [ -e "$2" ]; then return 0; fi
  if modprobe "$1" 2>/dev/null; then change "loaded $1"; return 0; fi
  if [ "$1" = overlay ] && grep -qw overlay /proc/filesystems; then return 0; fi
  fail "the kernel has no module $1 and does not have it built in ($2 does not exist): use a kernel that does"
}
# @ENSURE@
put @ROOT@/etc/modules-load.d/90-matrix-ha.conf <<'FILE'
# @NAMES@
FILE

echo "kernel-modules: ${changed:-nothing changed}"
