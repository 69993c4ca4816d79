program metallb-speaker /speaker
image --entrypoint '["/speaker"]'
