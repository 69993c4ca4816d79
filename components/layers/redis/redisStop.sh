#!/bin/bash
set -u
. ./askSentinels.sh

here() { timeout 2 redis-cli --no-auth-warning ${BIND:+-h "$BIND"} -p @REDIS_PORT@ "$@" 2>/dev/null </dev/null; }
is_master() { [ "$(here role | head -n 1)" = master ]; }
is_master || exit 0
accepted=
here client pause 10000 write >/dev/null
for ((i = 0; i < instances; i++)); do
  [ "@COMPONENT@-$i" = "$HOSTNAME" ] && continue
  answer=$(timeout 2 redis-cli --no-auth-warning -h "@COMPONENT@-$i.$headless" -p @SENTINEL_PORT@ sentinel failover @MASTER_NAME@ 2>/dev/null </dev/null) || continue
  case $answer in OK*|*INPROG*) accepted=yes; break ;; esac
done
# No Sentinel knows a fit replica: nothing to hand over to.
[ -n "$accepted" ] || { here client unpause >/dev/null; exit 0; }
for ((try = 0; try < 40; try++)); do
  m=$(ask_sentinels)
  if [ -n "$m" ] && [ "$m" != "$me" ]; then
    echo "handing over to $m"
    here replicaof "$m" @REDIS_PORT@ >/dev/null
    here client unpause >/dev/null
    break
  fi
  is_master || break
  sleep 0.25
done
exit 0
