program prometheus-operator /bin/operator
image --dir /tmp=1777 --user 65534:65534 --entrypoint '["/bin/operator"]'
