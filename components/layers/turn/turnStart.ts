/** Start script of a coturn pod: adds the node's own addresses to the common configuration. Pure. */
import type { Settings } from "../../settings/types";
import { publicAddressLookup } from "../../domain/callHosts";
import { TURN_PATHS } from "./turnserverConf";

export function turnStart(settings: Settings, tls: boolean): string {
  const { run, secret, tls: tlsPath } = TURN_PATHS;
  return `#!/bin/sh
# HOST_IP is the node's own address. Behind NAT clients get the public one; a public address that the node has itself
# (on another interface) is listened on and relayed from directly.
set -eu
umask 077
${publicAddressLookup(settings)}
# Not cp: it would keep the Secret's read-only mode, and a restart of the container finds the file of the last one.
cat ${secret} >${run}/turnserver.conf
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
} >>${run}/turnserver.conf
${
  tls
    ? `# A renewed certificate is read at SIGUSR2; the mounted file changes by itself.
(
  last=$(cksum <${tlsPath}/tls.crt)
  while sleep 300; do
    now=$(cksum <${tlsPath}/tls.crt) || continue
    if [ "$now" != "$last" ]; then last=$now; kill -USR2 1; fi
  done
) &
`
    : ""
}exec turnserver -c ${run}/turnserver.conf
`;
}
