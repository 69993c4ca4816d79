on_base
program mc /usr/local/bin/mc
image --user 1000:1000 --env HOME=/tmp --env MC_CONFIG_DIR=/tmp/.mc --entrypoint '["mc"]'
