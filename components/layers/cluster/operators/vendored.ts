/**
 * The operators' manifests, as vendored by `npm run vendor`, adapted to this stack's rules: our labels and selectors,
 * images from the table, hardened, probed, spread, with a budget. Pure, apart from reading the files.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { imageRef, imageVersion, type Image } from "../../../core/images";
import type { Settings } from "../../../settings/types";
import { budgetSpec, EVERY_NODE, onNodes, spread, type Apart } from "../../../core/workload/placement";
import { canonical, mebi, quantityValue } from "../../../core/workload/quantities";
import { CONFIG_HASH, labels, selectorLabels } from "../../../core/workload/metadata";
import { digest } from "../../../core/workload/digest";
import { hardenedContainer, hardenedPod, SECCOMP } from "../../../core/workload/hardening";
import { diskOf, pullSecrets, renderEnv, renderResources, type Disk, type EnvValue } from "../../../core/workload/pod";
import { renderProbes, type Probes } from "../../../core/workload/probes";
import { rolledOut } from "../../../core/workload/rollout";
import { callsOut, type CallsOut } from "../reach/callsOut";
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

/** Folder of the operator in vendor/. */
export type OperatorName =
  | "cloudnative-pg"
  | "plugin-barman-cloud"
  | "metallb"
  | "metrics-server"
  | "cert-manager"
  | "local-path-provisioner"
  | "prometheus-operator";

/** What this stack sets on a container of a manifest. */
export interface VendoredContainer {
  /** Replaces the manifest's image. */
  image: Image;
  /** Requested cores. */
  cpu: number;
  /** Requested memory, MiB. */
  memoryMiB: number;
  /** Memory limit, MiB. */
  memoryLimitMiB: number;
  /** Numbers, by name, of ports that the manifest does not name or declare. */
  ports?: Record<string, number>;
  /** Replace the manifest's probes. */
  probes: Probes;
  /** Changes the arguments. @default the manifest's */
  args?: (args: string[], settings: Settings) => string[];
  /** Variables to add or replace. @default none */
  env?: (settings: Settings) => Record<string, EnvValue>;
  /** Mounts to add. @default none */
  mounts?: (settings: Settings) => Array<{ name: string; mountPath: string }>;
  /** Capabilities to add; each needs an exception to rule 10. @default none */
  addCapabilities?: string[];
}

/** What this stack sets on a Deployment or DaemonSet of a manifest. */
export interface VendoredWorkload {
  /** Label app.kubernetes.io/component, by which edges name the pods. */
  component: string;
  /** Two when the operator elects a leader; one, with the reason, when a second pod would be useless or harmful. */
  replicas: number | { one: string } | "daemon";
  /** User id, group id and group of the volumes' files; null: the image's user, which needs an exception to rule 10. */
  uid: number | null;
  /** By name. Every container of the manifest must be here. */
  containers: Record<string, VendoredContainer>;
  /** It calls servers outside: `hostAliases`, `httpProxy` and `trustedAuthorities` are for it. @default false */
  callsOut?: boolean;
  /** Volumes to add. @default none */
  volumes?: (settings: Settings) => VolumeManifest[];
  /**
   * Seconds that a pod must have been ready before it counts as available: a webhook's certificate reaches the API
   * server some seconds after the pod is ready. @default 0
   */
  minReadySeconds?: number;
  /** Runs on every node instead of the application hosts. @default false */
  everywhere?: boolean;
}

/** An operator, and what this stack changes in its manifest. */
export interface Operator {
  name: OperatorName;
  namespace: string;
  /** Label app.kubernetes.io/name of its objects. */
  appName: string;
  /** Main image; its tag is the version label. */
  image: Image;
  /** By `Kind name`. Every Deployment and DaemonSet of the manifest must be here. */
  workloads: Record<string, VendoredWorkload>;
  /** Objects that are left out: `Kind name` to the reason. @default none */
  omit?: Record<string, string>;
  /** Namespace in the manifest that `namespace` replaces. @default it has ours already */
  moveFrom?: string;
  /** Changes an object after everything else. @default none */
  adjust?: (object: Manifest, settings: Settings) => Manifest;
}

const cache = new Map<string, Manifest[]>();

/** Version of an operator in vendor/versions.json. */
export function vendoredVersion(name: OperatorName): string {
  return JSON.parse(fs.readFileSync(path.join(ROOT, "versions.json"), "utf8"))[name].version;
}

/** The objects as vendored. They are shared: do not change them in place. */
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

/**
 * All objects of an operator as this stack registers them.
 * @throws Error for workloads, containers or ports that operators.ts does not describe
 */
