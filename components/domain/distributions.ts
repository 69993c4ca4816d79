/**
 * What the ways to install Kubernetes decide for us: networks, certificates of the kubelets, parts that they bring
 * themselves, where the kubelet reads its configuration, how etcd is saved. One table, from the sources of each. Pure.
 */

export const DISTRIBUTIONS = ["kubeadm", "k3s", "rke2", "kubespray", "other"] as const;
/** How the cluster was installed. */
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** Who signs the certificates by which kubelets answer on port 10250. */
export const KUBELET_CERTIFICATES = ["cluster-ca", "self-signed"] as const;
export type KubeletCertificates = (typeof KUBELET_CERTIFICATES)[number];

/** Name under which our provisioner of local volumes works by default, as upstream's does. */
export const LOCAL_PATH = "rancher.io/local-path";
/** Its name beside a provisioner that already has upstream's. */
export const OWN_LOCAL_PATH = "matrix-ha.dev/local-path";

/** A part that the distribution brings, and that stands in the way of one of ours. */
export interface Bundled {
  /** For people. */
  what: string;
  /** How it is left out, completing "install the cluster with ...". */
  how: string;
  /** What would happen otherwise. */
  why: string;
}

/** How the kubelet is told what the system keeps for itself. */
export interface KubeletSetup {
  /** Directory of drop-in files of the type KubeletConfiguration. */
  dropIns: string;
  /** Its services, of which each host has one. */
  services: string[];
  /**
   * systemd drop-in by which the kubelet reads that directory: the unit, and the variable with the command line.
   * @default it reads the directory by itself
   */
  unit?: { name: string; variable: string; value: string };
  /** Files in which its own reservations would stand; shell patterns. */
  configuredIn: string[];
  /** Restarting the service restarts the API server of the host as well. */
  withControlPlane: boolean;
}

/** How etcd's data are saved on a control-plane host. */
export type EtcdSnapshots =
  /** The distribution does it; files appear in `dir`. */
  | { by: "distribution"; dir: string; settings: string }
  /** This stack does it, with etcd's own client; the first certificate that is there. `HOST` is the host's name. */
  | { by: "host step"; certificates: Array<{ ca: string; certificate: string; key: string }> };

/** The constants of a distribution. */
export interface DistributionFacts {
  /** For people. */
  title: string;
  podCidrs: string[];
  serviceCidrs: string[];
  /** Addresses at which pods ask NodeLocal DNSCache, where it is installed with its defaults. */
  nodeLocalDns: string[];
  kubeletCertificates: KubeletCertificates;
  /** It runs metrics-server itself, and autoscaling works with that. */
  metricsServer: boolean;
  /** Name for our provisioner of local volumes. */
  localProvisioner: string;
  inTheWay: Bundled[];
  /** Undefined: the kubelet's configuration belongs to the tool that installed the cluster. */
  kubelet?: KubeletSetup;
  /** How its kubelets are told what to reserve, for people, where `kubelet` is undefined. */
  reserveBy: string;
  /** Undefined: not known. */
  etcd?: EtcdSnapshots;
}

/** Documentation of NodeLocal DNSCache (kubernetes.io, "Using NodeLocal DNSCache"): `<node-local-address>`. */
const USUAL_NODE_LOCAL_DNS = "169.254.20.10";

