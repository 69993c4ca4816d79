#!/bin/bash
# base.sh: the shared lower layer of the Debian images: Debian testing ("forky"), which has every program in the wanted
# version. Prints the folder that holds base.tar (as it goes into the images) and root/ (unpacked, for building on it).
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
SUITE=forky PACKAGES=ca-certificates,curl,netcat-openbsd,procps
D=$CACHE/layers/base-$(echo "$SUITE $PACKAGES" | key "$0")
[ "${1:-}" != --where ] || { echo "$D"; exit 0; }
if [ ! -e "$D/.done" ]; then
  say "        building the base layer from Debian $SUITE (about 20 s) ..." >&2
  s=$(now); rm -rf "$D"; mkdir -p "$D/root"
  # apt's sources are emptied: the image must not know which mirror this machine uses. layer.sh gives them back while building.
  mapfile -t opts < <(mmdebstrap_options)
  mmdebstrap "${opts[@]}" --quiet --variant=minbase --include="$PACKAGES" --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"; : > "$1/etc/apt/sources.list"; rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"' \
    "$SUITE" "$D/base.tar" "deb $(debian_mirror) $SUITE main"
  tar -C "$D/root" -xf "$D/base.tar"
  touch "$D/.done"; say "        base: $(took "$s") s, $(du -sm "$D/base.tar" | cut -f1) MB" >&2
fi
echo "$D"
