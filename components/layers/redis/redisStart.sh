#!/bin/bash
set -euo pipefail
. ./findMaster.sh

find_master
echo "redis $me: master is $m (from $src)"
mkdir -p "$data/redis"
umask 077
# Failover prefers the first three, so that a set that shrinks does not promote a pod that is about to go.
ordinal=${HOSTNAME##*-}
priority=100
[ "$ordinal" -lt 3 ] || priority=200
cat > "$run/redis.conf" <<END
port @REDIS_PORT@
bind ${BIND:-* -::*}
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
replica-announce-port @REDIS_PORT@
replica-priority $priority
min-replicas-to-write @MIN_REPLICAS@
min-replicas-max-lag @MAX_LAG_SECONDS@
repl-timeout 10
repl-ping-replica-period 2
repl-diskless-sync-delay 0
repl-backlog-size 64mb
maxmemory @MAXMEMORY_MIB@mb
# Only keys with an expiry go: Synapse's caches have one, LiveKit's rooms and other applications' data need not.
maxmemory-policy volatile-lru
END
[ "$m" = "$me" ] || echo "replicaof $m @REDIS_PORT@" >> "$run/redis.conf"
files=$data/redis/appendonlydir
manifest=$files/appendonly.aof.manifest
if [ -e "$data/redis/loading" ] && [ -e "$manifest" ] && ! redis-check-aof "$manifest" >/dev/null 2>&1; then
  rm -rf "$files.damaged"
  if cp -r "$files" "$files.damaged" && printf 'y\n' | redis-check-aof --fix "$manifest"; then
    echo "redis $me: the append-only file was damaged, and is cut off there; all of it is in $files.damaged"
  elif [ "$m" != "$me" ] && [ "$src" = sentinels ]; then
    rm -rf "$files.damaged"
    mv "$files" "$files.damaged"
    echo "redis $me: the append-only file is damaged, and is in $files.damaged; $m sends everything"
  else
    echo "redis $me: the append-only file is damaged, and could not be mended"
  fi
fi
touch "$data/redis/loading" || true
exec redis-server "$run/redis.conf"
