program pause /pause
image --entrypoint '["/pause"]' --user 65535:65535
