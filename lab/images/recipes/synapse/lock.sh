#!/bin/bash
# lock.sh SYNAPSE S3-PROVIDER [RECIPE]: makes requirements.txt of a recipe (synapse, or the one named) anew: all packages
# with versions and hashes for these versions, e.g.
#   lock.sh 1.163.2 1.7.0
#   lock.sh 1.162.0 1.7.0 synapse-previous
# A hash is that of the file for this platform (x86_64, Python 3.13), or of the source where there is no such file.
# txredisapi: Synapse's metadata before 1.163 allow 1.6.0, with which no process starts that speaks with Redis.
set -euo pipefail
[ $# = 2 ] || [ $# = 3 ] || { sed -n '2,7s/^# //p' "$0"; exit 1; }
H=$(cd "$(dirname "$0")/../${3:-synapse}" && pwd -P); . "$H/../../../lib.sh"; lock; mkdir -p "$CACHE/images"
"$LAB/images/layer.sh" synapse.lock "$H" "
  inst python3.13-venv python3.13-dev gcc libc6-dev libpq-dev; python3.13 -m venv /b; rm -rf /mnt/dl
  /b/bin/pip download -q -d /mnt/dl 'matrix-synapse[matrix-synapse-ldap3,oidc,postgres,redis,url-preview]==$1' synapse-s3-storage-provider==$2 'txredisapi<1.6.0'
  /b/bin/python - <<'PY' > /mnt/requirements.txt
import glob, hashlib, os, re
for p in sorted(glob.glob('/mnt/dl/*'), key=lambda p: os.path.basename(p).lower()):
    n = os.path.basename(p)
    m = re.match(r'(.+?)-(\d[^-]*)(?:-.*\.whl|\.tar\.gz|\.zip)\$', n)
    print('%s==%s --hash=sha256:%s' % (m[1].replace('_', '-').lower(), m[2], hashlib.sha256(open(p, 'rb').read()).hexdigest()))
PY" > "$CACHE/images/synapse.lock.log" 2>&1 || { tail -20 "$CACHE/images/synapse.lock.log"; exit 1; }
{ echo "# Made by lock.sh $1 $2. Every package that goes into the image, with the hash of its one file."; cat "$CACHE/layers/synapse.lock/mnt/requirements.txt"; } > "$H/requirements.txt"
rm -rf "$CACHE/layers/synapse.lock"
say "$(grep -c == "$H/requirements.txt") packages pinned"
