/**
 * The one way to make a pod template: hardened, probed, spread, with explicit requests. Pure but for values that may be
 * Outputs (a config hash, an environment value taken from a Secret by reference). What says nothing (`readOnly: false`,
 * no volumes) is left out: the API server drops it, and the engine would miss it (rule 24).
 */
import type { core } from "@pulumi/kubernetes/types/input";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/types";
import { hardenedContainer, hardenedPod } from "./hardening";
import { CONFIG_HASH, labels, selectorLabels } from "./metadata";
import { neverTwoOnANode, onNodes, spread, type Apart } from "./placement";
import { renderProbes, type Probes } from "./probes";
import { mebi, milliCpu } from "./quantities";

export interface PortSpec {
  port: number;
  protocol?: "TCP" | "UDP";
}

/** Literal (never a secret), a key of a Secret, or a field of the pod. */
export type EnvValue = string | { secret: string; key: string; optional?: boolean } | { field: string };

export interface MountSpec {
  volume: string;
  path: string;
  subPath?: string;
  readOnly?: boolean;
}

export interface Resources {
  /** Requested cores. No CPU limit is set: throttling a latency-bound process helps nobody. */
  cpu: number;
  memoryMiB: number;
  /** Default: 1.5 x the request, so that a burst is not an out-of-memory kill. */
  memoryLimitMiB?: number;
}

export interface ContainerSpec {
  name: string;
  image: string;
  command?: pulumi.Input<string>[];
  args?: pulumi.Input<string>[];
  env?: Record<string, EnvValue>;
  ports?: Record<string, PortSpec>;
  /** Required for long-running containers; absent for init containers and Jobs. */
  probes?: Probes;
  resources: Resources;
  mounts?: MountSpec[];
  /** Added to the none that a container has by default. Only for exceptions that policy/exceptions.ts names. */
  capabilities?: string[];
  workingDir?: string;
  preStopSleepSeconds?: number;
  preStopCommand?: string[];
}

export type VolumeSpec =
  | { name: string; configMap: string; items?: Record<string, string>; optional?: boolean }
  /** Several Secrets or ConfigMaps in one directory. */
  | {
      name: string;
      projected: Array<
        { secret: string; items?: Record<string, string> } | { configMap: string; items?: Record<string, string> }
      >;
      mode?: number;
    }
  | { name: string; secret: string; items?: Record<string, string>; mode?: number; optional?: boolean }
  | { name: string; emptyDir: { sizeMiB: number; memory?: boolean } }
  | { name: string; hostPath: string; type?: string };

export interface PodSpec {
  containers: ContainerSpec[];
  initContainers?: ContainerSpec[];
  volumes?: VolumeSpec[];
  /** uid = gid = fsGroup, > 1000. */
  uid: number;
  /** Mounts the API token. Default false. */
  apiAccess?: boolean;
  hostNetwork?: boolean;
  nodeSelector?: Record<string, string>;
  /** Requires nodes that carry this host role; default `application`. null: anywhere. */
  role?: string | null;
  tolerations?: core.v1.Toleration[];
  terminationGracePeriodSeconds?: number;
  /** Hard: never two on a node (databases, host ports). */
  onePerNode?: boolean;
  /** Seconds until a pod of a lost node is replaced elsewhere; default 30 (Kubernetes: 300). */
  lostNodeSeconds?: number;
  /** Set by callers that wait: extra annotations. */
  annotations?: Record<string, pulumi.Input<string>>;
  runtimePriority?: string;
  restartPolicy?: "Always" | "OnFailure" | "Never";
  /** Options of the pod's resolv.conf, by name: `{ timeout: "1" }`. */
  dnsOptions?: Record<string, string>;
}

/** Requests, and a limit of memory alone. */
export const renderResources = (r: Resources) => ({
  requests: { cpu: milliCpu(r.cpu), memory: mebi(r.memoryMiB) },
  limits: { memory: mebi(r.memoryLimitMiB ?? r.memoryMiB * 1.5) },
});

/** What a pod needs to pull its images, where the registry asks who it is. */
export const pullSecrets = (settings: Settings): { imagePullSecrets?: Array<{ name: string }> } =>
  settings.images.pullSecret ? { imagePullSecrets: [{ name: settings.images.pullSecret }] } : {};

function env(e: Record<string, EnvValue>): core.v1.EnvVar[] {
  return Object.entries(e).map(([name, v]) => {
    if (typeof v === "string") return { name, value: v };
    if ("field" in v) return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: v.field } } };
    return {
      name,
      valueFrom: { secretKeyRef: { name: v.secret, key: v.key, ...(v.optional ? { optional: true } : {}) } },
    };
  });
}

function container(c: ContainerSpec): core.v1.Container {
  return {
    name: c.name,
    image: c.image,
    imagePullPolicy: "IfNotPresent",
    ...(c.command ? { command: c.command } : {}),
    ...(c.args ? { args: c.args } : {}),
    ...(c.workingDir ? { workingDir: c.workingDir } : {}),
    ...(c.env ? { env: env(c.env) } : {}),
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
    resources: renderResources(c.resources),
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

export interface PodTemplateArgs {
  settings: Settings;
  component: string;
  /** app.kubernetes.io/name. */
  name: string;
  version: string;
  serviceAccountName: string;
  pod: PodSpec;
  /** Hash over every configuration that the pod reads. */
  configHash?: pulumi.Input<string>;
  /** How its replicas are kept apart. */
  apart?: Apart;
}

/** On which nodes a pod may run, and how far its like stay apart. */
function placement({ settings, component, pod, apart }: PodTemplateArgs): Partial<core.v1.PodSpec> {
  const matchLabels = selectorLabels(settings, component);
  return {
    ...onNodes({ ...pod, role: pod.role === undefined ? "application" : pod.role }),
    topologySpreadConstraints: spread(matchLabels, { ...apart, hard: pod.onePerNode }),
    ...(pod.onePerNode ? { affinity: neverTwoOnANode(matchLabels) } : {}),
  };
}

/** The network that a pod is on, and how it looks names up. */
const network = (pod: PodSpec): Partial<core.v1.PodSpec> => ({
  ...(pod.hostNetwork ? { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" } : {}),
  ...(pod.dnsOptions
    ? { dnsConfig: { options: Object.entries(pod.dnsOptions).map(([name, value]) => ({ name, value })) } }
    : {}),
});

export function podTemplate(a: PodTemplateArgs): core.v1.PodTemplateSpec {
  const { settings, pod } = a;
  const annotations = { ...(a.configHash !== undefined ? { [CONFIG_HASH]: a.configHash } : {}), ...pod.annotations };
  return {
    metadata: {
      labels: labels(settings, a.component, a.name, a.version),
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
      ...(pod.initContainers?.length ? { initContainers: pod.initContainers.map(container) } : {}),
      containers: pod.containers.map(container),
      ...(pod.volumes?.length ? { volumes: pod.volumes.map(volume) } : {}),
    },
  };
}
