#!/bin/bash
# install.sh: the programs that test/real runs, each as a root file system in $MATRIX_HA_CACHE/real. The same images as the
# lab's (lab/images), so the same pinned versions; besides them promtool from Debian, Synapse's source from PyPI, for its
# documentation, and what the tests put around a deployment: an SMTP, an LDAP and an IRC server, and a bridge to it. What
# is there already is not made again. --built: take the images as they are, build none.
set -euo pipefail
LABDIR=$(cd "$(dirname "$0")/../.." && pwd -P)
# shellcheck source=../../lib.sh
. "$LABDIR/lib.sh"
NAMES=(synapse haproxy postgresql pgbouncer redis nginx coturn livekit)
SYNAPSE=1.163.2
PROMETHEUS=3.5
SDIST_SHA256=4583f1cb8ae6e257c67b752148c3f5ec16ccf7d6cc5d8375d88a14ac20f8effe
R=$CACHE/real; mkdir -p "$R"
# What the tests themselves call: namespaces, certificates, packet filters, and the disks of hosts.test.ts.
mapfile -t WANTED < <(missing_packages unshare:util-linux nsenter:util-linux ip:iproute2 python3:python3 pip3:python3-pip openssl:openssl curl:curl mmdebstrap:mmdebstrap losetup:mount mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs nft:nftables)
install_packages "${WANTED[@]}" || die "test:real needs ${WANTED[*]}, which could not be installed"
# build.sh takes the lab's lock for as long as it builds; what is here has one of its own.
[ "${1:-}" = --built ] || "$LABDIR/images/build.sh" "${NAMES[@]}"
exec {FD}> "$R/.lock"; flock "$FD"

# unpack NAME: the image's layers over each other; a file `.wh.X` in a layer deletes X of those below.
unpack() {
  local tar to layer; tar=$(readlink -f "$CACHE/images/$1.tar"); to=$R/$(basename "$tar" .tar)
  if [ ! -e "$to/.done" ]; then
    say "unpacking ${to##*/} ..."
    rm -rf "$to"; mkdir -p "$to/blobs" "$to/root"; tar -C "$to/blobs" -xf "$tar"
    python3 - "$to/blobs" > "$to/layers" <<'P'
import json, sys
b = sys.argv[1] + "/"
blob = lambda d: b + "blobs/" + d.replace(":", "/")
m = json.load(open(blob(json.load(open(b + "index.json"))["manifests"][0]["digest"])))
for l in m["layers"]:
    print(blob(l["digest"]))
P
    while read -r layer; do
      tar -tf "$layer" | grep -E '(^|/)\.wh\.' | while read -r w; do
        case $w in */.wh..wh..opq) [ ! -d "$to/root/${w%/*}" ] || find "$to/root/${w%/*}" -mindepth 1 -delete ;; *) rm -rf "$to/root/${w%.wh.*}${w##*.wh.}" ;; esac
      done || true
      tar -C "$to/root" --exclude='.wh.*' -xf "$layer"
    done < "$to/layers"
    rm -rf "$to/blobs"; touch "$to/.done"
  fi
  ln -sfn "${to##*/}/root" "$R/$1"
}
for n in "${NAMES[@]}"; do unpack "$n"; done

if [ ! -x "$R/promtool" ]; then
  say "installing promtool ..."
  mkdir -p "$R/recipe"
  "$LABDIR/images/layer.sh" real-promtool "$R/recipe" 'inst prometheus' > "$R/promtool.log" 2>&1 || { tail -5 "$R/promtool.log" >&2; die "promtool could not be installed"; }
  cp "$CACHE/layers/real-promtool/upper/usr/bin/promtool" "$R/promtool"; rm -rf "$CACHE/layers/real-promtool"
fi
"$R/promtool" --version 2>&1 | grep -q "version ${PROMETHEUS}[.+]" || die "promtool is $("$R/promtool" --version 2>&1 | head -1), wanted is $PROMETHEUS: change it here, and test"

