# CloudNativePG runs the pooler as 998:996 with /usr/bin/pgbouncer (Debian has it in /usr/sbin), and its own access rule
# "local pgbouncer pgbouncer peer" works only if uid 998 is NAMED pgbouncer.
debian '
  groupadd -g 996 pgbouncer; useradd -u 998 -g 996 -M -d /var/lib/pgbouncer -s /usr/sbin/nologin pgbouncer
  sed -i s/^tape:x:26:/tape:x:926:/ /etc/group
  groupadd -g 26 postgres; useradd -u 26 -g 26 -d /var/lib/postgresql -s /bin/bash postgres
  mkdir -p /etc/postgresql-common/createcluster.d; echo create_main_cluster=false > /etc/postgresql-common/createcluster.d/no.conf
  inst pgbouncer; ln -s ../sbin/pgbouncer /usr/bin/pgbouncer'
expect pgbouncer 1.26.1
image --user 998:996 --entrypoint '["/usr/sbin/pgbouncer"]'
