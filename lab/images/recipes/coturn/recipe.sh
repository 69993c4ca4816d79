debian 'inst coturn'
expect coturn 4.18.0
image --user 65534:65534 --entrypoint '["turnserver"]'
