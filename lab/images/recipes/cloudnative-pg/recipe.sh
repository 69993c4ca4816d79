# The operator copies /operator/manager_<architecture> into its instances; without it: "invalid architecture: amd64".
program cnpg-manager /operator/manager_amd64
image --link /manager=operator/manager_amd64 --dir /tmp=1777 --user 65532:65532 --entrypoint '["/manager"]'
