/** A component's pods and everything that belongs to them: account, Services, disruption budget, autoscaler. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../context";
import { labels, selectorLabels, type ObjectMetadata } from "./metadata";
import { budgetSpec } from "./placement";
import { podTemplate, type PodSpec } from "./pod";
import { rolledOut } from "./rollout";
import { gibi } from "./quantities";

type PolicyRule = k8s.types.input.rbac.v1.PolicyRule;

export interface ServiceSpec {
  name: string;
  /** Service port and the container port's name it goes to (same name). */
  ports: Record<string, number>;
  headless?: boolean;
  /** Headless Services of clusters whose members find each other before they are ready. */
  publishNotReady?: boolean;
  type?: "ClusterIP" | "LoadBalancer";
  annotations?: Record<string, string>;
  externalTrafficPolicy?: "Local" | "Cluster";
  /** UDP ports by name; TCP otherwise. */
  udp?: string[];
  labels?: Record<string, string>;
}

export interface WorkloadArgs {
  ctx: StackContext;
  /** What its pods wait for (core/order.ts): what they mount. Its Services and accounts start nothing, and do not wait. */
  after?: pulumi.Resource[];
  namespace: string;
  /** Unique in the stack: label app.kubernetes.io/component, and the name of the edges' ends. */
  component: string;
  /** Kubernetes object name; default `component`. */
  objectName?: string;
  /** app.kubernetes.io/name: the software. */
  appName: string;
  version: string;
  kind: "Deployment" | "StatefulSet" | "DaemonSet";
  replicas?: number;
  /** Deployment only. The replica count is then the autoscaler's and left out of the Deployment. */
  autoscale?: { min: number; max: number; cpuPercent: number };
  pod: PodSpec;
  configHash?: pulumi.Input<string>;
  services?: ServiceSpec[];
  /** StatefulSet: governing headless Service; default the first headless one. */
  serviceName?: string;
  /** StatefulSet volumes, kept when the set is deleted or scaled down. */
  claims?: Array<{ name: string; sizeGiB: number; storageClass: string }>;
  podManagementPolicy?: "Parallel" | "OrderedReady";
  /** Default: 1 for more than one replica; no budget for one (it would block every drain). */
  maxUnavailable?: number;
  /** Deployment rollout; default 25 % surge, none unavailable. */
  rollout?: { maxSurge: number | string; maxUnavailable: number | string };
  /** Rules that the account is bound to. */
  roleRules?: PolicyRule[];
  clusterRoleRules?: PolicyRule[];
  /** Seconds for the engine to wait for the rollout. Default 600. */
  timeoutSeconds?: number;
  minReadySeconds?: number;
  /** Annotations on the controller (not on the pods). */
  annotations?: Record<string, string>;
}

/** What the parts of a workload have in common. */
interface Common {
  /** Pulumi's name of the component, before which its children's names stand. */
  name: string;
  objectName: string;
  selector: Record<string, string>;
  meta(objectName: string, extra?: Pick<ObjectMetadata, "annotations">): ObjectMetadata;
  opts: pulumi.CustomResourceOptions;
}

export class Workload extends pulumi.ComponentResource {
  readonly controller: pulumi.CustomResource;
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

    // The governing Service comes before its StatefulSet, and no Service waits for endpoints: the pods of one
    // layer start while the Services of the next are made, and order is what the graph says, not what endpoints do.
    for (const s of args.services ?? []) this.services[s.name] = makeService(common, s);

    this.controller = makeController(common, args, {
      // What a component waits for does not reach its children by itself: the pods are what must wait.
      ...common.opts,
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
        ...(balanced ? { externalTrafficPolicy: s.externalTrafficPolicy ?? "Local" } : {}),
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
        // Scaling in drops clients' warm sync caches: ten minutes of quiet first.
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
  // Left out where the autoscaler owns it: server-side apply would fight over the field.
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
          // Kubernetes refuses to change claim templates, and replacing the set would stop all its pods at once for
          // nothing: claims that exist stay as they are.
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

/** What only a StatefulSet has. */
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
