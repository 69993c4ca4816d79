/** Images of this layer. Each tag is an exact version; a digest, where there is one, pins the content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  cloudnativePg: {
    repository: "ghcr.io/cloudnative-pg/cloudnative-pg",
    tag: "1.30.0",
    source: "releases/cnpg-1.30.0.yaml of github.com/cloudnative-pg/cloudnative-pg",
  },
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
});
