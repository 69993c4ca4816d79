/** What this stack changes in each vendored operator, and why. Pure. */
import { imageRef } from "../../../core/images";
import { NAMESPACES } from "../../../core/names";
import type { Settings } from "../../../settings/types";
import { httpProbes, STARTUP, tcpProbes } from "../../../core/workload/probes";
import { OPERATOR_REQUESTS, requestOf } from "../../../domain/operatorRequests";
import { LOCAL_PATH } from "../../../domain/distributions";
import { localProvisioner } from "../../../domain/localVolumes";
import { localPaths } from "../storageClasses";
import type { Manifest } from "./manifest";
import type { Operator, OperatorName } from "./vendored";
import { IMAGES } from "../images";

/** For probes that start a program, which costs more than a request. */
const SLOW = { periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 };

const cloudNativePg: Operator = {
  name: "cloudnative-pg",
  namespace: NAMESPACES.cnpg,
  appName: "cloudnative-pg",
  image: IMAGES.cloudnativePg,
  workloads: {
    "Deployment cnpg-controller-manager": {
      component: "cnpg-controller-manager",
      replicas: OPERATOR_REQUESTS.cloudNativePg.replicas,
      uid: 10001,
      minReadySeconds: 5,
      containers: {
        manager: {
          image: IMAGES.cloudnativePg,
          ...requestOf("cloudNativePg"),
          memoryLimitMiB: 512,
          probes: httpProbes("/readyz", "webhook-server", "HTTPS"),
          // Instances take the instance manager, and poolers their init container, from the operator's image.
          env: (s) => ({ OPERATOR_IMAGE_NAME: imageRef(s, IMAGES.cloudnativePg) }),
        },
      },
    },
  },
};

const barmanPlugin: Operator = {
  name: "plugin-barman-cloud",
  namespace: NAMESPACES.cnpg,
  appName: "plugin-barman-cloud",
  image: IMAGES.barmanPlugin,
  omit: {
    "Secret plugin-barman-cloud-8tfddg42gf": "contains only the name of an image, which is given as a plain variable",
  },
  workloads: {
    "Deployment barman-cloud": {
      component: "barman-cloud",
      uid: 10001,
      replicas: {
        one: "it serves its API only as leader: a second replica would never be ready; without it, archiving continues in the instances' sidecars",
      },
      containers: {
        "barman-cloud": {
          image: IMAGES.barmanPlugin,
          ...requestOf("barmanPlugin"),
          memoryLimitMiB: 256,
          ports: { grpc: 9090 },
          probes: tcpProbes("grpc"),
          args: (args) => args.map((a) => (a === "--log-level=debug" ? "--log-level=info" : a)),
          env: (s) => ({ SIDECAR_IMAGE: imageRef(s, IMAGES.barmanSidecar) }),
        },
      },
    },
  },
};

const metallb: Operator = {
  name: "metallb",
  namespace: NAMESPACES.metallb,
  appName: "metallb",
  image: IMAGES.metallbController,
  workloads: {
    "Deployment controller": {
      component: "metallb-controller",
      uid: 65534,
      minReadySeconds: 10,
      replicas: {
        one: "it has no leader election; without it, the speakers keep announcing assigned addresses",
      },
      containers: {
        controller: {
          image: IMAGES.metallbController,
          ...requestOf("metallbController"),
          memoryLimitMiB: 256,
          ports: { health: 17472 },
          // Both health paths answer before the webhook does. The webhook waits until the kubelet has mounted the
          // certificate that the controller itself stored in a Secret (up to 122 s observed); until then every address
          // pool is refused. 150 x 2 s: five minutes.
          probes: {
            ...httpProbes("/healthz", "health"),
            startup: { tcp: "webhook-server", timing: { ...STARTUP, failureThreshold: 150 } },
          },
        },
      },
    },
    "DaemonSet speaker": {
      component: "metallb-speaker",
      replicas: "daemon",
      uid: null,
      everywhere: true,
      containers: {
        speaker: {
          image: IMAGES.metallbSpeaker,
          ...requestOf("metallbSpeaker"),
          memoryLimitMiB: 256,
          ports: { health: 17472 },
          probes: httpProbes("/healthz", "health"),
          addCapabilities: ["NET_RAW"],
        },
      },
    },
  },
};

