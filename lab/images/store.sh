#!/bin/bash
# store.sh DIRECTORY: all images that are built, as containerd keeps them, become the store of a new node. They are unpacked
# once, by a separate containerd, into $CACHE/stores/<key>; a node starts with hard links to that: unpacked files are never
# written to, only the few databases, which are copied. Importing into three nodes took 80 s on two cores.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
lock
into=$1 O=$CACHE/images S=$CACHE/stores
[ -s "$O/index.tsv" ] || exit 0
k=$({ cut -f1,3 "$O/index.tsv" | sort; readlink "$BIN/containerd"; } | key "$LAB/images/store.sh")
if [ ! -d "$S/$k" ]; then
  s=$(now); mkdir -p "$S"; rm -rf --one-file-system "$S"/*.tmp
  T=$S/$k.tmp; mkdir -p "$T/root"
  cat > "$T/config.toml" <<Y
version = 3
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/socket"
[ttrpc]
  address = "$T/socket.ttrpc"
Y
  mapfile -t tars < <(cut -f2 "$O/index.tsv")
  python3 "$LAB/images/pack.py" "$T/pack.tar" "${tars[@]}"
  say "        unpacking ${#tars[@]} images ($(($(stat -c %s "$T/pack.tar") / 1000000)) MB) for the nodes (about 45 s) ..."
  # Mounts in a namespace of their own go with the last process in it.
  unshare --mount --propagation private setpriv --pdeathsig KILL "$BIN/containerd" --config "$T/config.toml" > "$T/log" 2>&1 & daemon=$!
  trap 'kill "$daemon" 2> /dev/null || true; wait "$daemon" 2> /dev/null || true; rm -rf --one-file-system "$T"' EXIT
  for ((i = 0; i < 300; i++)); do "$BIN/ctr" -a "$T/socket" version > /dev/null 2>&1 && break; kill -0 "$daemon" 2> /dev/null || break; sleep 0.1; done
  "$BIN/ctr" -a "$T/socket" -n k8s.io images import --local "$T/pack.tar" > "$T/import.log" 2>&1 || { tail -5 "$T/log" "$T/import.log" >&2; die "the images could not be unpacked"; }
  kill "$daemon"; wait "$daemon" 2> /dev/null || true
  mv "$T/root" "$S/$k"
  for old in "$S"/*; do case ${old##*/} in "$k" | "$k.tmp") ;; *) rm -rf --one-file-system "$old" ;; esac; done
  say "        unpacked in $(took "$s") s"
fi
# Another file system than the cache's has no hard links to it: there the images are imported later (import.sh).
rm -rf --one-file-system "$into.tmp"
cp -al "$S/$k" "$into.tmp" 2> /dev/null || { rm -rf --one-file-system "$into.tmp"; exit 0; }
find "$into.tmp" -name '*.db' -exec cp --remove-destination {} {}.tmp \; -exec mv {}.tmp {} \;
mv "$into.tmp" "$into"
