# shellcheck shell=bash
. ./preamble.sh

. ./fstab.sh

zeros() { [ "$(dd if="$1" bs=1M skip="$2" count="$3" status=none | tr -d '\000' | head -c 1 | wc -c)" -eq 0 ]; }

# Says in $found what is on the device; empty: blank.
inspect() {
  local dev=$1 bytes mib i rc=0
  found=""
  if [ "$(lsblk -nro NAME "$dev" | wc -l)" -gt 1 ]; then found="partitions or volumes: $(lsblk -nro NAME "$dev" | tail -n +2 | tr '\n' ' ')"; return 0; fi
  found=$(findmnt -nro TARGET -S "$dev" || true)
  if [ -n "$found" ]; then found="a mounted file system at $found"; return 0; fi
  found=$(blkid -p -o export "$dev" 2>&1) || rc=$?
  # 2: the probe worked and found nothing. 8: contradictory signatures. Any other code is no proof of anything.
  if [ "$rc" -ne 2 ]; then found="$(printf '%s' "$found" | tr '\n' ' ')(blkid answers $rc)"; return 0; fi
  found=$(wipefs -n --noheadings "$dev" 2>&1) || found="wipefs could not read it: $found"
  if [ -n "$found" ]; then return 0; fi
  bytes=$(blockdev --getsize64 "$dev"); mib=$((bytes / 1048576))
  [ "$mib" -ge 64 ] || { found="only $mib MiB"; return 0; }
  zeros "$dev" 0 4 || { found="data in its first 4 MiB"; return 0; }
  # shellcheck disable=SC2017 # whole MiB, before they are multiplied too
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do zeros "$dev" $((mib / 16 * i)) 1 || { found="data at $((mib / 16 * i)) MiB"; return 0; }; done
  zeros "$dev" $((mib - 1)) 1 || { found="data in its last MiB"; return 0; }
}

# The kernel's default for ext4 is to go on after an error: the database would go on writing into a damaged file system.
# Read-only it ends, and a standby takes over. XFS shuts itself down.
stops_on_errors() { if [ "$1" = ext4 ]; then printf ',errors=remount-ro'; fi; }

# Disks that were formatted or mounted without it get it while they are mounted: nothing is interrupted.
stop_on_errors() { # device uuid path filesystem
  local dev=$1 uuid=$2 path=$3
  if [ "$4" != ext4 ]; then return 0; fi
  if [ "$(tune2fs -l "$dev" | sed -n 's/^Errors behavior: *//p')" != "Remount read-only" ]; then
    tune2fs -e remount-ro "$dev" >/dev/null
    mount -o remount,errors=remount-ro "$path"
    change "$path becomes read-only after errors"
  fi
  if awk -v id="UUID=$uuid" '$1 == id && $4 !~ /(^|,)errors=remount-ro(,|$)/ {found = 1} END {exit !found}' "$fstab"; then
    sed -E -i "/^UUID=${uuid}[[:space:]]/{s/,errors=[a-z-]+//; s/^([^[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+ext4[[:space:]]+[^[:space:]]+)/\\1,errors=remount-ro/}" "$fstab"
    change "$path in $fstab: errors=remount-ro"
  fi
}

prepare() { # id filesystem label path sizeGiB
  local id=$1 fs=$2 label=$3 path=$4 size=$5 dev bytes uuid line other
  dev=$(readlink -f "$id") && [ -n "$(lsblk -dnro NAME "$dev" 2>/dev/null)" ] || fail "$id is no block device on this host: compare with ls -l /dev/disk/by-id"
  bytes=$(blockdev --getsize64 "$dev")
  # Vendors count in powers of ten: 7 % less than the same number of GiB is the same disk.
  [ $((bytes / 1048576)) -ge $((size * 1024 * 9 / 10)) ] || fail "$id holds $((bytes / 1073741824)) GiB, the settings say $size: is this the disk that you mean?"

  if [ "$(blkid -p -s LABEL -o value "$dev" 2>/dev/null || true)" = "$label" ]; then
    other=$(blkid -p -s TYPE -o value "$dev")
    [ "$other" = "$fs" ] || fail "$id carries our label $label but is $other, not $fs: look at it by hand"
  else
    inspect "$dev"
    [ -z "$found" ] || fail "$id is not blank and was left as it is. Found: $found. Give another disk, or wipe this one yourself if nothing on it is needed: wipefs -a $id && blkdiscard -f $id (or dd zeros over it), then run again."
    case $fs in
      xfs) mkfs.xfs -q -L "$label" "$dev" ;;
      ext4) mkfs.ext4 -q -m 0 -e remount-ro -L "$label" "$dev" ;;
    esac
    change "formatted $id as $fs ($label)"
  fi

  uuid=$(blkid -p -s UUID -o value "$dev")
  [ -n "$uuid" ] || fail "$id has no UUID after formatting"
  other=$(awk -v id="UUID=$uuid" '$1 == id {print $2}' "$fstab")
  if [ -z "$other" ]; then
    # nofail: a host whose data disk died still boots and can be reached.
    line="UUID=$uuid $path $fs defaults,noatime,nofail,x-systemd.device-timeout=30s$(stops_on_errors "$fs") 0 2"
    add_to_fstab "$line" "$path"
  elif [ "$other" != "$path" ]; then
    fail "$id is mounted at $other by $fstab, and the settings put it at $path: its data stay where they are. Put the disks in their former order, or move the data by hand."
  fi
  other=$(findmnt -nro SOURCE -M "$path" || true)
  if [ -z "$other" ]; then
    mount_from_fstab "$path" "$id"
  elif [ "$(readlink -f "$other")" != "$dev" ]; then
    fail "$path is mounted from $other, not from $id"
  fi
  stop_on_errors "$dev" "$uuid" "$path" "$fs"
}

# @PREPARE@

echo "disks: ${changed:-nothing changed}"
