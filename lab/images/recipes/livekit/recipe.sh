program livekit-server /livekit-server
image --file "$CA:/etc/ssl/certs/ca-certificates.crt:644" --user 65532:65532 --entrypoint '["/livekit-server"]'