/** k3s, and RKE2 which is built from it. Their agents get certificates from the servers' own CA. */
const rancher = (
  name: "k3s" | "rke2",
): Pick<DistributionFacts, "podCidrs" | "serviceCidrs" | "kubelet" | "etcd"> & {
  kubeletCertificates: "cluster-ca";
} => ({
  // k3s pkg/cli/cmds/server.go: --cluster-cidr, --service-cidr. RKE2 copies both flags (pkg/cli/cmds/server.go).
  podCidrs: ["10.42.0.0/16"],
  serviceCidrs: ["10.43.0.0/16"],
  // k3s pkg/daemons/control/deps: serving-kubelet.crt is signed by server-ca.crt, which is also what the controller
  // manager publishes as kube-root-ca.crt (--root-ca-file).
  kubeletCertificates: "cluster-ca",
  kubelet: {
    // k3s pkg/daemons/agent/agent_linux.go: --config-dir=<data-dir>/agent/etc/kubelet.conf.d (from 1.32 on).
    dropIns: `/var/lib/rancher/${name}/agent/etc/kubelet.conf.d`,
    services: name === "k3s" ? ["k3s", "k3s-agent"] : ["rke2-server", "rke2-agent"],
    configuredIn: [
      `/etc/rancher/${name}/config.yaml`,
      `/etc/rancher/${name}/config.yaml.d/*`,
      `/var/lib/rancher/${name}/agent/etc/kubelet.conf.d/*`,
      ...(name === "k3s" ? ["/etc/systemd/system/k3s.service", "/etc/systemd/system/k3s-agent.service"] : []),
    ],
    withControlPlane: true,
  },
  etcd: {
    by: "distribution",
    // k3s pkg/cli/cmds/server.go: --etcd-snapshot-dir, --etcd-snapshot-schedule-cron "0 */12 * * *", retention 5.
    dir: `/var/lib/rancher/${name}/server/db/snapshots`,
    settings:
      "etcd-snapshot-schedule-cron, etcd-snapshot-retention, etcd-s3; and etcd-disable-snapshots must not be set",
  },
});

/** kubernetes cmd/kubeadm/app/constants: the certificates of the etcd that kubeadm runs. */
const KUBEADM_ETCD = {
  ca: "/etc/kubernetes/pki/etcd/ca.crt",
  certificate: "/etc/kubernetes/pki/etcd/server.crt",
  key: "/etc/kubernetes/pki/etcd/server.key",
};

