# shellcheck shell=bash
. ./preamble.sh

put @ROOT@/etc/sysctl.d/90-matrix-ha.conf <<'FILE'
# @FILE@
FILE

bad=""
refuse() { if [ "$1" = required ]; then bad="$bad $2"; else note "$3"; fi; }
key() { # need(required|optional) rule(exact|least) key value
  local path="@ROOT@/proc/sys/${3//./\/}" now
  if [ ! -e "$path" ]; then refuse "$1" "$3" "$3 does not exist here (a container, or a kernel without it): passed over"; return 0; fi
  now=$(tr '\t' ' ' <"$path")
  if [ "$now" = "$4" ]; then return 0; fi
  if [ "$2" = least ] && [ "$now" -ge "$4" ]; then return 0; fi
  if ! { printf '%s\n' "$4" >"$path"; } 2>/dev/null; then refuse "$1" "$3" "$3 cannot be written here (is $now, wanted $4): passed over"; return 0; fi
  change "$3 = $4"
}
# @CALLS@
[ -z "$bad" ] || fail "these kernel settings are required and cannot be set:$bad. Is the step kernel-modules done, and is this a real machine?"

echo "sysctls: ${changed:-nothing changed}"
