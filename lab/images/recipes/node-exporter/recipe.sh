debian 'inst prometheus-node-exporter'
expect prometheus-node-exporter 1.11.1
image --user 65534:65534 --entrypoint '["prometheus-node-exporter"]'
