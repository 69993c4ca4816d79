# What CloudNativePG wants of an operand image: user postgres with uid and gid 26 (made before the package, which would
# take another; gid 26 belongs to "tape" in Debian), the server's programs on PATH, and a tag that starts with the version.
debian '
  sed -i s/^tape:x:26:/tape:x:926:/ /etc/group
  groupadd -g 26 postgres; useradd -u 26 -g 26 -d /var/lib/postgresql -s /bin/bash postgres
  mkdir -p /etc/postgresql-common/createcluster.d; echo create_main_cluster=false > /etc/postgresql-common/createcluster.d/no.conf
  inst postgresql-18 barman-cli-cloud python3-boto3
  chown -R 26:26 /var/lib/postgresql /var/run/postgresql'
expect postgresql-18 18.6
expect barman-cli-cloud 3.20.1
image --user 26:26 --env PATH=/usr/lib/postgresql/18/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env PGDATA=/var/lib/postgresql/data --env LANG=C.UTF-8
