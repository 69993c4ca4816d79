#!/bin/sh
# HOST_IP is the node's own address. Behind NAT clients get the public one; a public address that the node has itself
# (on another interface) is listened on and relayed from directly.
set -eu
umask 077
# @PUBLIC_ADDRESS@

# Not cp: it would keep the Secret's read-only mode, and a restart of the container finds the file of the last one.
cat @SECRET@ >@RUN@/turnserver.conf
{
  echo "listening-ip=$HOST_IP"
  if [ "$PUBLIC_IP" = "$HOST_IP" ]; then
    echo "relay-ip=$HOST_IP"
  else
    case " $(hostname -I 2>/dev/null || true) " in
      *" $PUBLIC_IP "*) echo "listening-ip=$PUBLIC_IP"; echo "relay-ip=$PUBLIC_IP" ;;
      *) echo "relay-ip=$HOST_IP"; echo "external-ip=$PUBLIC_IP/$HOST_IP" ;;
    esac
  fi
} >>@RUN@/turnserver.conf
# @RENEWAL@
exec turnserver -c @RUN@/turnserver.conf
