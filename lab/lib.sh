# shellcheck shell=bash
# Sourced by every script of the lab: where things live, how progress is printed, how cache keys are made.
#
#   MATRIX_HA_CACHE   what was built (programs, image archives, the nodes' base system). Keyed by content, survives down.sh.
#   MATRIX_HA_RUN     what belongs to one running cluster (keys, node data, etcd, logs). Removed by down.sh.
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${MATRIX_HA_CACHE:-$HOME/.cache/matrix-ha}
RUN=${MATRIX_HA_RUN:-$HOME/.local/state/matrix-ha/local}
BIN=$CACHE/bin        # stable names (symlinks) of the programs of the present sources

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
now() { date +%s.%N; }
took() { echo "$(now) $1" | awk '{printf "%.1f", $1-$2}'; }

# key FILE... : 16 hex digits over names and contents (directories are walked); extra text to hash comes on stdin.
key() {
  { cat; find "$@" -type f | LC_ALL=C sort | while read -r f; do printf '%s ' "${f#"$LAB"/}"; sha256sum < "$f"; done; } | sha256sum | cut -c1-16
}

# Only one script at a time may change the cache or the cluster: a second one waits here and says so.
# The lock is handed on to the scripts that the holder calls (they see MATRIX_HA_LOCKED).
lock() {
  [ -z "${MATRIX_HA_LOCKED:-}" ] || return 0
  mkdir -p "$CACHE"
  exec {LOCKFD}> "$CACHE/.lock"
  flock -n "$LOCKFD" || { say "waiting for another lab script that is working in $CACHE ..."; flock "$LOCKFD"; }
  export MATRIX_HA_LOCKED=$$
}
