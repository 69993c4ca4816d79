# shellcheck shell=bash disable=SC2034 # the names are for the scripts that source it
# Sourced by every script of the lab: where things live, how progress is printed, how cache keys are made.
#
#   MATRIX_HA_CACHE   what was built (programs, image archives, the nodes' base system). Keyed by content, survives down.sh.
#   MATRIX_HA_RUN     what belongs to one running cluster (keys, node data, etcd, logs). Removed by down.sh.
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
CACHE=${MATRIX_HA_CACHE:-$HOME/.cache/matrix-ha}
RUN=${MATRIX_HA_RUN:-$HOME/.local/state/matrix-ha/local}
BIN=$CACHE/bin        # stable names (symlinks) of the programs of the present sources

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
now() { date +%s.%N; }
took() { echo "$(now) $1" | awk '{printf "%.1f", $1-$2}'; }

# key FILE... : 16 hex digits over names and contents (directories are walked); extra text to hash comes on stdin.
key() {
  { cat; realpath "$@" | xargs -d '\n' -I{} find {} -type f | LC_ALL=C sort | while read -r f; do printf '%s ' "${f#"$LAB"/}"; sha256sum < "$f"; done; } | sha256sum | cut -c1-16
}

# Only one script at a time may change the cache or the cluster: a second one waits here and says so.
# The lock is handed on to the scripts that the holder calls (they see MATRIX_HA_LOCKFD).
lock() {
  [ -z "${MATRIX_HA_LOCKFD:-}" ] || return 0
  mkdir -p "$CACHE"
  exec {MATRIX_HA_LOCKFD}> "$CACHE/.lock"
  export MATRIX_HA_LOCKFD
  flock -n "$MATRIX_HA_LOCKFD" || { say "waiting for another lab script that works in $CACHE ..."; flock "$MATRIX_HA_LOCKFD"; }
}

# The Debian mirror that this machine itself uses: images and nodes come from the same one.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    awk '$2 !~ /-/ && $1 !~ /security/ {sub("/$", "", $1); print $1; exit}' | grep . ||
    { sed -nE 's/^URIs: *(\S+).*/\1/p; s/^deb (\[[^]]*\] )?(\S+) .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -E '/debian/?$' | head -1 | sed 's#/$##'; }
}

# This machine's apt settings for its mirror (a proxy; a mirror that is a dated copy, with "expired" lists) hold for the
# nodes' and the images' packages too: they come from the same mirror. Signatures are verified in any case.
apt_settings() { apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Retries|https?::Proxy|https?::Timeout) ' || true; }
mmdebstrap_options() { local l; while read -r l; do printf -- '--aptopt=%s\n' "$l"; done < <(apt_settings); }

# missing_packages COMMAND:PACKAGE... : the Debian packages of the commands that this machine does not have.
missing_packages() { local e; for e in "$@"; do command -v "${e%%:*}" > /dev/null || printf '%s\n' "${e##*:}"; done | sort -u; }
# install_packages PACKAGE... : with apt, quietly; where that fails, the end of what it said, and false.
install_packages() {
  [ $# -gt 0 ] || return 0
  command -v apt-get > /dev/null || return 1
  say "installing Debian packages: $*"
  local log; log=$(mktemp)
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } > "$log" 2>&1 || { tail -5 "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}
