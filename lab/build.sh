#!/bin/bash
# build.sh [name|group]...: builds the Go programs of programs.txt into the cache (all of them without arguments).
# A program's key is made of its sources, go.mod, go.sum, its line in programs.txt and Go's version, so a second
# run builds nothing, and going back to an older commit finds the older program again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
lock
command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || die "Go 1.26 or newer is needed to build the lab's programs (not found in PATH nor /usr/local/go/bin)"
# CGO off: the programs must run in images that hold nothing else. -trimpath: the same bytes whatever the folder.
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=readonly -trimpath"
V=v1.36.4 # without the stamps kubelet calls itself v0.0.0 and the API server refuses the version skew
K="-X k8s.io/component-base/version.gitVersion=$V -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=$V"
GOV=$(go env GOVERSION)
mkdir -p "$CACHE/go" "$BIN"

trim() { local s=$1; s="${s#"${s%%[![:space:]]*}"}"; printf '%s' "${s%"${s##*[![:space:]]}"}"; }
wanted=() # lines of programs.txt that are asked for
while IFS= read -r line; do
  IFS='|' read -r name group _ <<< "$line"; name=$(trim "$name"); group=$(trim "$group")
  if [ $# = 0 ]; then wanted+=("$line"); continue; fi
  for w in "$@"; do if [ "$w" = "$name" ] || [ "$w" = "$group" ]; then wanted+=("$line"); break; fi; done
done < <(grep -v '^#' "$LAB/programs.txt")
[ ${#wanted[@]} -gt 0 ] || die "no such program or group: $*"

i=0; built=0; all=$(now)
for line in "${wanted[@]}"; do
  i=$((i + 1))
  IFS='|' read -r name group dir pkg tags ld est <<< "$line"
  name=$(trim "$name"); dir=$LAB/$(trim "$dir"); pkg=$(trim "$pkg"); tags=$(trim "$tags"); ld=$(trim "$ld"); est=$(trim "$est")
  ld="-s -w ${ld/\$K/$K}"
  # Only the program's own folder counts as its source: a change to one main.go must not rebuild the others.
  src=("$dir/go.mod" "$dir/go.sum"); [ "${pkg#./}" = "$pkg" ] || src+=("$dir/${pkg#./}")
  out=$CACHE/go/$name-$(printf '%s\n' "$GOV" "$pkg" "$tags" "$ld" | key "${src[@]}")
  if [ ! -x "$out" ]; then
    say "[$i/${#wanted[@]}] building $name (about $est on 2 cores, cold) ..."
    s=$(now)
    [ ! -x "$dir/prepare.sh" ] || (cd "$dir" && ./prepare.sh)
    # The compiler collects its garbage less often, and writes no debug symbols, which the linker drops anyway (-w): a program of
    # the same size for 171, 144 (the first), 136 (the second) and 107 (both) seconds of processor time, measured with mc.
    (cd "$dir" && GOGC=400 go build -p "${MATRIX_HA_JOBS:-$(nproc)}" -gcflags=all=-dwarf=false -tags "$tags" -ldflags "$ld" -o "$out.tmp" "$pkg") > "$CACHE/go/$name.log" 2>&1 ||
      { grep -v '^go: downloading' "$CACHE/go/$name.log" | tail -30 >&2; die "building $name failed (whole log: $CACHE/go/$name.log)"; }
    mv "$out.tmp" "$out"; built=$((built + 1))
    say "        $name: $(took "$s") s, $(($(stat -c %s "$out") / 1000000)) MB"
  fi
  ln -sfn "../go/${out##*/}" "$BIN/$name"
  # One binary for all of Kubernetes, dispatched on the name it is called by.
  [ "$name" != hyperkube ] || for n in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do ln -sfn "../go/${out##*/}" "$BIN/$n"; done
done
say "programs: $i wanted, $built built, $(took "$all") s"
