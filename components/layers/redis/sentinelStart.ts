/** Start script of the Sentinel container. Pure. */
import { PORTS } from "../../core/names";
import { findMasterScript } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, FAILOVER_TIMEOUT_MILLISECONDS, minReplicas, type RedisTopology } from "./topology";

/**
 * sentinel.conf is Sentinel's own memory: master, epochs, peers. The script writes it once, to the pod's volume, and
 * never reverts what Sentinel has learned since. Each start replaces only the lines that this stack defines (password,
 * quorum, times), so that changed settings take effect, and removes pods that the set no longer has: as long as they
 * counted, the remaining ones could not reach a majority.
 */
export function sentinelStartScript(t: RedisTopology): string {
  return `#!/bin/bash
set -euo pipefail
${findMasterScript(t)}
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
port ${PORTS.sentinel}
bind \${BIND:-* -::*}
dir $data/sentinel
sentinel myid $(printf %s "$HOSTNAME" | sha1sum | cut -c1-40)
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel announce-port ${PORTS.sentinel}
sentinel monitor ${t.masterName} $m ${PORTS.redis} ${t.quorum}
END
  mv "$conf.new" "$conf"
fi

# Sentinel keeps its own password as a user, too, which counts for more than requirepass: with the old one left there after a
# change, no Sentinel let another one in.
# Lines about pods beyond the last are left out.
without_gone() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^sentinel\\ known-(sentinel|replica|slave)\\ [^\\ ]+\\ ${t.component}-([0-9]+)\\. ]] && [ "\${BASH_REMATCH[2]}" -ge "$instances" ]; then continue; fi
    printf '%s\\n' "$line"
  done
}
sed -e '/^requirepass /d' -e '/^user default /d' -e '/^sentinel sentinel-pass /d' -e '/^sentinel auth-pass /d' \\
    -e '/^sentinel \\(down-after-milliseconds\\|failover-timeout\\|parallel-syncs\\) /d' \\
    -e 's/^\\(sentinel monitor ${t.masterName} [^ ]* [0-9]*\\) [0-9]*$/\\1 ${t.quorum}/' "$conf" | without_gone > "$conf.new"
cat >> "$conf.new" <<END
requirepass $REDISCLI_AUTH
sentinel sentinel-pass $REDISCLI_AUTH
sentinel auth-pass ${t.masterName} $REDISCLI_AUTH
sentinel down-after-milliseconds ${t.masterName} ${DOWN_AFTER_MILLISECONDS}
sentinel failover-timeout ${t.masterName} ${FAILOVER_TIMEOUT_MILLISECONDS}
sentinel parallel-syncs ${t.masterName} ${minReplicas(t.instances)}
END
mv "$conf.new" "$conf"
exec redis-server "$conf" --sentinel
`;
}
