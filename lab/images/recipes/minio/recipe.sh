on_base
program minio /usr/local/bin/minio
program mc /usr/local/bin/mc
image --dir /data=755:1000 --user 1000:1000 --entrypoint '["minio"]'
