debian 'inst prometheus'
expect prometheus 3.5.3
image --user 65534:65534 --entrypoint '["prometheus"]'
