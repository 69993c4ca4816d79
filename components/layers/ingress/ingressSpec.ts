/** Spec of an Ingress, from one public host. Pure. */
import type { networking } from "@pulumi/kubernetes/types/input";
import type { PublicHost } from "./hosts";

/** @param i The class, and the TLS Secret in the namespace of the Ingress; without one the certificate is elsewhere */
export function ingressSpec(
  host: PublicHost,
  i: { ingressClass: string; tlsSecret?: string },
): networking.v1.IngressSpec {
  return {
    ingressClassName: i.ingressClass,
    ...(i.tlsSecret ? { tls: [{ hosts: [host.host], secretName: i.tlsSecret }] } : {}),
    rules: [
      {
        host: host.host,
        ...(host.paths.length > 0
          ? {
              http: {
                paths: host.paths.map((p) => ({
                  path: p.path,
                  pathType: p.pathType,
                  backend: { service: { name: p.service, port: { name: p.port } } },
                })),
              },
            }
          : {}),
      },
    ],
  };
}
