# shellcheck shell=sh
set -eu
# shellcheck disable=SC1007 # both are emptied
child= stopping=
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM INT
run() {
  [ -z "$stopping" ] || exit 143
  "$@" &
  child=$! code=0
  [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null || true
  wait "$child" || code=$?
  while kill -0 "$child" 2>/dev/null; do code=0; wait "$child" || code=$?; done
  [ -z "$stopping" ] || exit "$code"
  child=; return "$code"
}
for library in /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 /usr/lib/aarch64-linux-gnu/libjemalloc.so.2 /usr/lib/libjemalloc.so.2; do if [ -e "$library" ]; then export LD_PRELOAD="$library"; break; fi; done
# @BEFORE@
end=$(($(date +%s) + 60))
while true; do
  ended=0
  run @SYNAPSE@ || ended=$?
  if [ "$ended" = 0 ] || [ "$(date +%s)" -ge "$end" ]; then exit "$ended"; fi
  echo "Synapse ended at its start with $ended; once more" >&2
  sleep 1
done
