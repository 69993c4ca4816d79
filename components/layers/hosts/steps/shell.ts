/**
 * What every host step is made of: a strict bash script that changes only what differs and says what it changed. Pure.
 */

export interface HostStep {
  /** Short, kebab-case: part of the resource's name. */
  name: string;
  /** One phrase for people: what the step is for. */
  why: string;
  /** A complete bash script, run as root; a second run changes nothing. Holds no secret. */
  script: string;
  /** Secrets, if ever a step needs one: standard input is the only way in that no log and no error message repeats. */
  stdin?: string;
}

/** Where a script finds the machine's files. Tests give a directory of their own; hosts have "". */
export interface StepOptions {
  root?: string;
}

/** A word that the shell takes as it is. */
export const quote = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;

const PREAMBLE = `set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
umask 022
changed=""
change() { changed="\${changed:+$changed; }$*"; }
note() { printf 'note: %s\\n' "$*"; }
fail() { printf 'matrix-ha: %s\\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
# put FILE: standard input becomes the file, in one move, and only when it differs.
put() {
  local file=$1 text
  text=$(cat; printf .)
  if [ -e "$file" ] && [ "$(cat "$file"; printf .)" = "$text" ]; then return 0; fi
  mkdir -p "$(dirname "$file")"
  printf '%s' "\${text%.}" >"$file.matrix-ha-new"
  mv -f "$file.matrix-ha-new" "$file"
  change "wrote $file"
}
in_container() { have systemd-detect-virt && systemd-detect-virt --container --quiet; }
`;

export function script(step: string, body: string): string {
  return `${PREAMBLE}
${body.trim()}

echo "${step}: \${changed:-nothing changed}"
`;
}
