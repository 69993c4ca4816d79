program metrics-server /metrics-server
image --dir /tmp=1777 --user 65534:65534 --entrypoint '["/metrics-server"]'
