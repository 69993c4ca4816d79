/** Names and annotations of the public certificate. Pure. */
import type { Input } from "@pulumi/pulumi";
import { NAMESPACES, type Namespace } from "../../../core/names";
import { servedServerName } from "../../../domain/entranceNames";
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

/** Name of the Secret with the credentials of `tls.dns01`, where cert-manager looks for those of a ClusterIssuer. */
export const DNS01_SECRET = "matrix-ha-acme-dns01";

/** Every public host name once, the homeserver's first. */
export const publicNames = (settings: Settings): string[] => {
  const h = settings.hostnames;
  return [
    ...new Set([
      h.homeserver,
      ...servedServerName(settings),
      h.web,
      h.admin,
      ...(settings.rtc.enabled ? [h.rtc] : []),
      ...(settings.turn.enabled ? [h.turn] : []),
    ]),
  ];
};

/**
 * Whether each public host has one Ingress with its certificate, in the namespace of the controller, and another with
 * its paths, in that of its Services ("mergeable" Ingresses). F5's controller reads Secrets by whole namespaces:
 * it could not be kept from the server's keys if certificates were beside them. Another controller may not know this.
 */
export const hasOwnTlsNamespace = (settings: Pick<Settings, "cluster">): boolean =>
  settings.cluster.install.ingressController;

/** The annotation that makes an Ingress one of two. */
export const MERGEABLE = "nginx.org/mergeable-ingress-type";

/** Namespaces with pods that use public names, and so need the own CA. */
export const trustNamespaces = (settings: Settings): Namespace[] => [
  NAMESPACES.matrix,
  ...(settings.rtc.enabled ? [NAMESPACES.livekit] : []),
  ...(settings.turn.enabled ? [NAMESPACES.coturn] : []),
];

/** Namespaces that present the certificate: those of Ingress objects with TLS, and that of coturn. */
export const tlsNamespaces = (settings: Settings): Namespace[] =>
  hasOwnTlsNamespace(settings)
    ? [NAMESPACES.ingress, ...(settings.turn.enabled ? [NAMESPACES.coturn] : [])]
    : trustNamespaces(settings);

/**
 * Annotations by which cert-manager issues the certificate of an Ingress; empty where no issuer does.
 *
 * @param ownNamespace From `hasOwnTlsNamespace`.
 */
export function issuerAnnotations(tls: TlsSettings, ownNamespace: boolean): Record<string, string> {
  if (!fromIssuer(tls)) return {};
  const issuer = {
    "cert-manager.io/cluster-issuer": tls.mode === "issuer" ? tls.clusterIssuer : ISSUER,
    // The challenge follows the redirect to HTTPS, which needs a temporary certificate before the real one exists.
    "cert-manager.io/issue-temporary-certificate": "true",
  };
  // The challenge has an Ingress of its own, which adds its path to the host's; or it is answered in DNS.
  if (ownNamespace || (tls.mode === "acme" && tls.dns01)) return issuer;
  return {
    ...issuer,
    // Some controllers refuse a second Ingress for a host, so the challenge's path is added to the Ingress itself while
    // the challenge lasts.
    "acme.cert-manager.io/http01-edit-in-place": "true",
    // cert-manager writes to the rules of the Ingress. The next `pulumi up` overwrites them instead of failing with a
    // conflict.
    "pulumi.com/patchForce": "true",
  };
}
