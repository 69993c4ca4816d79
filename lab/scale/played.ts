/**
 * What the operators would make of their objects, where no operator runs: the pods of CloudNativePG, the Deployment of
 * a Pooler, the StatefulSets of the Prometheus operator, the volumes of local-path-provisioner. Only what scheduler,
 * eviction API and engine see of them. Pure.
 */

/** An object of the API server; what is read of it is named here. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: Array<{ kind: string; name: string; uid: string; controller?: boolean }>;
    generation?: number;
    deletionTimestamp?: string;
    resourceVersion?: string;
    finalizers?: string[];
  };
  spec?: any;
  status?: any;
  /** Of a configuration of webhooks. */
  webhooks?: Array<{ clientConfig: { caBundle?: string } }>;
}

const owned = (owner: KubeObject): object[] => [
  {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  },
];

/** The user that CloudNativePG runs PostgreSQL as. */
const POSTGRES_UID = 26;
const SECURED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

// ------------------------------------------------------------------ CloudNativePG
/** Labels by which the operator's budgets tell a primary from its standbys. */
export const INSTANCE_ROLE = "cnpg.io/instanceRole";
/** Hash of the part of the Cluster that is in its pods: where it differs, the operator replaces the pod. */
export const MADE_FROM = "lab.matrix-ha.dev/made-from";

export const instanceNames = (cluster: KubeObject): string[] =>
  Array.from({ length: cluster.spec.instances }, (_, i) => `${cluster.metadata.name}-${i + 1}`);

/** The claims of an instance: its data, and its WAL where that has a volume of its own. */
export function instanceClaims(cluster: KubeObject, instance: string): KubeObject[] {
  const claim = (name: string, storage: { size: string; storageClass: string }): KubeObject => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: cluster.metadata.namespace,
      labels: { "cnpg.io/cluster": cluster.metadata.name, "cnpg.io/instanceName": instance },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storage.storageClass,
      resources: { requests: { storage: storage.size } },
    },
  });
  const { storage, walStorage } = cluster.spec;
  return [claim(instance, storage), ...(walStorage ? [claim(`${instance}-wal`, walStorage)] : [])];
}

/**
 * The pod of an instance, as pkg/specs/pods.go makes it (v1.30.0): the generated anti-affinity, the node selector,
 * tolerations, spread, priority and resources of the Cluster, and the sidecar of the backup plugin.
 *
 * @param sidecar Resources of the plugin's sidecar. @default no plugin
 */
export function instancePod(
  cluster: KubeObject,
  instance: string,
  { primary, madeFrom, sidecar }: { primary: boolean; madeFrom: string; sidecar?: object },
): KubeObject {
  const { name, namespace } = cluster.metadata;
  const { affinity, resources, imageName, topologySpreadConstraints, priorityClassName, inheritedMetadata } =
    cluster.spec;
  const image = { image: imageName, securityContext: SECURED };
  const term = {
    labelSelector: {
      matchExpressions: [
        { key: "cnpg.io/cluster", operator: "In", values: [name] },
        { key: "cnpg.io/podRole", operator: "In", values: ["instance"] },
      ],
    },
    topologyKey: affinity.topologyKey,
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: instance,
      namespace,
      labels: {
        ...inheritedMetadata?.labels,
        "cnpg.io/cluster": name,
        "cnpg.io/instanceName": instance,
        "cnpg.io/podRole": "instance",
        [INSTANCE_ROLE]: primary ? "primary" : "replica",
      },
      annotations: { [MADE_FROM]: madeFrom },
      ownerReferences: owned(cluster) as any,
    },
    spec: {
      hostname: instance,
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      nodeSelector: affinity.nodeSelector,
      tolerations: affinity.tolerations,
      topologySpreadConstraints,
      priorityClassName,
      securityContext: { runAsNonRoot: true, runAsUser: POSTGRES_UID, fsGroup: POSTGRES_UID },
      ...(sidecar
        ? { initContainers: [{ name: "plugin-barman-cloud", ...image, restartPolicy: "Always", resources: sidecar }] }
        : {}),
      containers: [{ name: "postgres", ...image, resources }],
      volumes: instanceClaims(cluster, instance).map((c, i) => ({
        name: i === 0 ? "pgdata" : "pg-wal",
        persistentVolumeClaim: { claimName: c.metadata.name },
      })),
    },
  };
}

