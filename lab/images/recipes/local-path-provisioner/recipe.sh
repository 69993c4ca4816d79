program local-path-provisioner /local-path-provisioner
image --dir /tmp=1777 --entrypoint '["/local-path-provisioner"]'
