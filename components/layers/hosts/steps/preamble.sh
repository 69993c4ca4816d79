# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
umask 022
changed=""
change() { changed="${changed:+$changed; }$*"; }
note() { printf 'note: %s\n' "$*"; }
fail() { printf 'matrix-ha: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
# put FILE: standard input becomes the file, in one move, and only when it differs.
put() {
  local file=$1 text
  text=$(cat; printf .)
  if [ -e "$file" ] && [ "$(cat "$file"; printf .)" = "$text" ]; then return 0; fi
  mkdir -p "$(dirname "$file")"
  printf '%s' "${text%.}" >"$file.matrix-ha-new"
  mv -f "$file.matrix-ha-new" "$file"
  change "wrote $file"
}
in_container() { have systemd-detect-virt && systemd-detect-virt --container --quiet; }
