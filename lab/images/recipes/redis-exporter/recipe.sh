debian 'inst prometheus-redis-exporter'
expect prometheus-redis-exporter 1.86.0
image --user 59000:59000 --entrypoint '["prometheus-redis-exporter"]'