/** The two budgets of pkg/specs/poddisruptionbudget.go (v1.30.0). */
export function instanceBudgets(cluster: KubeObject): KubeObject[] {
  const { name, namespace } = cluster.metadata;
  const budget = (of: string, role: string, minAvailable: number): KubeObject => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: of, namespace, ownerReferences: owned(cluster) as any },
    spec: { minAvailable, selector: { matchLabels: { "cnpg.io/cluster": name, [INSTANCE_ROLE]: role } } },
  });
  const { instances } = cluster.spec;
  return [budget(`${name}-primary`, "primary", 1), ...(instances < 3 ? [] : [budget(name, "replica", instances - 2)])];
}

/** The Deployment of a Pooler: its template, with the selector that the operator gives it. */
export function poolerDeployment(pooler: KubeObject): KubeObject {
  const { name, namespace, labels } = pooler.metadata;
  const { instances, template, deploymentStrategy, cluster } = pooler.spec;
  const own = {
    "cnpg.io/poolerName": name,
    "cnpg.io/cluster": cluster.name,
    "cnpg.io/podRole": "pooler",
  };
  const secured = (c: any): any => ({ ...c, securityContext: { ...SECURED, runAsUser: 998 } });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels, ownerReferences: owned(pooler) as any },
    spec: {
      replicas: instances,
      strategy: deploymentStrategy,
      selector: { matchLabels: { "cnpg.io/poolerName": name } },
      template: {
        metadata: { labels: { ...template.metadata?.labels, ...own }, annotations: template.metadata?.annotations },
        spec: {
          ...template.spec,
          securityContext: { runAsNonRoot: true, seccompProfile: SECURED.seccompProfile },
          containers: template.spec.containers.map(secured),
        },
      },
    },
  };
}

// ------------------------------------------------------------------ the Prometheus operator
/** Requests of the sidecar that reloads the configuration: the operator's defaults. */
const RELOADER = { requests: { cpu: "10m", memory: "50Mi" }, limits: { cpu: "10m", memory: "50Mi" } };

/** The StatefulSet of a Prometheus or an Alertmanager. */
export function monitoringSet(owner: KubeObject): KubeObject {
  const kind = owner.kind!.toLowerCase();
  const name = `${kind}-${owner.metadata.name}`;
  const { namespace } = owner.metadata;
  const s = owner.spec;
  const labels = {
    "app.kubernetes.io/managed-by": "prometheus-operator",
    "app.kubernetes.io/instance": owner.metadata.name,
    "app.kubernetes.io/name": kind,
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace, ownerReferences: owned(owner) as any },
    spec: {
      replicas: s.replicas,
      podManagementPolicy: "Parallel",
      serviceName: `${kind}-operated`,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...s.podMetadata?.labels, ...labels } },
        spec: {
          affinity: s.affinity,
          nodeSelector: s.nodeSelector,
          tolerations: s.tolerations,
          topologySpreadConstraints: s.topologySpreadConstraints,
          priorityClassName: s.priorityClassName,
          securityContext: s.securityContext,
          serviceAccountName: s.serviceAccountName,
          automountServiceAccountToken: true,
          containers: [
            { name: kind, image: s.image, resources: s.resources, securityContext: SECURED },
            { name: "config-reloader", image: s.image, resources: RELOADER, securityContext: SECURED },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          ...s.storage.volumeClaimTemplate,
          metadata: { name: `${name}-db`, ...s.storage.volumeClaimTemplate.metadata },
        },
      ],
    },
  };
}

// ------------------------------------------------------------------ local-path-provisioner
/** The volume of a claim on the node that the scheduler has chosen. */
export function localVolume(claim: KubeObject, node: string): KubeObject {
  const { name, namespace, uid } = claim.metadata;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `pvc-${uid}` },
    spec: {
      capacity: claim.spec.resources.requests,
      accessModes: claim.spec.accessModes,
      storageClassName: claim.spec.storageClassName,
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      hostPath: { path: `/var/lib/matrix-ha/${uid}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  };
}

// ------------------------------------------------------------------ MetalLB
/** The address that a Service asks for. */
export const addressOf = (service: KubeObject): string | undefined =>
  service.metadata.annotations?.["metallb.io/loadBalancerIPs"]?.split(",")[0];
