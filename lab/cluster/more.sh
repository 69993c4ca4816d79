#!/bin/bash
# more.sh join|leave N...: nodes beyond the first three (4 to 9): machines that an operator adds, and takes away again.
# An added node counts everywhere until it has left: down.sh finds it too, and up.sh starts it again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
what=${1:-}; shift || true
for n in "$@"; do case $n in [4-9]) ;; *) die "node $n: 4 to 9 can join and leave" ;; esac; done
[ $# -gt 0 ] || die "usage: more.sh join|leave N..."
lock
s=$(now)
case $what in
join)
  for n in "$@"; do case "$NODES " in *" $n "*) ;; *) NODES="$NODES $n"; printf ' %s' "$n" >> "$RUN/nodes.more" ;; esac; done
  "$CLUSTER/pki.sh"; "$CLUSTER/net.sh" up; "$CLUSTER/nodes.sh" up "$*"; "$CLUSTER/provision.sh"
  "$LAB/images/import.sh" --node "$*"
  for n in "$@"; do kubectl wait --for=condition=Ready "node/node$n" --timeout=120s > /dev/null; done
  "$CLUSTER/netpol.sh" up "$*"
  say "        joined in $(took "$s") s: $*" ;;
leave)
  for n in "$@"; do
    kubectl delete node "node$n" --ignore-not-found > /dev/null
    "$CLUSTER/nodes.sh" down "$n"; "$CLUSTER/net.sh" down "$n"
    for m in $NODES; do ip -n "lab-n$m" route del "$(pod_net "$n")" 2>/dev/null || true; done
    ip -n lab-cp route del "$(pod_net "$n")" 2>/dev/null || true
    rm -rf --one-file-system "$RUN/node$n" "$PKI/node$n".* "$PKI/node${n}"_host*; sed -i "/,node$n /d" "$PKI/known_hosts"
    sed -i "s/ $n\b//" "$RUN/nodes.more"
  done
  [ -s "$RUN/nodes.more" ] || rm -f "$RUN/nodes.more"
  say "        left in $(took "$s") s: $*" ;;
*) die "usage: more.sh join|leave N..." ;;
esac
