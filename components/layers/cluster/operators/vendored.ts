/**
 * The operators' own manifests, as vendored (`npm run vendor`), brought to this stack's rules: our labels and
 * selectors, images from the table, hardened, probed, spread, with a budget. Pure but for reading the file.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { imageRef, imageVersion, type Image } from "../../../core/images";
import type { Settings } from "../../../settings/types";
import { budgetSpec, EVERY_NODE, onNodes, spread, type Apart } from "../../../core/workload/placement";
import { canonical, mebi } from "../../../core/workload/quantities";
import { CONFIG_HASH, labels, selectorLabels } from "../../../core/workload/metadata";
import { digest } from "../../../core/workload/hash";
import { hardenedContainer, hardenedPod, SECCOMP } from "../../../core/workload/hardening";
import { pullSecrets, renderResources } from "../../../core/workload/pod";
import { renderProbes, type Probes } from "../../../core/workload/probes";
import { rolledOut } from "../../../core/workload/rollout";
import {
  isController,
  isService,
  title,
  type ContainerManifest,
  type ControllerManifest,
  type Manifest,
  type PodManifest,
  type ServiceManifest,
  type VolumeManifest,
} from "./manifest";

const ROOT = path.join(__dirname, "../../../../vendor");

export type OperatorName =
  | "cloudnative-pg"
  | "plugin-barman-cloud"
  | "metallb"
  | "metrics-server"
  | "cert-manager"
  | "local-path-provisioner"
  | "prometheus-operator";

export interface VendoredContainer {
  image: Image;
  cpu: number;
  memoryMiB: number;
  memoryLimitMiB: number;
  /** Ports that the manifest leaves unnamed or undeclared: name to number. */
  ports?: Record<string, number>;
  probes: Probes;
  args?: (args: string[], settings: Settings) => string[];
  env?: (settings: Settings) => Record<string, string>;
  mounts?: Array<{ name: string; mountPath: string }>;
  addCapabilities?: string[];
}

export interface VendoredWorkload {
  /** Our component label: the end of its edges. */
  component: string;
  /** Two where the operator elects a leader; one, with the reason, where a second would do harm or nothing. */
  replicas: number | { one: string } | "daemon";
  /** uid = gid = fsGroup; null leaves the image's user (an exception that the rules name). */
  uid: number | null;
  containers: Record<string, VendoredContainer>;
  volumes?: VolumeManifest[];
  /**
   * Counts as available only after so long: a webhook's certificate reaches the API server some seconds after the pod
   * is ready.
   */
  minReadySeconds?: number;
  /** On every node instead of the application hosts. */
  everywhere?: boolean;
}

export interface Operator {
  name: OperatorName;
  namespace: string;
  /** app.kubernetes.io/name of its objects. */
  appName: string;
  image: Image;
  /** By `Kind name`. Every Deployment and DaemonSet of the manifest must be here. */
  workloads: Record<string, VendoredWorkload>;
  /** Objects that are left out, by `Kind name`, with the reason. */
  omit?: Record<string, string>;
  /** Namespace of the manifest that becomes ours. */
  moveFrom?: string;
  adjust?: (object: Manifest, settings: Settings) => Manifest;
}

const cache = new Map<string, Manifest[]>();

export function vendoredVersion(name: OperatorName): string {
  return JSON.parse(fs.readFileSync(path.join(ROOT, "versions.json"), "utf8"))[name].version;
}

/** The objects as vendored. Shared: never changed in place. */
export function vendoredObjects(name: OperatorName): Manifest[] {
  let objects = cache.get(name);
  if (!objects) {
    objects = JSON.parse(fs.readFileSync(path.join(ROOT, name, `${vendoredVersion(name)}.json`), "utf8")) as Manifest[];
    cache.set(name, objects);
  }
  return objects;
}

const selects = (selector: Record<string, string>, l: Record<string, string>): boolean =>
  Object.entries(selector).every(([k, v]) => l[k] === v);

/** All objects of an operator as this stack registers them. */
export function operatorObjects(operator: Operator, settings: Settings): Manifest[] {
  const source = vendoredObjects(operator.name).filter((o) => o.kind !== "Namespace" && !operator.omit?.[title(o)]);
  const controllers = source.filter(isController);
  const unknown = controllers.filter((o) => !operator.workloads[title(o)]);
  if (unknown.length)
    throw new Error(
      `${operator.name} ${vendoredVersion(operator.name)} has ${unknown.map(title).join(", ")}, of which components/layers/cluster/operators/operators.ts knows nothing: add what it needs there`,
    );
  const version = imageVersion(settings, operator.image);
  const objects = source.flatMap((original): Manifest[] => {
    const moved = operator.moveFrom ? moveNamespace(original, operator.moveFrom, operator.namespace) : original;
    const owner = ownerOf(original, controllers);
    const w = owner && operator.workloads[title(owner)];
    const metadata = {
      ...moved.metadata,
      labels: {
        ...stripped(moved.metadata.labels),
        ...labels(settings, w?.component ?? operator.name, operator.appName, version),
      },
    };
    let o: Manifest = { ...moved, metadata };
    if (w && isController(o)) o = workload(o, w, operator, settings);
    else if (w && isService(o)) o = service(o, w, owner, settings);
    if (operator.adjust) o = operator.adjust(o, settings);
    return w && isController(o) && (o.spec.replicas ?? 0) > 1 ? [o, budget(o, w, settings)] : [o];
  });
  return objects.map((o) => (isController(o) ? withConfigHash(o, objects) : o));
}

