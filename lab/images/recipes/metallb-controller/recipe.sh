program metallb-controller /controller
image --user 65534:65534 --entrypoint '["/controller"]'
