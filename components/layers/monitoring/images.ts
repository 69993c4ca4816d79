/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  prometheus: { repository: "quay.io/prometheus/prometheus", tag: "v3.13.3", source: "prometheus/prometheus" },
  alertmanager: { repository: "quay.io/prometheus/alertmanager", tag: "v0.34.1", source: "prometheus/alertmanager" },
  nodeExporter: { repository: "quay.io/prometheus/node-exporter", tag: "v1.12.1", source: "prometheus/node_exporter" },
  kubeStateMetrics: {
    repository: "registry.k8s.io/kube-state-metrics/kube-state-metrics",
    tag: "v2.19.1",
    source: "kubernetes/kube-state-metrics",
  },
  grafana: { repository: "docker.io/grafana/grafana", tag: "13.2.3", source: "grafana/grafana" },
});