/** A changed ConfigMap restarts the pods that mount it, and nobody else. */
function withConfigHash(o: ControllerManifest, objects: Manifest[]): ControllerManifest {
  const { template } = o.spec;
  const names = (template.spec.volumes ?? []).flatMap((v) => (v.configMap ? [v.configMap.name] : []));
  const read = objects.filter(
    (c) => c.kind === "ConfigMap" && c.metadata.namespace === o.metadata.namespace && names.includes(c.metadata.name),
  );
  if (read.length === 0) return o;
  const annotations = {
    ...template.metadata.annotations,
    [CONFIG_HASH]: digest(JSON.stringify(read.map((c) => c.data))),
  };
  return { ...o, spec: { ...o.spec, template: { ...template, metadata: { ...template.metadata, annotations } } } };
}

/** Labels of other tools and of versions that our own say. */
function stripped(given: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).filter(([k]) => !k.startsWith("helm.sh/") && !k.startsWith("app.kubernetes.io/")),
  );
}

function moveNamespace(o: Manifest, from: string, to: string): Manifest {
  return {
    ...o,
    metadata: o.metadata.namespace === from ? { ...o.metadata, namespace: to } : o.metadata,
    ...(o.subjects ? { subjects: o.subjects.map((s) => (s.namespace === from ? { ...s, namespace: to } : s)) } : {}),
  };
}

/** What makes the pods that a Service selects or an account belongs to. */
const ownerOf = (o: Manifest, controllers: ControllerManifest[]): ControllerManifest | undefined =>
  controllers.find(
    (x) =>
      x === o ||
      (isService(o) && o.spec.selector && selects(o.spec.selector, x.spec.template.metadata.labels)) ||
      (o.kind === "ServiceAccount" && x.spec.template.spec.serviceAccountName === o.metadata.name),
  );

function service(
  o: ServiceManifest,
  w: VendoredWorkload,
  original: ControllerManifest,
  settings: Settings,
): ServiceManifest {
  const named = portsOf(w, original.spec.template.spec.containers);
  return {
    ...o,
    metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, "pulumi.com/skipAwait": "true" } },
    spec: {
      ...o.spec,
      type: o.spec.type ?? "ClusterIP",
      selector: selectorLabels(settings, w.component),
      ipFamilyPolicy: "PreferDualStack",
      ports: o.spec.ports.map((p) => {
        const target =
          typeof p.targetPort === "string" ? p.targetPort : named.find(([, n]) => n === (p.targetPort ?? p.port))?.[0];
        if (!target) throw new Error(`${title(o)}: port ${p.port} goes to no named port of ${w.component}`);
        return {
          name: p.name ?? target,
          port: p.port,
          targetPort: target,
          protocol: p.protocol ?? "TCP",
          ...(p.appProtocol ? { appProtocol: p.appProtocol } : {}),
        };
      }),
    },
  };
}

const portsOf = (w: VendoredWorkload, containers: ContainerManifest[]): Array<[string, number]> =>
  containers.flatMap((c) => [
    ...(c.ports ?? []).flatMap((p): Array<[string, number]> => (p.name ? [[p.name, p.containerPort]] : [])),
    ...Object.entries(w.containers[c.name]?.ports ?? {}),
  ]);

