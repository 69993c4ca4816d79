/** Names and annotations of the public certificate. Pure. */
import type { Input } from "@pulumi/pulumi";
import { NAMESPACES, type Namespace } from "../../../core/names";
import { fromIssuer } from "../../../domain/tlsModes";
import type { Settings, TlsSettings } from "../../../settings/types";

/** Name of the TLS Secret with the certificate of the public host names, the same in each namespace. */
export const PUBLIC_CERTIFICATE = "matrix-ha-tls";
/** Name of the ConfigMap with the own CA's certificate as `ca.crt`. */
export const TRUST_BUNDLE = "matrix-ha-ca";
/** A certificate that a person must renew, and the moment when it ends. */
export interface CertificateEnd {
  /** For people. */
  certificate: string;
  /** A date that JavaScript reads; undefined where only the engine can read the certificate. */
  at: Input<string | undefined>;
}

/** Metric with the end of each such certificate, as Unix time. */
export const CERTIFICATE_END = "matrix_ha_certificate_end_timestamp_seconds";
/** Whether there are such certificates. */
export const certificateEndsMatter = (settings: Settings): boolean =>
  settings.tls.mode !== "acme" || settings.trustedAuthorities !== undefined;

/** Name of the ClusterIssuer for ACME. */
export const ISSUER = "matrix-ha-acme";

/** Every public host name once, the homeserver's first. */
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

/** Namespaces that present the certificate: in Ingress objects, in the SFU's Ingress, in coturn itself. */
export const tlsNamespaces = (settings: Settings): Namespace[] => [
  NAMESPACES.matrix,
  ...(settings.rtc.enabled ? [NAMESPACES.livekit] : []),
  ...(settings.turn.enabled ? [NAMESPACES.coturn] : []),
];

/** Annotations by which cert-manager issues the certificate of an Ingress; empty where no issuer does. */
export function issuerAnnotations(tls: TlsSettings): Record<string, string> {
  if (!fromIssuer(tls)) return {};
  return {
    "cert-manager.io/cluster-issuer": tls.mode === "issuer" ? tls.clusterIssuer : ISSUER,
    // F5's controller refuses a second Ingress for a host, so the challenge's path is added to the Ingress itself while
    // the challenge lasts.
    "acme.cert-manager.io/http01-edit-in-place": "true",
    // The challenge follows the redirect to HTTPS, which needs a temporary certificate before the real one exists.
    "cert-manager.io/issue-temporary-certificate": "true",
    // cert-manager writes to the rules of the Ingress. The next `pulumi up` overwrites them instead of failing with a
    // conflict.
    "pulumi.com/patchForce": "true",
  };
}
