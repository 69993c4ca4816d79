/** The part that the scripts share: finding the master. Pure. */
import { PORTS } from "../../core/names";
import { headlessFqdn, SELF_WAIT_SECONDS, type RedisTopology } from "./topology";

/**
 * redis-cli for this pod's own Redis or Sentinel; needs `-p`. BIND is the address that they listen on, where it is not
 * all addresses.
 */
export const LOCAL_CLI = `redis-cli --no-auth-warning \${BIND:+-h "$BIND"}`;

/** Variables with the names and paths of this pod. */
export function namesScript(t: RedisTopology): string {
  return `headless=${headlessFqdn(t)}
instances=${t.instances}
me=$HOSTNAME.$headless
data=\${DATA:-/data}
run=\${RUN:-/run/redis}
own_record=$data/sentinel/sentinel.conf
`;
}

/**
 * The variables, and the function `ask_sentinels`: it prints the master's name by majority of the other pods'
 * Sentinels, or nothing if none answers.
 */
export function askSentinelsScript(t: RedisTopology): string {
  return `${namesScript(t)}
ask_sentinels() {
  local i
  for ((i = 0; i < instances; i++)); do
    [ "${t.component}-$i" = "$HOSTNAME" ] && continue
    timeout 2 redis-cli --no-auth-warning -h "${t.component}-$i.$headless" -p ${PORTS.sentinel} sentinel get-master-addr-by-name ${t.masterName} 2>/dev/null </dev/null | head -n 1 &
  done | grep "^${t.component}-[0-9]*\\\\.$headless$" | sort | uniq -c | sort -rn | { read -r _ name && echo "$name"; } || true
}
`;
}

/**
 * The function `find_master`: leaves the master's name in `m` and its source in `src`, the first of these that exists:
 * 1. the majority of the other pods' Sentinels. While they name this pod, which is only starting, it waits until they
 *    have elected another one; otherwise there would be two masters until then;
 * 2. the last record of this pod's own Sentinel (all pods were down and start again);
 * 3. the first pod: without a Sentinel that answers and without a record, the set is new.
 */
export function findMasterScript(t: RedisTopology): string {
  return `${askSentinelsScript(t)}
find_master() {
  local try n
  m= src=
  for try in 1 2 3; do
    m=$(ask_sentinels)
    [ -z "$m" ] || { src=sentinels; break; }
    [ "$try" = 3 ] || sleep 1
  done
  if [ -z "$m" ] && [ -s "$own_record" ]; then
    m=$(sed -n 's/^sentinel monitor ${t.masterName} \\([^ ]*\\) .*/\\1/p' "$own_record" | head -n 1)
    src=own-record
  fi
  for ((try = 0; try < \${SELF_WAIT:-${SELF_WAIT_SECONDS}}; try++)); do
    [ "$m" = "$me" ] || break
    sleep 1
    n=$(ask_sentinels)
    [ -z "$n" ] || { m=$n; src=sentinels; }
  done
  [ -n "$m" ] || { m=${t.component}-0.$headless; src=bootstrap; }
}
`;
}
