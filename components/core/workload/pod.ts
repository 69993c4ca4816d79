/**
 * The one way to make a pod template: hardened, probed, spread, with explicit requests. Pure, apart from values that
 * may be Outputs (config hash, annotations, arguments). Fields that equal their default (`readOnly: false`, no volumes)
 * are left out: the API server drops them, and the engine would report a difference each time (rule 24).
 */
import type { core } from "@pulumi/kubernetes/types/input";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/types";
import { hardenedContainer, hardenedPod } from "./hardening";
import { CONFIG_HASH, labels, selectorLabels } from "./metadata";
import { neverTwoOnANode, onNodes, ratherApart, spread, strictly, type Apart, type StrictGroup } from "./placement";
import { renderProbes, type Probes } from "./probes";
import { mebi, milliCpu } from "./quantities";

/** A port of a container. */
export interface PortSpec {
  port: number;
  /** @default "TCP" */
  protocol?: "TCP" | "UDP";
}

/**
 * Value of an environment variable: a literal (never a secret), a key of a Secret in the pod's namespace, or a field of
 * the pod. A missing Secret or key keeps the pod from starting, unless it is `optional`.
 *
 * @example { field: "metadata.name" }
 */
export type EnvValue = string | { secret: string; key: string; optional?: boolean } | { field: string };

/** Where a container sees a volume. */
export interface MountSpec {
  /** Name of the volume in `PodSpec.volumes` or `WorkloadArgs.claims`. */
  volume: string;
  /** Absolute path in the container. */
  path: string;
  /** Only this file or directory of the volume. @default the whole volume */
  subPath?: string;
  /** @default false */
  readOnly?: boolean;
}

/** CPU and memory of a container. */
export interface Resources {
  /** Requested cores. There is no CPU limit: throttling only adds latency, even while the node has idle cores. */
  cpu: number;
  /** Requested memory, MiB. */
  memoryMiB: number;
  /** Memory limit, MiB; above it the kernel kills the container. @default 1.5 times the request, as room for bursts */
  memoryLimitMiB?: number;
}

/** A container of a pod. */
export interface ContainerSpec {
  /** Unique in its pod. */
  name: string;
  /** Reference from `imageRef`. */
  image: string;
  /** @default the image's entry point */
  command?: pulumi.Input<string>[];
  /** @default the image's arguments */
  args?: pulumi.Input<string>[];
  /** Environment variables by name. */
  env?: Record<string, EnvValue>;
  /** Container ports by name; Services, probes and monitors refer to the names. */
  ports?: Record<string, PortSpec>;
  /** Required for long-running containers; absent for init containers and Jobs. */
  probes?: Probes;
  resources: Resources;
  mounts?: MountSpec[];
  /** Capabilities to add; all others are dropped. Each needs an exception to rule 10 in the layer's exceptions.ts. */
  capabilities?: string[];
  /** @default the image's working directory */
  workingDir?: string;
  /** Seconds between the decision to end the pod and the signal to the process. `preStopCommand` must be absent. */
  preStopSleepSeconds?: number;
  /** Command that runs in the container before the signal to its process. */
  preStopCommand?: string[];
}

/**
 * A volume of a pod. `items` maps keys to file names (all keys by default), `mode` is the files' mode (0440 by
 * default). A missing ConfigMap or Secret keeps the pod from starting, unless it is `optional`.
 */
export type VolumeSpec =
  | { name: string; configMap: string; items?: Record<string, string>; optional?: boolean }
  /** Several Secrets or ConfigMaps in one directory. */
  | {
      name: string;
      projected: Array<
        | { secret: pulumi.Input<string>; items?: Record<string, string> }
        | { configMap: string; items?: Record<string, string> }
      >;
      mode?: number;
    }
  | { name: string; secret: pulumi.Input<string>; items?: Record<string, string>; mode?: number; optional?: boolean }
  /**
   * Lives as long as the pod, and a pod that fills it is evicted. `usualMiB`: what it holds at rest, which is requested
   * of the node's disk (all of it by default). `memory`: in RAM, where it counts as the containers' memory.
   */
  | { name: string; emptyDir: { sizeMiB: number; usualMiB?: number; memory?: boolean } }
  /** A path of the node; `type` is `Directory` by default, so the path must exist. */
  | { name: string; hostPath: string; type?: string };

