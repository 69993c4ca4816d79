program coredns /coredns
image --entrypoint '["/coredns"]'