if [ ! -e "$R/synapse-source/docs/workers.md" ]; then
  say "downloading Synapse's source ..."
  D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
  echo "matrix-synapse==$SYNAPSE --hash=sha256:$SDIST_SHA256" > "$D/req.txt"
  # pip asks the package's build system for name and version first. Ours only says them: nothing is compiled, no Rust is needed.
  SYNAPSE=$SYNAPSE PYTHONPATH=$(cd "$(dirname "$0")" && pwd)/sdist PYTHONDONTWRITEBYTECODE=1 PIP_FIND_LINKS='' \
    python3 -m pip download -q --no-deps --no-build-isolation --require-hashes --no-binary matrix-synapse --dest "$D" -r "$D/req.txt" > "$R/sdist.log" 2>&1 ||
    { tail -20 "$R/sdist.log" >&2; die "Synapse's source could not be downloaded"; }
  mkdir -p "$R/synapse-source"; tar -C "$R/synapse-source" --strip-components 1 -xzf "$D"/matrix_synapse-$SYNAPSE.tar.gz
fi
# An SMTP server for test/real/mail.test.ts, which is no part of a deployment; pure Python, beside the images.
if [ ! -e "$R/smtpd/.done" ]; then
  say "installing aiosmtpd ..."
  D2=$(mktemp -d)
  printf '%s\n' > "$D2/req.txt" \
    "aiosmtpd==1.4.6 --hash=sha256:72c99179ba5aa9ae0abbda6994668239b64a5ce054471955fe75f581d2592475" \
    "atpublic==9.0.0 --hash=sha256:449c3c4f0c74df79749d6fe225ba55e2a2fce34b303f0329211e4d6989ed6f6e" \
    "attrs==26.1.0 --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309"
  rm -rf "$R/smtpd"
  python3 -m pip install -q --require-hashes --target "$R/smtpd" -r "$D2/req.txt" > "$R/smtpd.log" 2>&1 ||
    { tail -20 "$R/smtpd.log" >&2; die "aiosmtpd could not be installed"; }
  rm -r "$D2"; touch "$R/smtpd/.done"
fi
# heisenbridge for test/real/heisenbridge.test.ts, which is no part of a deployment either. It runs in the Python of Synapse's image.
HERE=$(cd "$(dirname "$0")" && pwd)
key=$(sha256sum < "$HERE/heisenbridge.txt" | cut -c1-16)
if [ ! -e "$R/heisenbridge/.done-$key" ]; then
  say "installing heisenbridge ..."
  rm -rf "$R/heisenbridge"
  python3 -m pip install -q --require-hashes --no-deps --only-binary :all: --python-version 3.13 --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
    --target "$R/heisenbridge" -r "$HERE/heisenbridge.txt" > "$R/heisenbridge.log" 2>&1 ||
    { tail -20 "$R/heisenbridge.log" >&2; die "heisenbridge could not be installed"; }
  touch "$R/heisenbridge/.done-$key"
fi
# An LDAP server and an IRC server of Debian: a root file system with both, for test/real/ldap.test.ts and heisenbridge.test.ts.
S=$R/servers-$("$LABDIR/images/base.sh" --where | sed 's/.*-//')
if [ ! -e "$S/.done" ]; then
  say "installing slapd and ngIRCd ..."
  U=$CACHE/layers/real-servers/upper
  rm -rf "$R"/servers*; mkdir -p "$R/recipe" "$S"
  "$LABDIR/images/layer.sh" real-servers "$R/recipe" 'inst slapd ngircd' > "$R/slapd.log" 2>&1 || { tail -5 "$R/slapd.log" >&2; die "slapd and ngIRCd could not be installed"; }
  cp -a "$("$LABDIR/images/base.sh")/root" "$S/root"
  # What the packages deleted is a device 0/0 in the layer.
  (cd "$U" && find . -type c) > "$S/gone"
  (cd "$S/root" && xargs -r -d '\n' rm -rf) < "$S/gone"
  tar -C "$U" --exclude-from="$S/gone" -cf - . | tar -C "$S/root" -xf -
  rm -rf "$CACHE/layers/real-servers"; touch "$S/.done"
fi
ln -sfn "${S##*/}/root" "$R/servers"
say "programs: ${#NAMES[@]} images, promtool, Synapse's source, aiosmtpd, heisenbridge, slapd and ngIRCd in $R"