export const DISTRIBUTION_FACTS: Record<Distribution, DistributionFacts> = {
  kubeadm: {
    title: "kubeadm",
    // kubeadm has no default for pods; this is what the manifests of flannel and most guides use.
    podCidrs: ["10.244.0.0/16"],
    // kubernetes cmd/kubeadm/app/apis/kubeadm/v1beta4/defaults.go: DefaultServicesSubnet.
    serviceCidrs: ["10.96.0.0/12"],
    nodeLocalDns: [USUAL_NODE_LOCAL_DNS],
    // kubernetes.io, "Certificate Management with kubeadm", "Enabling signed kubelet serving certificates": by default
    // self-signed; with serverTLSBootstrap each kubelet requests one, which a person or a controller must approve.
    kubeletCertificates: "self-signed",
    metricsServer: false,
    localProvisioner: LOCAL_PATH,
    inTheWay: [],
    kubelet: {
      dropIns: "/etc/kubernetes/kubelet.conf.d",
      services: ["kubelet"],
      // kubernetes/release cmd/krel/templates/latest/kubeadm/10-kubeadm.conf: KUBELET_CONFIG_ARGS. The other variables
      // of its command line come from files, which override a unit's.
      unit: {
        name: "kubelet.service",
        variable: "KUBELET_CONFIG_ARGS",
        value: "--config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubernetes/kubelet.conf.d",
      },
      configuredIn: [
        "/var/lib/kubelet/config.yaml",
        "/var/lib/kubelet/kubeadm-flags.env",
        "/etc/default/kubelet",
        "/etc/sysconfig/kubelet",
        "/etc/systemd/system/kubelet.service.d/*",
        "/etc/kubernetes/kubelet.conf.d/*",
      ],
      withControlPlane: false,
    },
    reserveBy: "systemReserved in the KubeletConfiguration",
    etcd: { by: "host step", certificates: [KUBEADM_ETCD] },
  },
  k3s: {
    title: "k3s",
    ...rancher("k3s"),
    nodeLocalDns: [USUAL_NODE_LOCAL_DNS],
    // k3s manifests/metrics-server: Deployment kube-system/metrics-server with the selector k8s-app, which cannot be
    // changed; the same APIService.
    metricsServer: true,
    // k3s manifests/local-storage.yaml: provisioner rancher.io/local-path, for directories below
    // /var/lib/rancher/k3s/storage only; ClusterRole local-path-provisioner-role.
    localProvisioner: OWN_LOCAL_PATH,
    inTheWay: [
      {
        what: "ServiceLB",
        how: "--disable servicelb",
        why: "it answers on ports 80 and 443 of every node and gives Services the nodes' addresses instead of MetalLB's",
      },
      { what: "Traefik", how: "--disable traefik", why: "its Service takes an address from MetalLB's pool" },
    ],
    reserveBy: "systemReserved in a file of /var/lib/rancher/k3s/agent/etc/kubelet.conf.d",
  },
  rke2: {
    title: "RKE2",
    ...rancher("rke2"),
    // rke2-charts packages/rke2-coredns values: nodelocal.ip_address.
    nodeLocalDns: [USUAL_NODE_LOCAL_DNS],
    // rke2 charts/chart_versions.yaml: rke2-metrics-server, of which the APIService v1beta1.metrics.k8s.io would clash.
    metricsServer: true,
    // It brings no provisioner of local volumes.
    localProvisioner: LOCAL_PATH,
    inTheWay: [
      {
        what: "its ingress controller (Traefik; in older releases NGINX, whose class is called nginx as ours)",
        how: "ingress-controller: none",
        why: "it takes ports 80 and 443 of every node, and the IngressClass nginx exists already",
      },
    ],
    reserveBy: "systemReserved in a file of /var/lib/rancher/rke2/agent/etc/kubelet.conf.d",
  },
  kubespray: {
    title: "kubespray",
    // kubespray inventory/sample/group_vars/k8s_cluster/k8s-cluster.yml: kube_pods_subnet, kube_service_addresses,
    // nodelocaldns_ip (enable_nodelocaldns: true).
    podCidrs: ["10.233.64.0/18"],
    serviceCidrs: ["10.233.0.0/18"],
    nodeLocalDns: ["169.254.25.10"],
    // kubespray roles/kubespray_defaults: kubelet_rotate_server_certificates: false; its own metrics-server therefore
    // has --kubelet-insecure-tls.
    kubeletCertificates: "self-signed",
    // kubespray inventory/sample/group_vars/k8s_cluster/addons.yml: metrics_server_enabled,
    // local_path_provisioner_enabled, metallb_enabled and cert_manager_enabled are all false.
    metricsServer: false,
    localProvisioner: LOCAL_PATH,
    inTheWay: [],
    // kubespray roles/kubernetes/node/templates writes the unit and its configuration anew with every run.
    reserveBy: "system_cpu_reserved and system_memory_reserved in kubespray's group_vars",
    etcd: {
      by: "host step",
      certificates: [
        // kubespray roles/etcdctl_etcdutl/templates/etcdctl.sh.j2 and roles/etcd_defaults: etcd_cert_dir; with
        // etcd_deployment_type kubeadm the files are kubeadm's.
        {
          ca: "/etc/ssl/etcd/ssl/ca.pem",
          certificate: "/etc/ssl/etcd/ssl/admin-HOST.pem",
          key: "/etc/ssl/etcd/ssl/admin-HOST-key.pem",
        },
        KUBEADM_ETCD,
      ],
    },
  },
  other: {
    title: "a cluster of another kind",
    podCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
    nodeLocalDns: [USUAL_NODE_LOCAL_DNS],
    kubeletCertificates: "cluster-ca",
    metricsServer: false,
    localProvisioner: LOCAL_PATH,
    inTheWay: [],
    reserveBy: "systemReserved in the KubeletConfiguration",
  },
};