const certManager: Operator = {
  name: "cert-manager",
  namespace: NAMESPACES.certManager,
  appName: "cert-manager",
  image: IMAGES.certManagerController,
  workloads: {
    "Deployment cert-manager": {
      component: "cert-manager",
      callsOut: true,
      replicas: OPERATOR_REQUESTS.certManager.replicas,
      uid: 65532,
      containers: {
        "cert-manager-controller": {
          image: IMAGES.certManagerController,
          ...requestOf("certManager"),
          memoryLimitMiB: 256,
          probes: httpProbes("/livez", "http-healthz"),
          args: (args, s) =>
            args.map((a) =>
              a.startsWith("--acme-http01-solver-image=")
                ? `--acme-http01-solver-image=${imageRef(s, IMAGES.certManagerAcmesolver)}`
                : a,
            ),
        },
      },
    },
    "Deployment cert-manager-webhook": {
      component: "cert-manager-webhook",
      replicas: OPERATOR_REQUESTS.certManagerWebhook.replicas,
      uid: 65532,
      minReadySeconds: 10,
      containers: {
        "cert-manager-webhook": {
          image: IMAGES.certManagerWebhook,
          ...requestOf("certManagerWebhook"),
          memoryLimitMiB: 128,
          probes: {
            startup: { http: "/healthz", port: "healthcheck" },
            readiness: { http: "/healthz", port: "healthcheck" },
            liveness: { http: "/livez", port: "healthcheck" },
          },
        },
      },
    },
    "Deployment cert-manager-cainjector": {
      component: "cert-manager-cainjector",
      replicas: OPERATOR_REQUESTS.certManagerCainjector.replicas,
      uid: 65532,
      minReadySeconds: 10,
      containers: {
        // It has no health endpoint, so the probes test whether its metrics port accepts connections.
        "cert-manager-cainjector": {
          image: IMAGES.certManagerCainjector,
          ...requestOf("certManagerCainjector"),
          memoryLimitMiB: 512,
          probes: tcpProbes("http-metrics"),
        },
      },
    },
  },
};

const signedByCluster = ({ cluster }: Settings): boolean => cluster.kubeletCertificates === "cluster-ca";

const metricsServer: Operator = {
  name: "metrics-server",
  namespace: NAMESPACES.kubeSystem,
  appName: "metrics-server",
  image: IMAGES.metricsServer,
  workloads: {
    "Deployment metrics-server": {
      component: "metrics-server",
      replicas: OPERATOR_REQUESTS.metricsServer.replicas,
      uid: 65534,
      volumes: (s) =>
        signedByCluster(s) ? [{ name: "kubelet-ca", configMap: { name: "kube-root-ca.crt", defaultMode: 0o444 } }] : [],
      containers: {
        "metrics-server": {
          image: IMAGES.metricsServer,
          ...requestOf("metricsServer"),
          memoryLimitMiB: 256,
          probes: {
            startup: { http: "/livez", port: "https", scheme: "HTTPS" },
            readiness: { http: "/readyz", port: "https", scheme: "HTTPS" },
            liveness: { http: "/livez", port: "https", scheme: "HTTPS" },
          },
          // A kubelet whose certificate the cluster's CA signed is trusted only with that. One that signed its own
          // (kubeadm's default) cannot be told from another machine at its address.
          args: (args, s) => [
            ...args.filter((a) => !a.startsWith("--kubelet-preferred-address-types")),
            "--kubelet-preferred-address-types=InternalIP",
            signedByCluster(s) ? "--kubelet-certificate-authority=/ca/ca.crt" : "--kubelet-insecure-tls",
          ],
          mounts: (s) => (signedByCluster(s) ? [{ name: "kubelet-ca", mountPath: "/ca" }] : []),
        },
      },
    },
  },
};

