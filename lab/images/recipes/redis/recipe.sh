debian '
  groupadd -g 999 redis; useradd -u 999 -g 999 -M -d /data -s /usr/sbin/nologin redis
  inst redis-server redis-tools; mkdir /data; chown 999:999 /data'
expect redis-server 8.0.6
image --user 999:999 --entrypoint '["redis-server"]'
