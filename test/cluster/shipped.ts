/** What each distribution puts into a fresh cluster, as far as it could meet ours. From the sources named. */
import type { Distribution } from "../../components/domain/distributions";

export interface Shipped {
  /** `Kind namespace/name`, without namespace for what is cluster-wide. */
  objects: string[];
  /** Provisioners of volumes that already run. */
  provisioners: string[];
  /** It runs metrics-server. */
  metrics: boolean;
  /** `--cluster-cidr` and `--service-cidr`, or the like. */
  networks: { pods: string; services: string };
  /** Address of NodeLocal DNSCache, where it is part of the default installation. */
  nodeLocalDns?: string;
  /** Labels of CoreDNS' pods. */
  dns: Record<string, string>;
  /** Issuer of the kubelets' serving certificates. */
  kubelet: "cluster-ca" | "self-signed";
}

export const SHIPPED: Record<Exclude<Distribution, "other">, Shipped> = {
  // kubernetes cmd/kubeadm/app: phases/addons (CoreDNS, kube-proxy), apis/kubeadm/v1beta4/defaults.go. kubernetes.io on
  // certificates with kubeadm: "By default, kubeadm deploys a kubelet serving certificate that is self-signed".
  kubeadm: {
    objects: [
      "Deployment kube-system/coredns",
      "Service kube-system/kube-dns",
      "ClusterRole system:coredns",
      "DaemonSet kube-system/kube-proxy",
    ],
    provisioners: [],
    metrics: false,
    networks: { pods: "10.244.0.0/16", services: "10.96.0.0/12" },
    dns: { "k8s-app": "kube-dns" },
    kubelet: "self-signed",
  },
  // k3s manifests/: coredns.yaml, local-storage.yaml, metrics-server/; pkg/cli/cmds/server.go for the networks.
  k3s: {
    objects: [
      "Deployment kube-system/coredns",
      "Service kube-system/kube-dns",
      "ServiceAccount kube-system/local-path-provisioner-service-account",
      "Role kube-system/local-path-provisioner-role",
      "RoleBinding kube-system/local-path-provisioner-bind",
      "ClusterRole local-path-provisioner-role",
      "ClusterRoleBinding local-path-provisioner-bind",
      "Deployment kube-system/local-path-provisioner",
      "StorageClass local-path",
      "ConfigMap kube-system/local-path-config",
      "ServiceAccount kube-system/metrics-server",
      "Deployment kube-system/metrics-server",
      "Service kube-system/metrics-server",
      "APIService v1beta1.metrics.k8s.io",
      "ClusterRole system:aggregated-metrics-reader",
      "ClusterRole system:metrics-server",
      "ClusterRoleBinding system:metrics-server",
      "ClusterRoleBinding metrics-server:system:auth-delegator",
      "RoleBinding kube-system/metrics-server-auth-reader",
    ],
    provisioners: ["rancher.io/local-path"],
    metrics: true,
    networks: { pods: "10.42.0.0/16", services: "10.43.0.0/16" },
    dns: { "k8s-app": "kube-dns" },
    kubelet: "cluster-ca",
  },
  // rke2 charts/chart_versions.yaml; rke2-charts packages/rke2-metrics-server, rke2-coredns (k8sApp: kube-dns).
  rke2: {
    objects: [
      "Deployment kube-system/rke2-coredns-rke2-coredns",
      "Deployment kube-system/rke2-metrics-server",
      "Service kube-system/rke2-metrics-server",
      "APIService v1beta1.metrics.k8s.io",
    ],
    provisioners: [],
    metrics: true,
    networks: { pods: "10.42.0.0/16", services: "10.43.0.0/16" },
    dns: { "k8s-app": "kube-dns" },
    kubelet: "cluster-ca",
  },
  // kubespray inventory/sample/group_vars/k8s_cluster/{k8s-cluster,addons}.yml: the add-ons are off, except
  // nodelocaldns; roles/kubespray_defaults: kubelet_rotate_server_certificates: false.
  kubespray: {
    objects: [
      "Deployment kube-system/coredns",
      "Service kube-system/coredns",
      "DaemonSet kube-system/nodelocaldns",
      "DaemonSet kube-system/kube-proxy",
    ],
    provisioners: [],
    metrics: false,
    networks: { pods: "10.233.64.0/18", services: "10.233.0.0/18" },
    nodeLocalDns: "169.254.25.10",
    dns: { "k8s-app": "kube-dns" },
    kubelet: "self-signed",
  },
};
