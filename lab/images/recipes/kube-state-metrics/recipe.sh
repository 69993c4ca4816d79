program kube-state-metrics /kube-state-metrics
image --dir /tmp=1777 --user 65534:65534 --entrypoint '["/kube-state-metrics"]'
