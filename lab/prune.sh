#!/bin/bash
# prune.sh: removes from the cache what the present sources do not use (older programs, images and base systems).
set -euo pipefail
. "$(dirname "$0")/cluster/env.sh"
lock
before=$(du -sm "$CACHE" | cut -f1)
used() { find "$1" -maxdepth 1 -type l -exec readlink {} + | sed 's#.*/##' | sort -u; }
for f in "$CACHE"/go/*-????????????????; do [ ! -e "$f" ] || used "$BIN" | grep -qxF "${f##*/}" || rm -f "$f"; done
for f in "$CACHE"/images/*-????????????????.tar; do [ ! -e "$f" ] || used "$CACHE/images" | grep -qxF "${f##*/}" || rm -f "$f" "$f.digest"; done
base=$("$LAB/images/base.sh" --where); for d in "$CACHE"/layers/*; do [ "$d" = "$base" ] || rm -rf --one-file-system "$d"; done
# A running cluster uses the base system with which it was started.
if [ -e "$RUN/pki" ]; then say "a cluster is running: the nodes' base systems are left alone"
else for d in "$CACHE"/rootfs/*; do [ -L "$d" ] || [ "${d##*/}" = "$(readlink "$CACHE/rootfs/current")" ] || rm -rf --one-file-system "$d"; done; fi
say "cache: $before MB before, $(du -sm "$CACHE" | cut -f1) MB now"
