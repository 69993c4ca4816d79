/**
 * Scripts of the Redis container: start, readiness and stop. Pure. They read the password only from the environment.
 */
import { PORTS } from "../../core/names";
import { askSentinelsScript, findMasterScript, LOCAL_CLI, namesScript } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, MAX_LAG_SECONDS, minReplicas, type RedisTopology } from "./topology";

export interface RedisStartInput extends RedisTopology {
  /** Redis' own limit for its data, MiB; the container's limit leaves room for rewriting the append-only file. */
  maxmemoryMiB: number;
}

/** How long a stopping master waits for its successor; meanwhile it accepts no writes. */
const HANDOVER_PAUSE_MILLISECONDS = 10000;

/** File that exists while Redis loads its data. If it is still there at the next start, loading failed. */
const LOADING = "redis/loading";

/**
 * A disk that fills while Redis writes can leave a hole in the append-only file, with further records behind it. From
 * then on Redis exits at each start ("Bad file format"; seen when a disk was filled). If the previous start failed to
 * load the file, this script copies it and lets `redis-check-aof` truncate it at the first unreadable record. A pod
 * that follows a master, according to the Sentinels, can do without the copy and even without the file: the master
 * sends everything.
 */
function mendScript(): string {
  return `files=$data/redis/appendonlydir
manifest=$files/appendonly.aof.manifest
if [ -e "$data/${LOADING}" ] && [ -e "$manifest" ] && ! redis-check-aof "$manifest" >/dev/null 2>&1; then
  rm -rf "$files.damaged"
  if cp -r "$files" "$files.damaged" && printf 'y\\n' | redis-check-aof --fix "$manifest"; then
    echo "redis $me: the append-only file was damaged, and is cut off there; all of it is in $files.damaged"
  elif [ "$m" != "$me" ] && [ "$src" = sentinels ]; then
    rm -rf "$files.damaged"
    mv "$files" "$files.damaged"
    echo "redis $me: the append-only file is damaged, and is in $files.damaged; $m sends everything"
  else
    echo "redis $me: the append-only file is damaged, and could not be mended"
  fi
fi
touch "$data/${LOADING}" || true
`;
}

/**
 * Each start writes redis.conf again, into memory: it contains the password, and Sentinel rewrites it. The pod asks the
 * Sentinels whether it follows a master, and never relies on an earlier answer.
 */
export function redisStartScript(t: RedisStartInput): string {
  return `#!/bin/bash
set -euo pipefail
${findMasterScript(t)}
find_master
echo "redis $me: master is $m (from $src)"
mkdir -p "$data/redis"
umask 077
# Failover prefers the first three, so that a set that shrinks does not promote a pod that is about to go.
ordinal=\${HOSTNAME##*-}
priority=100
[ "$ordinal" -lt 3 ] || priority=200
cat > "$run/redis.conf" <<END
port ${PORTS.redis}
bind \${BIND:-* -::*}
dir $data/redis
save ""
appendonly yes
appendfsync everysec
# Where its disk is full, a replica would end itself; it goes on in memory, and writes when there is room again.
replica-ignore-disk-write-errors yes
# The report of a crash can wait for ever for a lock that the crash left (seen); whoever has crashed is to end, and start anew.
crash-log-enabled no
crash-memcheck-enabled no
# While the first append-only file after a synchronisation is being written, Redis would not stop when told to.
shutdown-on-sigterm force
requirepass $REDISCLI_AUTH
masterauth $REDISCLI_AUTH
replica-announce-ip $me
replica-announce-port ${PORTS.redis}
replica-priority $priority
min-replicas-to-write ${minReplicas(t.instances)}
min-replicas-max-lag ${MAX_LAG_SECONDS}
repl-timeout 10
repl-ping-replica-period 2
repl-diskless-sync-delay 0
repl-backlog-size 64mb
maxmemory ${t.maxmemoryMiB}mb
# Only keys with an expiry go: Synapse's caches have one, LiveKit's rooms and other applications' data need not.
maxmemory-policy volatile-lru
END
[ "$m" = "$me" ] || echo "replicaof $m ${PORTS.redis}" >> "$run/redis.conf"
${mendScript()}exec redis-server "$run/redis.conf"
`;
}

/**
 * Seconds after its start during which an instance checks which master it follows; long before they end, the Sentinels
 * know it.
 */
const STRAY_SECONDS = 600;
/** Seconds without a master after which a replica intervenes; a normal failover is over long before. */
const ORPHAN_SECONDS = 30;

