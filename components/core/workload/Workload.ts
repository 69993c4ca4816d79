/** The pods of one component and everything that belongs to them: account, Services, disruption budget, autoscaler. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../context";
import { labels, selectorLabels, type ObjectMetadata } from "./metadata";
import { budgetSpec } from "./placement";
import { podTemplate, type PodSpec } from "./pod";
import { rolledOut } from "./rollout";
import { gibi } from "./quantities";

type PolicyRule = k8s.types.input.rbac.v1.PolicyRule;

/** A Service in front of a workload's pods. */
export interface ServiceSpec {
  /** Name of the object. */
  name: string;
  /** Service ports by name; each leads to the container port of the same name. Names with `http` first speak HTTP. */
  ports: Record<string, number>;
  /** Without an address of its own: its DNS name resolves to the pods. @default false */
  headless?: boolean;
  /** Lists pods that are not ready too, for clusters whose members must find each other first. @default false */
  publishNotReady?: boolean;
  /** A LoadBalancer gets a public address, and the engine waits for it. @default "ClusterIP" */
  type?: "ClusterIP" | "LoadBalancer";
  annotations?: Record<string, string>;
  /** For a LoadBalancer. `Local` keeps the client's address. @default "Local" */
  externalTrafficPolicy?: "Local" | "Cluster";
  /** Names of the ports that use UDP. @default all use TCP */
  udp?: string[];
  /** Labels besides those of every object. */
  labels?: Record<string, string>;
}

/** Arguments of a Workload. */
export interface WorkloadArgs {
  ctx: StackContext;
  /**
   * What its pods wait for (core/order.ts), such as what they mount. Services and accounts start nothing and do not
   * wait.
   */
  after?: pulumi.Resource[];
  namespace: string;
  /** Label app.kubernetes.io/component, unique in the stack; edges and scrape targets name the pods by it. */
  component: string;
  /** Name of the Kubernetes objects. @default `component` */
  objectName?: string;
  /** Label app.kubernetes.io/name: the program that runs, such as `haproxy`. */
  appName: string;
  /** Label app.kubernetes.io/version: `imageVersion` of the main image. */
  version: string;
  kind: "Deployment" | "StatefulSet" | "DaemonSet";
  /** Number of pods; not for a DaemonSet. @default 1 */
  replicas?: number;
  /**
   * For a Deployment: number of pods by their mean CPU usage, in percent of the request. `replicas` is ignored, and
   * left out of the Deployment.
   */
  autoscale?: { min: number; max: number; cpuPercent: number };
  pod: PodSpec;
  /** `configHash` over everything that the pods read at start: they restart when it changes. @default none */
  configHash?: pulumi.Input<string>;
  services?: ServiceSpec[];
  /** For a StatefulSet: its governing headless Service. @default the first headless one of `services` */
  serviceName?: string;
  /**
   * For a StatefulSet: its volumes. They remain when the set is deleted or scaled down, and changes do not reach them.
   */
  claims?: Array<{ name: string; sizeGiB: number; storageClass: string }>;
  /** For a StatefulSet. @default "Parallel" */
  podManagementPolicy?: "Parallel" | "OrderedReady";
  /** Pods that a drain may evict at once. A single replica has no budget: it would block every drain. @default 1 */
  maxUnavailable?: number;
  /** For a Deployment: its rolling update. @default 25 % surge, none unavailable */
  rollout?: { maxSurge: number | string; maxUnavailable: number | string };
  /** Rules of a Role, in its namespace, for the pods' account. @default none */
  roleRules?: PolicyRule[];
  /** Rules of a ClusterRole for the pods' account. @default none */
  clusterRoleRules?: PolicyRule[];
  /** Seconds that the engine waits for the rollout before it fails. @default 600 */
  timeoutSeconds?: number;
  /** Seconds that a pod must have been ready before it counts as available. @default 0 */
  minReadySeconds?: number;
  /** Whether the engine must refuse to delete or replace the controller. @default false */
  protect?: boolean;
  /** Annotations of the controller, not of the pods. */
  annotations?: Record<string, string>;
}

/** What the parts of a workload have in common. */
interface Common {
  /** Pulumi's name of the component: prefix of its children's names. */
  name: string;
  objectName: string;
  selector: Record<string, string>;
  meta(objectName: string, extra?: Pick<ObjectMetadata, "annotations">): ObjectMetadata;
  opts: pulumi.CustomResourceOptions;
}