const localPath: Operator = {
  name: "local-path-provisioner",
  namespace: NAMESPACES.localPath,
  appName: "local-path-provisioner",
  image: IMAGES.localPathProvisioner,
  omit: {
    "StorageClass local-path": "it deletes released volumes; the classes from the settings replace it",
  },
  workloads: {
    "Deployment local-path-provisioner": {
      component: "local-path-provisioner",
      uid: 65534,
      replicas: { one: "it has no leader election; only the creation of new volumes waits for it" },
      containers: {
        "local-path-provisioner": {
          image: IMAGES.localPathProvisioner,
          ...requestOf("localPathProvisioner"),
          memoryLimitMiB: 128,
          env: (s): Record<string, string> => {
            const name = localProvisioner(s);
            return name === LOCAL_PATH ? {} : { PROVISIONER_NAME: name };
          },
          // It listens on no port, so the probes only test whether the program starts.
          probes: {
            startup: { exec: ["local-path-provisioner", "--version"] },
            readiness: { exec: ["local-path-provisioner", "--version"], timing: SLOW },
            liveness: { exec: ["local-path-provisioner", "--version"], timing: SLOW },
          },
        },
      },
    },
  },
  adjust: (o, s) =>
    o.kind === "ConfigMap" && o.data ? { ...o, data: localPathConfig(o.data, s) } : besideAnother(o, s),
};

/** Names of upstream's cluster-wide objects, which a distribution's own provisioner has as well. */
const CLUSTER_WIDE = /^(local-path-provisioner)-(role|bind)$/;

/** Names of our own for what would otherwise be the other provisioner's. */
function besideAnother(o: Manifest, settings: Settings): Manifest {
  if (localProvisioner(settings) === LOCAL_PATH || o.metadata.namespace !== undefined) return o;
  const renamed = (name: string): string => name.replace(CLUSTER_WIDE, "matrix-ha-$1-$2");
  return {
    ...o,
    metadata: { ...o.metadata, name: renamed(o.metadata.name) },
    ...(o.kind === "ClusterRoleBinding" && o.roleRef
      ? { roleRef: { ...o.roleRef, name: renamed(o.roleRef.name) } }
      : {}),
  };
}

function localPathConfig(data: Record<string, string>, settings: Settings): Record<string, string> {
  return {
    ...data,
    "config.json": JSON.stringify(
      { nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: localPaths(settings) }] },
      null,
      2,
    ),
    "helperPod.yaml": helperPod(data["helperPod.yaml"]!, settings),
  };
}

/** The pod that makes and removes directories; YAML, as the provisioner reads it. */
function helperPod(yaml: string, settings: Settings): string {
  const image = yaml.replace(/image: .*/, `image: ${imageRef(settings, IMAGES.busybox)}`);
  const { pullSecret } = settings.images;
  return pullSecret ? image.replace(/^spec:$/m, `spec:\n  imagePullSecrets:\n  - name: ${pullSecret}`) : image;
}

const prometheusOperator: Operator = {
  name: "prometheus-operator",
  namespace: NAMESPACES.monitoring,
  appName: "prometheus-operator",
  image: IMAGES.prometheusOperator,
  moveFrom: "default",
  workloads: {
    "Deployment prometheus-operator": {
      component: "prometheus-operator",
      uid: 65534,
      replicas: { one: "it has no leader election; Prometheus and Alertmanager keep running without it" },
      containers: {
        "prometheus-operator": {
          image: IMAGES.prometheusOperator,
          ...requestOf("prometheusOperator"),
          memoryLimitMiB: 384,
          probes: httpProbes("/healthz", "http"),
          args: (args, s) =>
            args.map((a) =>
              a.startsWith("--prometheus-config-reloader=")
                ? `--prometheus-config-reloader=${imageRef(s, IMAGES.prometheusConfigReloader)}`
                : a,
            ),
        },
      },
    },
  },
};

/** Every vendored operator. */
export const OPERATORS: Record<OperatorName, Operator> = {
  "cloudnative-pg": cloudNativePg,
  "plugin-barman-cloud": barmanPlugin,
  metallb,
  "cert-manager": certManager,
  "metrics-server": metricsServer,
  "local-path-provisioner": localPath,
  "prometheus-operator": prometheusOperator,
};

/** The operators that this stack installs; each comes after those that it needs. */
export function installedOperators(settings: Settings): Operator[] {
  const i = settings.cluster.install;
  const wanted: Array<[boolean, OperatorName]> = [
    [i.localPathProvisioner, "local-path-provisioner"],
    [i.certManager, "cert-manager"],
    [i.metallb, "metallb"],
    [i.metricsServer, "metrics-server"],
    [i.cloudNativePg, "cloudnative-pg"],
    [i.barmanPlugin, "plugin-barman-cloud"],
    [i.prometheusOperator, "prometheus-operator"],
  ];
  return wanted.filter(([yes]) => yes).map(([, name]) => OPERATORS[name]);
}
