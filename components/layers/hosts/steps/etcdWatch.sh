# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C
. ./etcdMetric.sh
tell