/** The pods of one component: hardened, probed, spread, with a disruption budget. */
export class Workload extends pulumi.ComponentResource {
  /** The Deployment, StatefulSet or DaemonSet. Depending on it means waiting for the rollout. */
  readonly controller: pulumi.CustomResource;
  /** By their names. */
  readonly services: Record<string, k8s.core.v1.Service> = {};
  readonly serviceAccount: k8s.core.v1.ServiceAccount;

  constructor(name: string, args: WorkloadArgs, opts: { parent: pulumi.Resource }) {
    const after = args.after ?? [];
    super("matrix-ha:workload:Workload", name, {}, { ...opts, dependsOn: after });
    const { settings } = args.ctx;
    const objectName = args.objectName ?? args.component;
    const common: Common = {
      name,
      objectName,
      selector: selectorLabels(settings, args.component),
      opts: { parent: this },
      meta: (n, extra = {}) => ({
        name: n,
        namespace: args.namespace,
        labels: labels(settings, args.component, args.appName, args.version),
        ...extra,
      }),
    };

    this.serviceAccount = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      {
        metadata: common.meta(objectName),
        automountServiceAccountToken: false,
      },
      common.opts,
    );
    if (args.roleRules) bindRole(common, args.roleRules);
    if (args.clusterRoleRules) bindClusterRole(common, args.clusterRoleRules);

    // The governing Service comes before its StatefulSet. No Service waits for endpoints: the order is that of the
    // dependencies, and the next layer's Services can be made while the pods of this one start.
    for (const s of args.services ?? []) this.services[s.name] = makeService(common, s);

    this.controller = makeController(common, args, {
      // A component's own dependencies do not become its children's, so the controller names them itself.
      ...common.opts,
      ...(args.protect ? { protect: true } : {}),
      dependsOn: [this.serviceAccount, ...Object.values(this.services), ...after],
    });

    const most = args.autoscale?.max ?? args.replicas ?? 0;
    if (args.kind !== "DaemonSet" && most > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata: common.meta(objectName),
          spec: budgetSpec(common.selector, args.maxUnavailable),
        },
        common.opts,
      );
    }
    if (args.autoscale) makeAutoscaler(common, args.autoscale, this.controller);
    this.registerOutputs({});
  }
}

function makeService({ name, selector, meta, opts }: Common, s: ServiceSpec): k8s.core.v1.Service {
  const { labels: own, ...metadata } = meta(s.name);
  const balanced = s.type === "LoadBalancer";
  return new k8s.core.v1.Service(
    `${name}-service-${s.name}`,
    {
      metadata: {
        ...metadata,
        labels: { ...own, ...s.labels },
        annotations: { "pulumi.com/skipAwait": balanced ? "false" : "true", ...s.annotations },
      },
      spec: {
        type: s.type ?? "ClusterIP",
        selector,
        ipFamilyPolicy: "PreferDualStack",
        ...(s.headless ? { clusterIP: "None" } : {}),
        ...(s.publishNotReady ? { publishNotReadyAddresses: true } : {}),
        // A port on every node would be translated before the hosts' firewall sees the packet, and so pass it by.
        ...(balanced
          ? { externalTrafficPolicy: s.externalTrafficPolicy ?? "Local", allocateLoadBalancerNodePorts: false }
          : {}),
        ports: Object.entries(s.ports).map(([n, p]) => ({
          name: n,
          port: p,
          targetPort: n,
          protocol: s.udp?.includes(n) ? "UDP" : "TCP",
          ...(n.startsWith("http") ? { appProtocol: "http" } : {}),
        })),
      },
    },
    opts,
  );
}

function makeAutoscaler(
  { name, objectName, meta, opts }: Common,
  { min, max, cpuPercent }: NonNullable<WorkloadArgs["autoscale"]>,
  controller: pulumi.Resource,
): void {
  new k8s.autoscaling.v2.HorizontalPodAutoscaler(
    `${name}-autoscaler`,
    {
      metadata: meta(objectName, { annotations: { "pulumi.com/skipAwait": "true" } }),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: objectName },
        minReplicas: min,
        maxReplicas: max,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
          },
        ],
        // Scaling in drops clients' warm sync caches, so it waits for ten minutes of lower load.
        behavior: { scaleDown: { stabilizationWindowSeconds: 600 }, scaleUp: { stabilizationWindowSeconds: 30 } },
      },
    },
    { ...opts, dependsOn: [controller] },
  );
}

