# shellcheck shell=sh disable=SC3028 # Kubernetes gives HOSTNAME to every container
set -eu
ordinal=${HOSTNAME##*-}
# shellcheck disable=SC2170 # a number is put in
if [ "$ordinal" -le @LAST@ ]; then drives=@DRIVES@ sets=@SETS@
# @LATER_POOLS@
else echo "pod $ordinal is in no pool of this layout" >&2; exit 1; fi
# shellcheck disable=SC2043 # as many as a node has drives
for format in @FORMATS@; do
  [ -s "$format" ] || continue
  text=$(tr -d ' \n' < "$format")
  text=${text#*'"sets":'}
  text=${text%%']]'*}']]'
  found_drives=$(printf %s "$text" | grep -o '"[0-9a-fA-F-]\{36\}"' | wc -l)
  found_sets=$(( $(printf %s "$text" | tr -cd '[' | wc -c) - 1 ))
  if [ "$found_drives" -ne "$drives" ] || [ "$found_sets" -ne "$sets" ]; then
    echo "$format was formatted in a pool of $found_drives drives in $found_sets sets; the settings now say $drives in $sets. A pool never changes: set overrides.minio.pools to the pools as they were, and append new ones." >&2
    exit 1
  fi
done
