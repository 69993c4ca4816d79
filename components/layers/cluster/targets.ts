/** Metrics endpoints of the ingress controller and of cert-manager. Pure. */
import type { PlanInput } from "../../core/layer";
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS } from "../../core/names";
import { INGRESS_LABELS } from "./ingressController/nginxIngress";

export function clusterTargets({ settings }: PlanInput): Target[] {
  const { ingressController, certManager } = settings.cluster.install;
  return [
    ...(ingressController
      ? [
          {
            name: "ingress",
            namespace: NAMESPACES.ingress,
            pods: { labels: INGRESS_LABELS },
            port: PORTS.ingressMetrics,
            paths: ["/metrics"],
            job: "ingress",
            layer: "ingress",
          },
        ]
      : []),
    ...(certManager
      ? [
          {
            name: "cert-manager",
            namespace: NAMESPACES.certManager,
            pods: own("cert-manager"),
            port: 9402,
            paths: ["/metrics"],
            layer: "cert-manager",
          },
        ]
      : []),
  ];
}