const accountOf = ({ objectName, meta }: Common): k8s.types.input.rbac.v1.Subject => ({
  kind: "ServiceAccount",
  name: objectName,
  namespace: meta(objectName).namespace,
});

function bindClusterRole(common: Common, rules: PolicyRule[]): void {
  const { name, objectName, meta, opts } = common;
  const metadata = { ...meta(`matrix-ha-${objectName}`), namespace: undefined };
  const role = new k8s.rbac.v1.ClusterRole(`${name}-clusterrole`, { metadata, rules }, opts);
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-clusterrolebinding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name },
      subjects: [accountOf(common)],
    },
    { ...opts, dependsOn: [role] },
  );
}

function bindRole(common: Common, rules: PolicyRule[]): void {
  const { name, objectName, meta, opts } = common;
  const role = new k8s.rbac.v1.Role(`${name}-role`, { metadata: meta(objectName), rules }, opts);
  new k8s.rbac.v1.RoleBinding(
    `${name}-rolebinding`,
    {
      metadata: meta(objectName),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: objectName },
      subjects: [accountOf(common)],
    },
    { ...opts, dependsOn: [role] },
  );
}

function makeController(
  { name, objectName, selector, meta }: Common,
  args: WorkloadArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const template = podTemplate({
    settings: args.ctx.settings,
    component: args.component,
    name: args.appName,
    version: args.version,
    serviceAccountName: objectName,
    pod: args.pod,
    configHash: args.configHash,
    apart:
      args.kind === "DaemonSet"
        ? {}
        : { replicas: args.autoscale?.min ?? args.replicas, rolling: args.kind === "Deployment" },
  });
  const metadata = meta(objectName, {
    annotations: {
      "pulumi.com/timeoutSeconds": String(args.timeoutSeconds ?? 600),
      ...(args.kind === "DaemonSet" ? {} : rolledOut(args.kind, args.replicas)),
      ...args.annotations,
    },
  });
  const common = {
    selector: { matchLabels: selector },
    template,
    ...(args.minReadySeconds ? { minReadySeconds: args.minReadySeconds } : {}),
  };
  // Left out where an autoscaler owns the field: server-side apply would conflict with it.
  const replicas = args.autoscale ? {} : { replicas: args.replicas ?? 1 };
  switch (args.kind) {
    case "Deployment":
      return new k8s.apps.v1.Deployment(
        `${name}-deployment`,
        {
          metadata,
          spec: {
            ...common,
            ...replicas,
            revisionHistoryLimit: 3,
            strategy: { type: "RollingUpdate", rollingUpdate: args.rollout ?? { maxSurge: "25%", maxUnavailable: 0 } },
          },
        },
        opts,
      );
    case "StatefulSet":
      return new k8s.apps.v1.StatefulSet(
        `${name}-statefulset`,
        {
          metadata,
          spec: { ...common, ...replicas, revisionHistoryLimit: 3, ...statefulSpec(args, selector) },
          // Kubernetes refuses to change claim templates, and replacing the set would stop all its pods without any
          // effect on existing claims.
        },
        args.claims ? { ...opts, ignoreChanges: ["spec.volumeClaimTemplates"] } : opts,
      );
    case "DaemonSet":
      return new k8s.apps.v1.DaemonSet(
        `${name}-daemonset`,
        {
          metadata,
          spec: {
            ...common,
            revisionHistoryLimit: 3,
            updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
          },
        },
        opts,
      );
  }
}

/** The fields that only a StatefulSet has. */
const statefulSpec = (args: WorkloadArgs, selector: Record<string, string>) => ({
  serviceName: args.serviceName ?? args.services?.find((s) => s.headless)?.name ?? args.component,
  podManagementPolicy: args.podManagementPolicy ?? "Parallel",
  updateStrategy: { type: "RollingUpdate" },
  persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  ...(args.claims
    ? {
        volumeClaimTemplates: args.claims.map((c) => ({
          metadata: { name: c.name, labels: selector },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: c.storageClass,
            resources: { requests: { storage: gibi(c.sizeGiB) } },
          },
        })),
      }
    : {}),
});