function workload(
  o: ControllerManifest,
  w: VendoredWorkload,
  operator: Operator,
  settings: Settings,
): ControllerManifest {
  const version = imageVersion(settings, operator.image);
  const selector = selectorLabels(settings, w.component);
  const t = o.spec.template;
  const podLabels = { ...stripped(t.metadata.labels), ...labels(settings, w.component, operator.appName, version) };
  // Scraped through monitors, not through annotations, or they would be scraped twice.
  const annotations = Object.fromEntries(
    Object.entries(t.metadata.annotations ?? {}).filter(([k]) => !k.startsWith("prometheus.io/")),
  );
  const count = replication(w, o.spec.strategy?.type === "Recreate");
  const { affinity: _affinity, nodeSelector: _nodeSelector, tolerations: _tolerations, ...pod } = t.spec;
  return {
    ...o,
    metadata: {
      ...o.metadata,
      annotations: {
        ...o.metadata.annotations,
        "pulumi.com/timeoutSeconds": "600",
        ...(o.kind === "Deployment" ? rolledOut("Deployment") : {}),
      },
    },
    spec: {
      ...o.spec,
      ...count.spec,
      ...(w.minReadySeconds ? { minReadySeconds: w.minReadySeconds } : {}),
      revisionHistoryLimit: 3,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: podLabels, ...(Object.keys(annotations).length ? { annotations } : {}) },
        spec: {
          ...pod,
          ...placement(w),
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          ...pullSecrets(settings),
          securityContext: w.uid === null ? { seccompProfile: SECCOMP } : hardenedPod(w.uid),
          topologySpreadConstraints: spread(selector, count.apart),
          containers: pod.containers.map((c) =>
            container(c, w.containers[c.name], `${title(o)} of ${operator.name}`, settings),
          ),
          ...(w.volumes || pod.volumes ? { volumes: [...(pod.volumes ?? []).map(bounded), ...(w.volumes ?? [])] } : {}),
        },
      },
    },
  };
}

/** How many pods there are, how they are replaced and kept apart. */
function replication(
  w: VendoredWorkload,
  recreate: boolean,
): { spec: Pick<ControllerManifest["spec"], "replicas" | "strategy">; apart: Apart } {
  if (w.replicas === "daemon") return { spec: {}, apart: {} };
  const replicas = typeof w.replicas === "number" ? w.replicas : 1;
  return {
    spec: {
      replicas,
      strategy: recreate
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    },
    apart: { replicas, rolling: !recreate },
  };
}

const placement = (w: VendoredWorkload): Partial<PodManifest> =>
  w.everywhere
    ? {
        ...onNodes({ role: null, lostNodeSeconds: null, tolerations: [EVERY_NODE] }),
        priorityClassName: "system-node-critical",
      }
    : { ...onNodes({ role: "application" }), priorityClassName: "system-cluster-critical" };

const bounded = (v: VolumeManifest): VolumeManifest =>
  v.emptyDir ? { ...v, emptyDir: { ...v.emptyDir, sizeLimit: canonical(v.emptyDir.sizeLimit ?? mebi(256)) } } : v;

function container(
  c: ContainerManifest,
  w: VendoredContainer | undefined,
  where: string,
  settings: Settings,
): ContainerManifest {
  if (!w)
    throw new Error(`${where}: container ${c.name} is unknown to components/layers/cluster/operators/operators.ts`);
  const ports = containerPorts(c.ports ?? [], w.ports ?? {});
  const { ports: _ports, ...rest } = c;
  // Who runs stands on the pod: here it would say nothing more, and restart every operator once.
  const { runAsNonRoot: _thePods, ...securityContext } = hardenedContainer(w.addCapabilities);
  return {
    ...rest,
    image: imageRef(settings, w.image),
    imagePullPolicy: "IfNotPresent",
    ...(w.args ? { args: w.args(c.args ?? [], settings) } : {}),
    ...listed("env", environment(c.env ?? [], w.env?.(settings) ?? {})),
    ...listed("ports", ports),
    // A process on the node's network may listen on localhost only: the manifest's host stays.
    ...renderProbes(w.probes, c.livenessProbe?.httpGet?.host),
    resources: renderResources(w),
    ...listed("volumeMounts", [...(c.volumeMounts ?? []), ...(w.mounts ?? [])]),
    securityContext,
  };
}

/** An empty list says nothing: it is left out, as the API server does. */
const listed = <K extends string, T>(key: K, list: T[]): { [key in K]?: T[] } =>
  (list.length ? { [key]: list } : {}) as { [key in K]?: T[] };

/** The manifest's variables, those of ours in place of its own. */
const environment = (
  given: NonNullable<ContainerManifest["env"]>,
  literal: Record<string, string>,
): NonNullable<ContainerManifest["env"]> => [
  ...given.filter((e) => !(e.name in literal)),
  ...Object.entries(literal).map(([name, value]) => ({ name, value })),
];

/** The manifest's named ports, and those that it does not declare. */
function containerPorts(
  given: NonNullable<ContainerManifest["ports"]>,
  undeclared: Record<string, number>,
): NonNullable<ContainerManifest["ports"]> {
  const extra = Object.entries(undeclared);
  const named = given.filter((p) => p.name && !extra.some(([, n]) => n === p.containerPort && !p.protocol));
  return [
    ...named.map((p) => ({ ...p, protocol: p.protocol ?? "TCP" })),
    ...extra.map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" })),
  ];
}

function budget(o: ControllerManifest, w: VendoredWorkload, settings: Settings): Manifest {
  const { name, namespace, labels: own } = o.metadata;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name, namespace, labels: own },
    spec: budgetSpec(selectorLabels(settings, w.component)),
  };
}
