# shellcheck shell=sh
set -eu
export HOME=/tmp MC_CONFIG_DIR=/tmp/.mc
export MC_HOST_store="http://$ROOT_USER:$ROOT_PASSWORD@@ADDRESS@"
mc() { command mc --quiet --no-color "$@"; }
timeout @WAIT_SECONDS@ mc --quiet --no-color ready store || { echo "MinIO cannot write after @WAIT_SECONDS@ s: see its pods" >&2; exit 1; }
# @GRANTS@
echo "buckets, users and policies are as they should be"