/** An address with names that a pod finds there before it asks DNS: a line of its /etc/hosts. */
export interface HostAlias {
  ip: string;
  hostnames: string[];
}

/** What differs from pod to pod; everything else is the same for all. */
export interface PodSpec {
  containers: ContainerSpec[];
  /** Run to their end, one after the other, before `containers` start. */
  initContainers?: ContainerSpec[];
  volumes?: VolumeSpec[];
  /** User id, group id and group of the volumes' files. Rule 10 requires more than 1000. */
  uid: number;
  /** Mounts the token of the account, for pods that call the Kubernetes API. @default false */
  apiAccess?: boolean;
  /** Uses the node's network; needs an exception to rule 10. @default false */
  hostNetwork?: boolean;
  /** Further labels that the node must have. */
  nodeSelector?: Record<string, string>;
  /** Runs only on nodes with this host role; null: on any node. @default "application" */
  role?: string | null;
  /** Tolerations besides those of the role. */
  tolerations?: core.v1.Toleration[];
  /** Seconds from the signal to end until the kernel kills the processes. @default 30 */
  terminationGracePeriodSeconds?: number;
  /** Never two on one node, for databases and pods with host ports. @default false */
  onePerNode?: boolean;
  /** Groups of a StatefulSet's pods, each spread strictly over the values of a node label. @default none */
  strictGroups?: StrictGroup[];
  /**
   * Pods of this and other workloads, in its namespace, with which it shares no node: never, or where there is room.
   * Without effect beside `onePerNode`. @default none
   */
  apartFrom?: { labels: Record<string, string>; always: boolean };
  /** Seconds until a pod on a lost node is replaced elsewhere. @default 30 (Kubernetes: 300) */
  lostNodeSeconds?: number;
  /** Labels besides those of every object; no selector of the workload has them. */
  labels?: Record<string, string>;
  /** Annotations besides the config hash. */
  annotations?: Record<string, pulumi.Input<string>>;
  /** Name of its PriorityClass, from `PRIORITIES`. @default none: after all that have one */
  runtimePriority?: string;
  /** For Jobs. @default "Always" */
  restartPolicy?: "Always" | "OnFailure" | "Never";
  /** Options of the pod's resolv.conf, by name: `{ timeout: "1" }`. @default the cluster's */
  dnsOptions?: Record<string, string>;
  /** Names that it does not ask DNS for, each address once. @default none */
  hostAliases?: HostAlias[];
}

/** Room on the node's disk (its ephemeral storage): volumes that live with the pod, and logs. */
export interface Disk {
  /** At rest, MiB: requested, so that the scheduler counts it. */
  usualMiB: number;
  /** At most, MiB. */
  mostMiB: number;
}

/** Logs of a container on the node: the kubelet keeps five files of 10 MiB, and one more while it rotates them. */
const LOGS: Disk = { usualMiB: 10, mostMiB: 60 };

/** Room for a container's logs and for these volumes, of which only those on disk count. */
export const diskOf = (volumes: ReadonlyArray<{ sizeMiB: number; usualMiB?: number; memory?: boolean }> = []): Disk =>
  volumes
    .filter((v) => !v.memory)
    .reduce(
      (sum, v) => ({ usualMiB: sum.usualMiB + (v.usualMiB ?? v.sizeMiB), mostMiB: sum.mostMiB + v.sizeMiB }),
      LOGS,
    );

/**
 * Requests of CPU, memory and disk, and limits of memory and disk. The kubelet evicts a pod whose volumes and logs
 * exceed the sum of its containers' limits, and, when a node's disk is short, first those that use more than they
 * requested.
 */
