#!/bin/bash
# info.sh: everything another program needs to know about the running cluster, as JSON.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ -d "$PKI" ] || die "no cluster in $RUN: lab/cluster/up.sh"
{
  printf '{"kubeconfig": "%s", "kubectl": "%s", "ssh": {"user": "root", "privateKeyFile": "%s", "knownHostsFile": "%s"}, "nodes": [' "$KUBECONFIG" "$BIN/kubectl" "$PKI/id" "$PKI/known_hosts"
  c=""; for n in $NODES; do printf '%s{"name": "node%s", "address": "%s", "hostKey": "%s", "disk": "/dev/disk/by-id/lab-nvme-node%s"}' "$c" "$n" "$(node_ip "$n")" "$(cat "$PKI/node${n}_host.pub")" "$n"; c=,; done
  printf '], "images": {'
  c=""; while IFS=$'\t' read -r im tar dg; do printf '%s"%s": {"archive": "%s", "digest": "%s"}' "$c" "$im" "$tar" "$dg"; c=,; done < "$CACHE/images/index.tsv"
  printf '}}'
} | python3 -m json.tool
