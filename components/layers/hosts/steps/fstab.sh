# shellcheck shell=bash
# How the steps that mount file systems note and mount them.
fstab=@ROOT@/etc/fstab
touch "$fstab"

add_to_fstab() { # line path
  [ -z "$(tail -c 1 "$fstab")" ] || printf '\n' >>"$fstab"
  printf '%s\n' "$1" >>"$fstab"
  if have systemctl; then systemctl daemon-reload >/dev/null 2>&1 || true; fi
  change "added $2 to $fstab"
}

mount_from_fstab() { # path what
  local path=$1
  mkdir -p "$path"
  [ -z "$(ls -A "$path")" ] || fail "$path is not empty and not mounted: mounting $2 over it would hide what is there"
  # While it is not mounted nothing may be written beneath: it would fill the system's disk unseen.
  chattr +i "$path" 2>/dev/null || true
  mount "$path"
  change "mounted $path"
}