export const renderResources = (r: Resources, disk: Disk = LOGS) => ({
  requests: { cpu: milliCpu(r.cpu), memory: mebi(r.memoryMiB), "ephemeral-storage": mebi(disk.usualMiB) },
  limits: { memory: mebi(r.memoryLimitMiB ?? r.memoryMiB * 1.5), "ephemeral-storage": mebi(disk.mostMiB) },
});

/**
 * For pods that an operator makes: its volumes there are not in our hands. They hold its own program, generated
 * configuration, sockets.
 */
export const OPERATORS_VOLUMES = [{ sizeMiB: 512, usualMiB: 128 }] as const;

/**
 * `imagePullSecrets` of a pod where `images.pullSecret` is set. The operator makes that Secret in every namespace; this
 * stack only names it. Without the setting images are pulled anonymously, or with the credentials of the node.
 */
export const pullSecrets = (settings: Settings): { imagePullSecrets?: Array<{ name: string }> } =>
  settings.images.pullSecret ? { imagePullSecrets: [{ name: settings.images.pullSecret }] } : {};

/** `env` of a container. */
export function renderEnv(e: Record<string, EnvValue>): Array<core.v1.EnvVar & { name: string }> {
  return Object.entries(e).map(([name, v]) => {
    if (typeof v === "string") return { name, value: v };
    if ("field" in v) return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: v.field } } };
    return {
      name,
      valueFrom: { secretKeyRef: { name: v.secret, key: v.key, ...(v.optional ? { optional: true } : {}) } },
    };
  });
}

function container(c: ContainerSpec, disk?: Disk): core.v1.Container {
  return {
    name: c.name,
    image: c.image,
    imagePullPolicy: "IfNotPresent",
    ...(c.command ? { command: c.command } : {}),
    ...(c.args ? { args: c.args } : {}),
    ...(c.workingDir ? { workingDir: c.workingDir } : {}),
    ...(c.env ? { env: renderEnv(c.env) } : {}),
    ...(c.ports
      ? {
          ports: Object.entries(c.ports).map(([name, p]) => ({
            name,
            containerPort: p.port,
            protocol: p.protocol ?? "TCP",
          })),
        }
      : {}),
    ...(c.probes ? renderProbes(c.probes) : {}),
    resources: renderResources(c.resources, disk),
    ...(c.mounts
      ? {
          volumeMounts: c.mounts.map((m) => ({
            name: m.volume,
            mountPath: m.path,
            ...(m.subPath ? { subPath: m.subPath } : {}),
            ...(m.readOnly ? { readOnly: true } : {}),
          })),
        }
      : {}),
    ...(c.preStopCommand ? { lifecycle: { preStop: { exec: { command: c.preStopCommand } } } } : {}),
    ...(c.preStopSleepSeconds ? { lifecycle: { preStop: { sleep: { seconds: c.preStopSleepSeconds } } } } : {}),
    securityContext: hardenedContainer(c.capabilities),
  };
}

const items = (i?: Record<string, string>): { items?: core.v1.KeyToPath[] } =>
  i ? { items: Object.entries(i).map(([key, path]) => ({ key, path })) } : {};

function volume(v: VolumeSpec): core.v1.Volume {
  if ("configMap" in v)
    return {
      name: v.name,
      configMap: {
        name: v.configMap,
        defaultMode: 0o444,
        ...(v.optional ? { optional: true } : {}),
        ...items(v.items),
      },
    };
  if ("secret" in v)
    return {
      name: v.name,
      secret: {
        secretName: v.secret,
        defaultMode: v.mode ?? 0o440,
        ...(v.optional ? { optional: true } : {}),
        ...items(v.items),
      },
    };
  if ("projected" in v) {
    return {
      name: v.name,
      projected: {
        defaultMode: v.mode ?? 0o440,
        sources: v.projected.map((s) =>
          "secret" in s
            ? { secret: { name: s.secret, ...items(s.items) } }
            : { configMap: { name: s.configMap, ...items(s.items) } },
        ),
      },
    };
  }
  if ("emptyDir" in v)
    return {
      name: v.name,
      emptyDir: { sizeLimit: mebi(v.emptyDir.sizeMiB), ...(v.emptyDir.memory ? { medium: "Memory" } : {}) },
    };
  return { name: v.name, hostPath: { path: v.hostPath, type: v.type ?? "Directory" } };
}

