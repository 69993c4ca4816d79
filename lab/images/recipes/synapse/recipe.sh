# Wheels are built in a layer that is thrown away (gcc, headers: only psycopg2 has no wheel), then installed into a venv.
# requirements.txt pins every package by version and hash. Python 3.13, not Debian testing's default 3.14: there are
# no wheels of every dependency for 3.14 yet. synapse-previous is built by this file too, with requirements of its own.
version=$(sed -n 's/^matrix-synapse==\([^ ]*\).*/\1/p' "$R/requirements.txt")
previews=$(sed -nE 's/^beautifulsoup4==.*/bs4/p; s/^lxml==.*/lxml/p' "$R/requirements.txt") # URL previews: lxml until 1.162
builder '
  inst python3.13-venv python3.13-dev gcc libc6-dev libpq-dev
  python3.13 -m venv /b
  rm -rf /mnt/wheels; /b/bin/pip wheel -q -w /mnt/wheels --require-hashes --no-deps -r /recipe/requirements.txt; /b/bin/pip wheel -q -w /mnt/wheels pip'
debian "WANTED=$version PREVIEWS=$previews;"'
  groupadd -g 991 synapse; useradd -u 991 -g 991 -M -d /data -s /usr/sbin/nologin synapse
  inst python3.13-venv libpq5 libjemalloc2
  python3.13 -m venv --without-pip /opt/synapse
  PYTHONPATH=$(ls /mnt/wheels/pip-*.whl) /opt/synapse/bin/python -m pip install -q --no-index --find-links /mnt/wheels "matrix-synapse[matrix-synapse-ldap3,oidc,postgres,redis,url-preview]" synapse-s3-storage-provider
  mkdir /data; chown 991:991 /data
  /opt/synapse/bin/python -c "import synapse, psycopg2, hiredis, s3_storage_provider, txredisapi, authlib, ldap_auth_provider, $PREVIEWS; assert synapse.__version__ == \"$WANTED\", synapse.__version__; assert hasattr(txredisapi.RedisFactory, \"startedConnecting\"), \"txredisapi 1.6 and later: no process starts that speaks with Redis\""'
expect python3.13 3.13
image --user 991:991 --env PATH=/opt/synapse/bin:/usr/local/bin:/usr/bin:/bin \
  --env LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 --entrypoint '["/opt/synapse/bin/python"]'
