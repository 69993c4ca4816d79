# shellcheck shell=sh
# A renewed certificate is read at SIGUSR2; the mounted file changes by itself.
(
  last=$(cksum <@TLS@/tls.crt)
  while sleep 300; do
    now=$(cksum <@TLS@/tls.crt) || continue
    if [ "$now" != "$last" ]; then last=$now; kill -USR2 1; fi
  done
) &
