#!/bin/bash
set -euo pipefail
. ./findMaster.sh

umask 077
conf=$own_record
mkdir -p "$data/sentinel"
if [ ! -s "$conf" ]; then
  find_master
  echo "sentinel $me: first start, master is $m (from $src)"
  # A Sentinel that cannot resolve its master's name does not start.
  for ((try = 0; try < 120; try++)); do getent hosts "$m" >/dev/null && break; sleep 0.5; done
  # The id follows from the pod's name: a pod that lost its volume comes back as the same Sentinel, not as one more.
  cat > "$conf.new" <<END
port @SENTINEL_PORT@
bind ${BIND:-* -::*}
dir $data/sentinel
sentinel myid $(printf %s "$HOSTNAME" | sha1sum | cut -c1-40)
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel announce-port @SENTINEL_PORT@
sentinel monitor @MASTER_NAME@ $m @REDIS_PORT@ @QUORUM@
END
  mv "$conf.new" "$conf"
fi

# Sentinel keeps its own password as a user, too, which counts for more than requirepass: with the old one left there after a
# change, no Sentinel let another one in.
# Lines about pods beyond the last are left out.
without_gone() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^sentinel\ known-(sentinel|replica|slave)\ [^\ ]+\ @COMPONENT@-([0-9]+)\. ]] && [ "${BASH_REMATCH[2]}" -ge "$instances" ]; then continue; fi
    printf '%s\n' "$line"
  done
}
sed -e '/^requirepass /d' -e '/^user default /d' -e '/^sentinel sentinel-pass /d' -e '/^sentinel auth-pass /d' \
    -e '/^sentinel \(down-after-milliseconds\|failover-timeout\|parallel-syncs\) /d' \
    -e 's/^\(sentinel monitor @MASTER_NAME@ [^ ]* [0-9]*\) [0-9]*$/\1 @QUORUM@/' "$conf" | without_gone > "$conf.new"
cat >> "$conf.new" <<END
requirepass $REDISCLI_AUTH
sentinel sentinel-pass $REDISCLI_AUTH
sentinel auth-pass @MASTER_NAME@ $REDISCLI_AUTH
sentinel down-after-milliseconds @MASTER_NAME@ @DOWN_AFTER_MILLISECONDS@
sentinel failover-timeout @MASTER_NAME@ @FAILOVER_TIMEOUT_MILLISECONDS@
sentinel parallel-syncs @MASTER_NAME@ @MIN_REPLICAS@
END
mv "$conf.new" "$conf"
exec redis-server "$conf" --sentinel