/**
 * Ready is a master, or a replica that is synchronised. So a rollout waits for each replica before it restarts the next
 * one. It does not wait for ever: after a change of the password, a replica synchronises only once its master has been
 * restarted too.
 *
 * When a new instance joins just before its master hands over, the Sentinels do not know it yet (they ask the master
 * for its replicas every 10 s), so none reconfigures it: it keeps following a former master and does not count (seen
 * when a set grew from 3 to 5). It therefore checks by itself, and acts on the second equal result, because during a
 * failover it may learn of the new master before its own Sentinel.
 *
 * Sentinels do not promote a replica whose master was lost more than ten times down-after-milliseconds before they
 * noticed. If they notice late (a stall of 2 s, from a drained name server or an overloaded machine, suspends them for
 * 30 s), no replica is eligible until the old master comes back (seen: 3 minutes, until the end of a drain). So a
 * replica that has waited, and whose Sentinel knows that a majority considers the master down, makes its Sentinel
 * accept replicas that have waited as long; it still prefers the most recent one. Once the set has a master again, the
 * limit is restored.
 */
export function redisReadyScript(t: RedisTopology): string {
  return `#!/bin/bash
${namesScript(t)}redis() { timeout 3 ${LOCAL_CLI} -p ${PORTS.redis} "$@" </dev/null; }
sentinel() { timeout 2 ${LOCAL_CLI} -p ${PORTS.sentinel} sentinel "$@" 2>/dev/null </dev/null; }
info=$(redis info) || exit 1
up=0
[[ $info =~ uptime_in_seconds:([0-9]+) ]] && up=\${BASH_REMATCH[1]}
[[ $info != *loading:0* ]] || rm -f "$data/${LOADING}"

if [ "$up" -lt ${STRAY_SECONDS} ] && [[ $info == *role:slave* ]] && [[ $info =~ master_host:([^[:space:]]+) ]]; then
  followed=\${BASH_REMATCH[1]}
  m=$(sentinel get-master-addr-by-name ${t.masterName} | head -n 1)
  if [[ $m != ${t.component}-* ]]; then : # its Sentinel does not answer
  elif [ "$m" = "$me" ] || [ "$m" = "$followed" ]; then rm -f "$run/stray"
  elif [ "$(cat "$run/stray" 2>/dev/null)" != "$followed $m" ]; then echo "$followed $m" > "$run/stray"
  else
    rm -f "$run/stray"
    redis replicaof "$m" ${PORTS.redis} >/dev/null
  fi
fi

if [[ $info =~ master_link_down_since_seconds:([0-9]+) ]] && [ "\${BASH_REMATCH[1]}" -gt ${ORPHAN_SECONDS} ]; then
  waited=\${BASH_REMATCH[1]}
  state=$(sentinel master ${t.masterName} | paste -sd ' ')
  down=' flags [^ ]*o_down' after=' down-after-milliseconds ([0-9]+)'
  if [[ $state =~ $down ]] && [[ $state =~ $after ]] && [ $(( waited * 100 + 1000 )) -gt "\${BASH_REMATCH[1]}" ]; then
    echo "no master for $waited s: the Sentinel here takes replicas that have waited so long" > "$run/orphan"
    sentinel set ${t.masterName} down-after-milliseconds $(( (waited + 60) * 100 )) >/dev/null
  fi
elif [ -e "$run/orphan" ] && [[ $info == *role:master* || $info == *master_link_status:up* ]]; then
  sentinel set ${t.masterName} down-after-milliseconds ${DOWN_AFTER_MILLISECONDS} >/dev/null && rm -f "$run/orphan"
fi

case $info in *role:master*|*master_link_status:up*) exit 0 ;; esac
[ "$up" -gt 60 ]
`;
}

/**
 * A stopping master hands over first, so the switch takes a second or two instead of the five that detection needs. In
 * the meantime it accepts no writes, and it follows its successor as soon as it knows it: Sentinel demotes a former
 * master only after 8 s, and writes to it until then would be lost (measured: those of one second).
 */
export function redisStopScript(t: RedisTopology): string {
  return `#!/bin/bash
set -u
${askSentinelsScript(t)}
here() { timeout 2 ${LOCAL_CLI} -p ${PORTS.redis} "$@" 2>/dev/null </dev/null; }
is_master() { [ "$(here role | head -n 1)" = master ]; }
is_master || exit 0
accepted=
here client pause ${HANDOVER_PAUSE_MILLISECONDS} write >/dev/null
for ((i = 0; i < instances; i++)); do
  [ "${t.component}-$i" = "$HOSTNAME" ] && continue
  answer=$(timeout 2 redis-cli --no-auth-warning -h "${t.component}-$i.$headless" -p ${PORTS.sentinel} sentinel failover ${t.masterName} 2>/dev/null </dev/null) || continue
  case $answer in OK*|*INPROG*) accepted=yes; break ;; esac
done
# No Sentinel knows a fit replica: nothing to hand over to.
[ -n "$accepted" ] || { here client unpause >/dev/null; exit 0; }
for ((try = 0; try < ${HANDOVER_PAUSE_MILLISECONDS / 250}; try++)); do
  m=$(ask_sentinels)
  if [ -n "$m" ] && [ "$m" != "$me" ]; then
    echo "handing over to $m"
    here replicaof "$m" ${PORTS.redis} >/dev/null
    here client unpause >/dev/null
    break
  fi
  is_master || break
  sleep 0.25
done
exit 0
`;
}
