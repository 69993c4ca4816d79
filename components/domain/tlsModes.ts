/** Which modes of `tls` leave the certificates of the Ingress objects to cert-manager. Pure. */
import type { TlsSettings } from "../settings/types";

type FromIssuer = Extract<TlsSettings, { mode: "acme" | "issuer" }>;

/** Whether cert-manager orders a certificate for each Ingress, by this stack's issuer or by one that exists. */
export const fromIssuer = (tls: TlsSettings): tls is FromIssuer => tls.mode === "acme" || tls.mode === "issuer";