/** Arguments of a pod template. */
export interface PodTemplateArgs {
  settings: Settings;
  /** Label app.kubernetes.io/component. */
  component: string;
  /** Label app.kubernetes.io/name. */
  name: string;
  /** Label app.kubernetes.io/version. */
  version: string;
  /** Account of the pod, in its namespace. */
  serviceAccountName: string;
  pod: PodSpec;
  /** `configHash` over everything that the pod reads at start. @default none */
  configHash?: pulumi.Input<string>;
  /** How its replicas are kept apart. @default only a preference */
  apart?: Apart;
}

/** On which nodes a pod may run, and how its replicas are spread. */
function placement({ settings, component, pod, apart }: PodTemplateArgs): Partial<core.v1.PodSpec> {
  const matchLabels = selectorLabels(settings, component);
  return {
    ...onNodes({ ...pod, role: pod.role === undefined ? "application" : pod.role }),
    topologySpreadConstraints: [
      ...spread(matchLabels, { ...apart, hard: pod.onePerNode }),
      ...(pod.strictGroups ?? []).map((group) => strictly(matchLabels, group)),
    ],
    ...(pod.onePerNode
      ? { affinity: neverTwoOnANode(matchLabels) }
      : pod.apartFrom
        ? { affinity: (pod.apartFrom.always ? neverTwoOnANode : ratherApart)(pod.apartFrom.labels) }
        : {}),
  };
}

/** Network and name resolution of a pod. */
const network = (pod: PodSpec): Partial<core.v1.PodSpec> => ({
  ...(pod.hostNetwork ? { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" } : {}),
  ...(pod.dnsOptions
    ? { dnsConfig: { options: Object.entries(pod.dnsOptions).map(([name, value]) => ({ name, value })) } }
    : {}),
  ...(pod.hostAliases?.length ? { hostAliases: pod.hostAliases } : {}),
});

const emptyDirs = ({ volumes = [] }: PodSpec) => volumes.flatMap((v) => ("emptyDir" in v ? [v.emptyDir] : []));

/** A pod template, for workloads and Jobs. */
export function podTemplate(a: PodTemplateArgs): core.v1.PodTemplateSpec {
  const { settings, pod } = a;
  const annotations = { ...(a.configHash !== undefined ? { [CONFIG_HASH]: a.configHash } : {}), ...pod.annotations };
  return {
    metadata: {
      labels: { ...labels(settings, a.component, a.name, a.version), ...pod.labels },
      ...(Object.keys(annotations).length ? { annotations } : {}),
    },
    spec: {
      serviceAccountName: a.serviceAccountName,
      automountServiceAccountToken: pod.apiAccess ?? false,
      enableServiceLinks: false,
      ...pullSecrets(settings),
      ...network(pod),
      ...(pod.restartPolicy ? { restartPolicy: pod.restartPolicy } : {}),
      securityContext: hardenedPod(pod.uid),
      ...placement(a),
      terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds ?? 30,
      ...(pod.runtimePriority ? { priorityClassName: pod.runtimePriority } : {}),
      ...(pod.initContainers?.length ? { initContainers: pod.initContainers.map((c) => container(c)) } : {}),
      // The volumes are the pod's; the first container asks for them.
      containers: pod.containers.map((c, i) => container(c, i === 0 ? diskOf(emptyDirs(pod)) : undefined)),
      ...(pod.volumes?.length ? { volumes: pod.volumes.map(volume) } : {}),
    },
  };
}
