debian 'groupadd -g 101 nginx; useradd -u 101 -g 101 -M -d /nonexistent -s /usr/sbin/nologin nginx; inst nginx; cp -r /recipe/app /app'
expect nginx 1.30.6
image --user 101:101 --entrypoint '["nginx","-g","daemon off;"]'
