# The package's own user first, then its ids: the package fails when a user haproxy with another home exists already.
debian 'inst haproxy; groupmod -g 99 haproxy; usermod -u 99 -g 99 haproxy'
expect haproxy 3.2.26
image --user 99:99 --entrypoint '["haproxy","-db"]'
