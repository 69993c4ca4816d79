debian 'inst prometheus-alertmanager'
expect prometheus-alertmanager 0.33.1
image --user 65534:65534 --entrypoint '["prometheus-alertmanager"]'
