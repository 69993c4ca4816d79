/** Names and annotations of the public certificate. Pure. */
import { NAMESPACES, type Namespace } from "../../../core/names";
import type { Settings, TlsSettings } from "../../../settings/types";

/** TLS Secret with the public host names' certificate, the same in each namespace that presents it. */
export const PUBLIC_CERTIFICATE = "matrix-ha-tls";
/** ConfigMap with the own CA's certificate as ca.crt. */
export const TRUST_BUNDLE = "matrix-ha-ca";
/** ClusterIssuer for ACME. */
export const ISSUER = "matrix-ha-acme";

/** Every public host name once; the homeserver's first. */
export const publicNames = (settings: Settings): string[] => {
  const h = settings.hostnames;
  return [
    ...new Set([
      h.homeserver,
      settings.serverName.replace(/:\d+$/, ""),
      h.web,
      h.admin,
      ...(settings.rtc.enabled ? [h.rtc] : []),
      ...(settings.turn.enabled ? [h.turn] : []),
    ]),
  ];
};

/** Where the certificate is presented: by Ingress objects, by the SFU's Ingress, by coturn itself. */
export const tlsNamespaces = (settings: Settings): Namespace[] => [
  NAMESPACES.matrix,
  ...(settings.rtc.enabled ? [NAMESPACES.livekit] : []),
  ...(settings.turn.enabled ? [NAMESPACES.coturn] : []),
];

export function issuerAnnotations(tls: TlsSettings): Record<string, string> {
  if (tls.mode !== "acme") return {};
  return {
    "cert-manager.io/cluster-issuer": ISSUER,
    // F5's controller refuses a second Ingress for a host: the challenge's path goes into the Ingress itself for as
    // long as it lasts.
    "acme.cert-manager.io/http01-edit-in-place": "true",
    // The challenge follows the redirect to HTTPS, which needs some certificate before there is the real one.
    "cert-manager.io/issue-temporary-certificate": "true",
    // cert-manager has then written to the rules: the next `pulumi up` takes them back instead of reporting a conflict.
    "pulumi.com/patchForce": "true",
  };
}
