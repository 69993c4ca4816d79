/** The parts of a host step: a strict bash script that changes only what differs and reports its changes. Pure. */

/** One step of preparing a host. */
export interface HostStep {
  /** In kebab-case; part of the resource's name. */
  name: string;
  /** One phrase: the purpose; rendered into the script files. */
  why: string;
  /** A complete bash script for root. A second run changes nothing. It contains no secrets. */
  script: string;
  /** Secrets for the script: unlike arguments, standard input does not appear in logs and errors. @default none */
  stdin?: string;
}

/** Options for tests. */
export interface StepOptions {
  /** Prefix of all absolute paths. @default "" */
  root?: string;
}

/** A word in single quotes, for the shell. */
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

/** A complete script. @param body Uses `change`, `note`, `fail`, `have` and `put` */
export function script(step: string, body: string): string {
  return `${PREAMBLE}
${body.trim()}

echo "${step}: \${changed:-nothing changed}"
`;
}
