program prometheus-config-reloader /bin/prometheus-config-reloader
image --dir /tmp=1777 --user 65534:65534 --entrypoint '["/bin/prometheus-config-reloader"]'
