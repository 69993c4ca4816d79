# shellcheck shell=sh
for public in /etc/ssl/certs/ca-certificates.crt "$(python -m certifi)"; do if [ -s "$public" ]; then break; fi; done
cat "$public" @OWN@ > @BOTH@
export SSL_CERT_FILE=@BOTH@
# @FOR_S3@
