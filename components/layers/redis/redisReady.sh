#!/bin/bash
. ./names.sh
redis() { timeout 3 redis-cli --no-auth-warning ${BIND:+-h "$BIND"} -p @REDIS_PORT@ "$@" </dev/null; }
sentinel() { timeout 2 redis-cli --no-auth-warning ${BIND:+-h "$BIND"} -p @SENTINEL_PORT@ sentinel "$@" 2>/dev/null </dev/null; }
info=$(redis info) || exit 1
up=0
[[ $info =~ uptime_in_seconds:([0-9]+) ]] && up=${BASH_REMATCH[1]}
[[ $info != *loading:0* ]] || rm -f "$data/redis/loading"

if [ "$up" -lt 600 ] && [[ $info == *role:slave* ]] && [[ $info =~ master_host:([^[:space:]]+) ]]; then
  followed=${BASH_REMATCH[1]}
  m=$(sentinel get-master-addr-by-name @MASTER_NAME@ | head -n 1)
  if [[ $m != @COMPONENT@-* ]]; then : # its Sentinel does not answer
  elif [ "$m" = "$me" ] || [ "$m" = "$followed" ]; then rm -f "$run/stray"
  elif [ "$(cat "$run/stray" 2>/dev/null)" != "$followed $m" ]; then echo "$followed $m" > "$run/stray"
  else
    rm -f "$run/stray"
    redis replicaof "$m" @REDIS_PORT@ >/dev/null
  fi
fi

if [[ $info =~ master_link_down_since_seconds:([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt 30 ]; then
  waited=${BASH_REMATCH[1]}
  state=$(sentinel master @MASTER_NAME@ | paste -sd ' ')
  down=' flags [^ ]*o_down' after=' down-after-milliseconds ([0-9]+)'
  if [[ $state =~ $down ]] && [[ $state =~ $after ]] && [ $(( waited * 100 + 1000 )) -gt "${BASH_REMATCH[1]}" ]; then
    echo "no master for $waited s: the Sentinel here takes replicas that have waited so long" > "$run/orphan"
    sentinel set @MASTER_NAME@ down-after-milliseconds $(( (waited + 60) * 100 )) >/dev/null
  fi
elif [ -e "$run/orphan" ] && [[ $info == *role:master* || $info == *master_link_status:up* ]]; then
  sentinel set @MASTER_NAME@ down-after-milliseconds @DOWN_AFTER_MILLISECONDS@ >/dev/null && rm -f "$run/orphan"
fi

case $info in *role:master*|*master_link_status:up*) exit 0 ;; esac
[ "$up" -gt 60 ]
