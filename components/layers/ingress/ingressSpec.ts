/** Spec of an Ingress, from one public host. Pure. */
import type { networking } from "@pulumi/kubernetes/types/input";
import type { PublicHost } from "./hosts";

/** @param i The class, and the TLS Secret in the namespace of the Ingress */
export function ingressSpec(
  host: PublicHost,
  i: { ingressClass: string; tlsSecret: string },
): networking.v1.IngressSpec {
  return {
    ingressClassName: i.ingressClass,
    tls: [{ hosts: [host.host], secretName: i.tlsSecret }],
    rules: [
      {
        host: host.host,
        http: {
          paths: host.paths.map((p) => ({
            path: p.path,
            pathType: p.pathType,
            backend: { service: { name: p.service, port: { name: p.port } } },
          })),
        },
      },
    ],
  };
}
