#!/bin/sh
set -eu
umask 077
# @PUBLIC_ADDRESS@

sed "s/@NODE_IP@/$PUBLIC_IP/" @SECRET@/livekit.yaml >@RUN@/livekit.yaml
