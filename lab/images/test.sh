#!/bin/bash
# test.sh: starts the program of every image in a node (node1) and looks for the version that the image's name states.
set -uo pipefail
. "$(dirname "$0")/../cluster/env.sh"
pass=0 fail=0 list=$(grep -v '^#' "$LAB/images/list.txt" | cut -d'|' -f1,2 | tr -d ' ')
t() { # recipe expected command...
  local r=$1 want=$2 im out; shift 2
  im=$(grep "^$r|" <<< "$list" | cut -d'|' -f2)
  out=$(sshn 1 "ctr -n k8s.io run --rm $im test-$r-$$ $* 2>&1" < /dev/null | grep -v 'level=warning')
  if grep -qF -- "$want" <<< "$out"; then pass=$((pass + 1)); say "ok   $im: $(grep -F -m1 -- "$want" <<< "$out" | cut -c1-100)"; else fail=$((fail + 1)); say "FAIL $im: '$want' not in: $(head -3 <<< "$out")"; fi
}
t base "curl " curl --version
t coredns 1.14.6 /coredns -version
t local-path-provisioner "COMMANDS" /local-path-provisioner --help
t postgresql "18.6" postgres --version
t postgresql "barman" sh -c "'barman-cloud-backup --version; psql --version'"
t pgbouncer "1.26.1" /usr/bin/pgbouncer --version
t redis "v=8.0.6" redis-server --version
t haproxy "3.2.26" haproxy -v
t nginx "1.30.6" nginx -v
t coturn "4.18.0" turnserver --version
t synapse "1.163.2" /opt/synapse/bin/python -c "'import synapse, s3_storage_provider; print(synapse.__version__)'"
t minio "minio version" minio --version
t mc "mc version" mc --version
t livekit "1.13.5" /livekit-server --version
t metallb-controller "Usage" /controller --help
t metallb-speaker "Usage" /speaker --help
t metrics-server "Usage" /metrics-server --help
t cloudnative-pg "1.30.0" /manager version
t contour "1.33.8" /bin/contour version
t envoy "1.40.0" envoy --version
say "$pass passed, $fail failed"
[ $fail = 0 ]
