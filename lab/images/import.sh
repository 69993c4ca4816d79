#!/bin/bash
# import.sh [--node "N..."] [recipe]...: brings the images into the nodes' containerd: only those whose digest a node does
# not have under that name. The missing images go in as one tar that has every layer once: importing them one by one
# takes four times as long.
set -euo pipefail
. "$(dirname "$0")/../cluster/env.sh"
lock
only=""; [ "${1:-}" != --node ] || { only=$2; shift 2; }
O=$CACHE/images; declare -A image digest
while IFS=$'\t' read -r im tar dg; do r=${tar##*/}; r=${r%-*}; image[$r]=$im; digest[$r]=$dg; done < "$O/index.tsv"
[ $# -gt 0 ] || { mapfile -t all < <(printf '%s\n' "${!image[@]}" | sort); set -- "${all[@]}"; }
for r in "$@"; do [ -n "${image[$r]:-}" ] || die "image $r is not built (lab/images/build.sh $r)"; done
missing() { # recipes whose image node N does not have with this digest
  local have; have=$(sshn "$1" 'ctr -n k8s.io images ls 2> /dev/null' < /dev/null | awk '{print $1, $3}')
  shift; for r in "$@"; do grep -qxF "${image[$r]} ${digest[$r]}" <<< "$have" || echo "$r"; done
}
s=$(now); declare -A want; nodes=()
for n in ${only:-$NODES}; do w=$(missing "$n" "$@" | tr '\n' ' '); [ -z "$w" ] || { nodes+=("$n"); for r in $w; do want[$r]=1; done; }; done
if [ ${#nodes[@]} = 0 ]; then say "        images: all $# are in the nodes"; exit 0; fi
mkdir -p "$RUN/import"; pack=$(mktemp "$RUN/import/pack.XXXX"); trap 'rm -f "$pack"' EXIT
tars=(); for r in "${!want[@]}"; do tars+=("$O/$r.tar"); done
python3 "$LAB/images/pack.py" "$pack" "${tars[@]}"
say "        importing ${#want[@]} images ($(($(stat -c %s "$pack") / 1000000)) MB) into $(printf 'node%s ' "${nodes[@]}")..."
# All nodes at once: the archive is read from the disk once, and they see it read-only at /opt/import.
pids=(); for n in "${nodes[@]}"; do sshn "$n" "ctr -n k8s.io images import --local /opt/import/${pack##*/} > /tmp/import.log 2>&1 || { tail -5 /tmp/import.log; exit 1; }" < /dev/null & pids+=($!); done
for p in "${pids[@]}"; do wait "$p"; done
say "        imported in $(took "$s") s"
