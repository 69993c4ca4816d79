/** What the scripts share: who is the master? Pure. */
import { PORTS } from "../../core/names";
import { headlessFqdn, SELF_WAIT_SECONDS, type RedisTopology } from "./topology";

/**
 * redis-cli at this pod's own Redis or Sentinel; needs `-p`. BIND: the one address that they listen on, where it is not
 * all.
 */
export const LOCAL_CLI = `redis-cli --no-auth-warning \${BIND:+-h "$BIND"}`;

/** Where and who this pod is, as variables. */
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
 * Names, and the function that prints what most of the other pods' Sentinels call the master; nothing when none
 * answers.
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
 * Leaves the master's name in `m` and where it is known from in `src`. In this order:
 * 1. what most of the other pods' Sentinels say; while they say that it is this very pod, which is only just starting,
 * it
 *    waits for them to elect another, because otherwise there are two masters for as long as they take;
 * 2. what this pod's own Sentinel wrote down last (all pods start again after all were down);
 * 3. nobody knows and nothing is written down: a new set, whose first pod is the master.
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