export function operatorObjects(operator: Operator, settings: Settings): Manifest[] {
  const source = vendoredObjects(operator.name).filter((o) => o.kind !== "Namespace" && !operator.omit?.[title(o)]);
  const controllers = source.filter(isController);
  const unknown = controllers.filter((o) => !operator.workloads[title(o)]);
  if (unknown.length)
    throw new Error(
      `${operator.name} ${vendoredVersion(operator.name)} has ${unknown.map(title).join(", ")}, which components/layers/cluster/operators/operators.ts does not describe: add it there`,
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

/** Adds the config hash, so that a changed ConfigMap restarts the pods that mount it, and no others. */
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

/** The labels without those of Helm and those that our own labels replace. */
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

/** The workload that makes the pods of a Service or an account, or is the object itself. */
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
        if (!target)
          throw new Error(
            `${title(o)}: port ${p.port} does not lead to a named port of ${w.component}: name it in components/layers/cluster/operators/operators.ts`,
          );
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
  const count = replication(w, o.spec.strategy?.type === "Recreate");
  const out = w.callsOut ? callsOut(settings) : undefined;
  const volumes = [...(t.spec.volumes ?? []).map(bounded), ...(w.volumes?.(settings) ?? []), ...(out?.volumes ?? [])];
  // Pods are scraped through monitors; with these annotations they could be scraped twice.
  const annotations = {
    ...Object.fromEntries(
      Object.entries(t.metadata.annotations ?? {}).filter(([k]) => !k.startsWith("prometheus.io/")),
    ),
    ...out?.annotations,
  };
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
          containers: pod.containers.map((c, i) =>
            container(c, w.containers[c.name], `${title(o)} of ${operator.name}`, {
              settings,
              out,
              ...(i === 0 ? { disk: diskFor(pod.volumes ?? []) } : {}),
            }),
          ),
          ...listed("volumes", volumes),
          ...out?.pod,
        },
      },
    },
  };
}

/** Number of pods, how they are replaced and how they are kept apart. */
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
/** Room on disk for the pod's volumes, which its first container asks for. */
const diskFor = (volumes: VolumeManifest[]): Disk =>
  diskOf(
    volumes
      .map(bounded)
      .flatMap((v) => (v.emptyDir ? [{ sizeMiB: quantityValue(v.emptyDir.sizeLimit!) / 1024 ** 2 }] : [])),
  );

/** What a container gets besides the manifest's own. */
const additions = (w: VendoredContainer, settings: Settings, out?: CallsOut) => ({
  env: { ...w.env?.(settings), ...out?.env },
  mounts: [...(w.mounts?.(settings) ?? []), ...(out?.mounts ?? [])],
});

function container(
  c: ContainerManifest,
  w: VendoredContainer | undefined,
  where: string,
  { settings, out, disk }: { settings: Settings; out?: CallsOut; disk?: Disk },
): ContainerManifest {
  if (!w)
    throw new Error(
      `${where}: components/layers/cluster/operators/operators.ts does not describe container ${c.name}: add it there`,
    );
  const ports = containerPorts(c.ports ?? [], w.ports ?? {});
  const added = additions(w, settings, out);
  const { ports: _ports, ...rest } = c;
  // The pod's own security context already sets runAsNonRoot. Repeating it here would restart every operator once.
  const { runAsNonRoot: _thePods, ...securityContext } = hardenedContainer(w.addCapabilities);
  return {
    ...rest,
    image: imageRef(settings, w.image),
    imagePullPolicy: "IfNotPresent",
    ...(w.args ? { args: w.args(c.args ?? [], settings) } : {}),
    ...listed("env", environment(c.env ?? [], added.env)),
    ...listed("ports", ports),
    // A process on the node's network may listen on localhost only, so the manifest's host is kept.
    ...renderProbes(w.probes, c.livenessProbe?.httpGet?.host),
    resources: renderResources(w, disk),
    ...listed("volumeMounts", [...(c.volumeMounts ?? []), ...added.mounts]),
    securityContext,
  };
}

/** A field with a list, left out when empty, as the API server does. */
const listed = <K extends string, T>(key: K, list: T[]): { [key in K]?: T[] } =>
  (list.length ? { [key]: list } : {}) as { [key in K]?: T[] };

/** The manifest's variables; ours replace those of the same name. */
const environment = (
  given: NonNullable<ContainerManifest["env"]>,
  ours: Record<string, EnvValue>,
): NonNullable<ContainerManifest["env"]> => [...given.filter((e) => !(e.name in ours)), ...renderEnv(ours)];

/** The manifest's named ports, and those that operators.ts names. */
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
