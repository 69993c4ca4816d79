# shellcheck shell=bash disable=SC2034 # src is for the scripts that include this file
. ./askSentinels.sh

find_master() {
  local try n
  # shellcheck disable=SC1007 # both are emptied
  m= src=
  for try in 1 2 3; do
    m=$(ask_sentinels)
    [ -z "$m" ] || { src=sentinels; break; }
    [ "$try" = 3 ] || sleep 1
  done
  if [ -z "$m" ] && [ -s "$own_record" ]; then
    m=$(sed -n 's/^sentinel monitor @MASTER_NAME@ \([^ ]*\) .*/\1/p' "$own_record" | head -n 1)
    src=own-record
  fi
  for ((try = 0; try < ${SELF_WAIT:-@SELF_WAIT_SECONDS@}; try++)); do
    [ "$m" = "$me" ] || break
    sleep 1
    n=$(ask_sentinels)
    [ -z "$n" ] || { m=$n; src=sentinels; }
  done
  [ -n "$m" ] || { m=@COMPONENT@-0.$headless; src=bootstrap; }
}
