# shellcheck shell=bash
. ./names.sh

ask_sentinels() {
  local i
  for ((i = 0; i < instances; i++)); do
    [ "@COMPONENT@-$i" = "$HOSTNAME" ] && continue
    timeout 2 redis-cli --no-auth-warning -h "@COMPONENT@-$i.$headless" -p @SENTINEL_PORT@ sentinel get-master-addr-by-name @MASTER_NAME@ 2>/dev/null </dev/null | head -n 1 &
  done | grep "^@COMPONENT@-[0-9]*\\.$headless$" | sort | uniq -c | sort -rn | { read -r _ name && echo "$name"; } || true
}
