/**
 * Every image that the stack runs, in one table: pods, the mirror list and the bill of materials read it. Pure.
 * Each tag is an exact version. `digest` pins it to one content.
 */
import type { Settings } from "../settings/types";

export interface Image {
  repository: string;
  tag: string;
  digest?: string;
  /** Where the version was seen. */
  source: string;
}

export const IMAGES = {
  postgresql: {
    repository: "ghcr.io/cloudnative-pg/postgresql",
    tag: "18.6-standard-trixie",
    source: "cloudnative-pg/postgres-containers",
  },
  pgbouncer: {
    repository: "ghcr.io/cloudnative-pg/pgbouncer",
    tag: "1.26.1",
    source: "cloudnative-pg/pgbouncer-containers",
  },
  cloudnativePg: {
    repository: "ghcr.io/cloudnative-pg/cloudnative-pg",
    tag: "1.30.0",
    source: "releases/cnpg-1.30.0.yaml of github.com/cloudnative-pg/cloudnative-pg",
  },
  redis: { repository: "docker.io/library/redis", tag: "8.0.6", source: "docker-library/official-images" },
  redisExporter: {
    repository: "quay.io/oliver006/redis_exporter",
    tag: "v1.86.0",
    source: "oliver006/redis_exporter; Debian testing packages 1.86",
  },
  haproxy: { repository: "docker.io/library/haproxy", tag: "3.2.26", source: "docker-library/official-images" },
  nginx: {
    repository: "docker.io/nginxinc/nginx-unprivileged",
    tag: "1.30.6",
    source: "nginxinc/docker-nginx-unprivileged",
  },
  minio: {
    repository: "localhost/matrix-ha/minio",
    tag: "20260212",
    source: "lab/images/recipes/minio: built from github.com/minio/minio (Docker Hub's images ended in September 2026)",
  },
  mc: {
    repository: "localhost/matrix-ha/mc",
    tag: "20250313",
    source: "lab/images/recipes/mc: built from github.com/minio/mc",
  },
  synapse: {
    repository: "localhost/matrix-ha/synapse",
    tag: "1.163.2",
    source: "lab/images/recipes/synapse: matrix-synapse 1.163.2 and synapse-s3-storage-provider 1.7.0 of PyPI",
  },
  coturn: {
    repository: "docker.io/coturn/coturn",
    tag: "4.17.0-r0-debian",
    source: "docker/coturn/README.md of coturn/coturn",
  },
  livekit: { repository: "docker.io/livekit/livekit-server", tag: "v1.13.5", source: "tag v1.13.5 of livekit/livekit" },
  lkJwt: {
    repository: "ghcr.io/element-hq/lk-jwt-service",
    tag: "0.5.0",
    source: "tag v0.5.0 of element-hq/lk-jwt-service; its workflow tags images without the v",
  },
  elementWeb: {
    repository: "docker.io/vectorim/element-web",
    tag: "v1.12.32",
    source: "getumbrel/umbrel-apps element/docker-compose.yml; element-hq/element-web",
  },
  admin: {
    repository: "ghcr.io/etkecc/ketesa",
    tag: "v1.5.0",
    source: "etkecc/ketesa (formerly Synapse Admin), docker/Dockerfile: files in /var/public",
  },
  prometheus: { repository: "quay.io/prometheus/prometheus", tag: "v3.13.3", source: "prometheus/prometheus" },
  alertmanager: { repository: "quay.io/prometheus/alertmanager", tag: "v0.34.1", source: "prometheus/alertmanager" },
  nodeExporter: { repository: "quay.io/prometheus/node-exporter", tag: "v1.12.1", source: "prometheus/node_exporter" },
  kubeStateMetrics: {
    repository: "registry.k8s.io/kube-state-metrics/kube-state-metrics",
    tag: "v2.19.1",
    source: "kubernetes/kube-state-metrics",
  },
  grafana: { repository: "docker.io/grafana/grafana", tag: "13.2.3", source: "grafana/grafana" },
  barmanPlugin: {
    repository: "ghcr.io/cloudnative-pg/plugin-barman-cloud",
    tag: "v0.15.0",
    source: "tag v0.15.0 of cloudnative-pg/plugin-barman-cloud",
  },
  barmanSidecar: {
    repository: "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar",
    tag: "v0.15.0",
    source: "tag v0.15.0 of cloudnative-pg/plugin-barman-cloud",
  },
  metallbController: {
    repository: "quay.io/metallb/controller",
    tag: "v0.16.1",
    source: "config/manifests/metallb-native.yaml of go.universe.tf/metallb",
  },
  metallbSpeaker: {
    repository: "quay.io/metallb/speaker",
    tag: "v0.16.1",
    source: "config/manifests/metallb-native.yaml of go.universe.tf/metallb",
  },
  certManagerController: {
    repository: "quay.io/jetstack/cert-manager-controller",
    tag: "v1.21.2",
    source: "chart of cert-manager/cert-manager v1.21.2",
  },
  certManagerWebhook: {
    repository: "quay.io/jetstack/cert-manager-webhook",
    tag: "v1.21.2",
    source: "chart of cert-manager/cert-manager v1.21.2",
  },
  certManagerCainjector: {
    repository: "quay.io/jetstack/cert-manager-cainjector",
    tag: "v1.21.2",
    source: "chart of cert-manager/cert-manager v1.21.2",
  },
  certManagerAcmesolver: {
    repository: "quay.io/jetstack/cert-manager-acmesolver",
    tag: "v1.21.2",
    source: "chart of cert-manager/cert-manager v1.21.2",
  },
  metricsServer: {
    repository: "registry.k8s.io/metrics-server/metrics-server",
    tag: "v0.9.0",
    source: "manifests/components/release of kubernetes-sigs/metrics-server v0.9.0",
  },
  localPathProvisioner: {
    repository: "docker.io/rancher/local-path-provisioner",
    tag: "v0.0.33",
    source: "deploy/local-path-storage.yaml of rancher/local-path-provisioner v0.0.33",
  },
  busybox: {
    repository: "docker.io/library/busybox",
    tag: "1.37.0",
    source: "docker-library/official-images; makes and removes the directories of local volumes",
  },
  prometheusOperator: {
    repository: "quay.io/prometheus-operator/prometheus-operator",
    tag: "v0.92.1",
    source: "bundle.yaml of prometheus-operator/prometheus-operator v0.92.1",
  },
  prometheusConfigReloader: {
    repository: "quay.io/prometheus-operator/prometheus-config-reloader",
    tag: "v0.92.1",
    source: "bundle.yaml of prometheus-operator/prometheus-operator v0.92.1",
  },
  nginxIngress: {
    repository: "docker.io/nginx/nginx-ingress",
    tag: "5.5.4",
    source: "compatibility matrix of docs.nginx.com (5.5.4: Kubernetes 1.29 to 1.36)",
  },
} as const satisfies Record<string, Image>;

export type ImageKey = keyof typeof IMAGES;

/** The reference that pods use: an override as it is; else the table's, under the mirror where one is set. */
export function imageRef(settings: Settings, key: ImageKey): string {
  const override = settings.images.overrides[key];
  if (override) return override;
  const image: Image = IMAGES[key];
  const repository = settings.images.mirror
    ? `${settings.images.mirror.replace(/\/$/, "")}/${image.repository.replace(/^[^/]*[.:][^/]*\/|^localhost\//, "")}`
    : image.repository;
  return `${repository}:${image.tag}${image.digest ? `@${image.digest}` : ""}`;
}

/** Version label of what runs: the tag of the reference in use. */
export function imageVersion(settings: Settings, key: ImageKey): string {
  const ref = imageRef(settings, key).replace(/@.*$/, "");
  const tag = ref.slice(ref.lastIndexOf("/") + 1).split(":")[1];
  return tag ?? IMAGES[key].tag;
}
