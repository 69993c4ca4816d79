# shellcheck shell=bash
. ./preamble.sh

. ./fstab.sh

image=@IMAGE@
path=@MOUNT@
gib=@GIB@
bytes=$((gib * 1073741824))

# The file system beneath may compress or share blocks, but never overcommits what fallocate returned.
allocate() { # file
  local have free
  have=$(stat -c %s "$1" 2>/dev/null || echo 0)
  free=$(df --output=avail -B1 @DISK@ | tail -n 1)
  [ "$((bytes - have))" -le "$free" ] || fail "@DISK@ has $((free / 1073741824)) GiB free, and the WAL volume needs $(((bytes - have) / 1073741824)) GiB more. Give the host a disk with use: wal, or lower overrides.postgres.walStorageGiB."
  fallocate -l "$bytes" "$1" || fail "$1 could not be allocated: does the file system of @DISK@ know fallocate (ext4, XFS)?"
}

line="$image $path ext4 loop,noatime,nofail,errors=remount-ro,x-systemd.requires-mounts-for=@DISK@ 0 0"
other=$(awk -v at="$path" '$2 == at {print $1}' "$fstab")
if [ -n "$other" ] && [ "$other" != "$image" ]; then
  fail "$path is mounted from $other by $fstab: a disk with use: wal was taken out of the settings. Its WAL stays where it is: put the disk back, or move the instance away first (docs/operate.md)."
fi
if [ ! -e "$image" ]; then
  rm -f "$image.matrix-ha-new"
  allocate "$image.matrix-ha-new"
  chmod 600 "$image.matrix-ha-new"
  # nodiscard: mkfs would give the blocks back. WAL is few large files.
  mkfs.ext4 -q -F -m 0 -T largefile4 -E nodiscard -L mhaw-image "$image.matrix-ha-new"
  mv "$image.matrix-ha-new" "$image"
  change "made $image (@GIB@ GiB)"
fi
if [ -z "$other" ]; then
  add_to_fstab "$line" "$path"
fi
size=$(stat -c %s "$image")
device=$(findmnt -nro SOURCE -M "$path" || true)
if [ "$size" -lt "$bytes" ]; then
  allocate "$image"
  if [ -n "$device" ]; then losetup -c "$device"; else e2fsck -fp "$image" >/dev/null || [ $? -eq 1 ]; fi
  resize2fs "${device:-$image}" >/dev/null 2>&1 || fail "${device:-$image} could not be enlarged: see resize2fs ${device:-$image}"
  change "enlarged $image to @GIB@ GiB"
elif [ "$size" -gt "$bytes" ]; then
  note "$image stays at $((size / 1073741824)) GiB: a file system in use is not made smaller"
fi
if [ -z "$device" ]; then
  mount_from_fstab "$path" "$image"
fi

echo "wal: ${changed:-nothing changed}"
