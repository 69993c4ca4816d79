/** The cluster at one moment, and what can be said of it. The functions are pure. */
import { NAMESPACES, NODE_LABELS, SERVICES } from "../../components/core/names";
import type { HostRole } from "../../components/domain/roles";
import type { KubeObject } from "./played";
import type { Objects } from "./objects";

export interface Snapshot {
  nodes: KubeObject[];
  pods: KubeObject[];
  /** Deployments, StatefulSets and DaemonSets. */
  workloads: KubeObject[];
  autoscalers: KubeObject[];
  budgets: KubeObject[];
  claims: KubeObject[];
  volumes: KubeObject[];
  /** CloudNativePG's Clusters, whose pods no workload of Kubernetes makes. */
  databases: KubeObject[];
}

export async function snapshot(objects: Objects): Promise<Snapshot> {
  const [nodes, pods, deployments, sets, daemons, autoscalers, budgets, claims, volumes, databases] = await Promise.all(
    [
      objects.list("v1", "nodes"),
      objects.list("v1", "pods"),
      objects.list("apps/v1", "deployments"),
      objects.list("apps/v1", "statefulsets"),
      objects.list("apps/v1", "daemonsets"),
      objects.list("autoscaling/v2", "horizontalpodautoscalers"),
      objects.list("policy/v1", "poddisruptionbudgets"),
      objects.list("v1", "persistentvolumeclaims"),
      objects.list("v1", "persistentvolumes"),
      objects.list("postgresql.cnpg.io/v1", "clusters"),
    ],
  );
  return {
    nodes: nodes!,
    pods: pods!.filter((p) => p.status?.phase !== "Succeeded"),
    workloads: [...deployments!, ...sets!, ...daemons!],
    autoscalers: autoscalers!,
    budgets: budgets!,
    claims: claims!,
    volumes: volumes!,
    databases: databases!,
  };
}

export const titleOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

export const isReady = (pod: KubeObject): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some((c: any) => c.type === "Ready" && c.status === "True");

/** Why the scheduler has not placed a pod. */
const waitsFor = (pod: KubeObject): string =>
  (pod.status?.conditions ?? []).find((c: any) => c.type === "PodScheduled")?.message ?? pod.status?.phase ?? "new";

// ------------------------------------------------------------------ where pods belong
const EVERYWHERE = new Set([`${NAMESPACES.metallb} metallb-speaker`, `${NAMESPACES.monitoring} node-exporter`]);
const ELSEWHERE: ReadonlyArray<[namespace: string, component: string, role: HostRole]> = [
  [NAMESPACES.minio, SERVICES.minioHeadless, "storage"],
  [NAMESPACES.coturn, SERVICES.coturn, "call"],
  [NAMESPACES.livekit, SERVICES.livekit, "call"],
];

/** Role of the hosts that a pod belongs on; undefined for those that run everywhere. */
export function roleOf(pod: KubeObject): HostRole | undefined {
  const { namespace = "", labels = {} } = pod.metadata;
  const component = labels["app.kubernetes.io/component"] ?? "";
  if (EVERYWHERE.has(`${namespace} ${component}`)) return undefined;
  if (labels["cnpg.io/podRole"] === "instance") return "database";
  return ELSEWHERE.find(([n, c]) => n === namespace && c === component)?.[2] ?? "application";
}

/** Pods on hosts where they do not belong. */
export function misplaced({ nodes, pods }: Snapshot): string[] {
  const byName = new Map(nodes.map((n) => [n.metadata.name, n]));
  return pods.flatMap((pod) => {
    const role = roleOf(pod);
    const node = byName.get(pod.spec.nodeName);
    if (!node || role === undefined || node.metadata.labels?.[NODE_LABELS.role(role)] === "true") return [];
    return [`${titleOf(pod)} is on ${node.metadata.name}, which is no ${role} host`];
  });
}

/** The object that makes a pod, with the name of its Deployment where a ReplicaSet is between. */
export function ownerOf(pod: KubeObject): string {
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller);
  if (!owner) return titleOf(pod);
  const name = owner.kind === "ReplicaSet" ? owner.name.replace(/-[a-z0-9]+$/, "") : owner.name;
  const kind = owner.kind === "ReplicaSet" ? "Deployment" : owner.kind;
  return `${kind} ${pod.metadata.namespace}/${name}`;
}

/** Pods by what makes them. */
export function podsByOwner(pods: readonly KubeObject[]): Map<string, KubeObject[]> {
  const groups = new Map<string, KubeObject[]>();
  for (const pod of pods) groups.set(ownerOf(pod), [...(groups.get(ownerOf(pod)) ?? []), pod]);
  return groups;
}

/** Workloads of several pods that share one host, or one zone where their hosts are in several: its loss takes all. */
export function together({ nodes, pods }: Snapshot): string[] {
  const zones = new Map(nodes.map((n) => [n.metadata.name, n.metadata.labels?.[NODE_LABELS.zone] ?? n.metadata.name]));
  return [...podsByOwner(pods)].flatMap(([owner, all]) => {
    const placed = all.filter((p) => p.spec.nodeName);
    if (placed.length < 2 || owner.startsWith("DaemonSet")) return [];
    const hosts = new Set(placed.map((p) => p.spec.nodeName));
    const inZones = new Set(placed.map((p) => zones.get(p.spec.nodeName)));
    const role = roleOf(placed[0]!);
    const possible = new Set(
      nodes
        .filter((n) => role && n.metadata.labels?.[NODE_LABELS.role(role)] === "true")
        .map((n) => zones.get(n.metadata.name)),
    );
    if (hosts.size === 1) return [`all ${placed.length} pods of ${owner} are on ${[...hosts][0]}`];
    return inZones.size === 1 && possible.size > 1
      ? [`all ${placed.length} pods of ${owner} are in zone ${[...inZones][0]}`]
      : [];
  });
}

/** Protects the one pod that it selects until CloudNativePG has made another instance the primary. */
const PRIMARY_BUDGET = `${NAMESPACES.matrix}/${SERVICES.postgresCluster}-primary`;

/** Budgets that would refuse an eviction though every pod is ready. */
export const blocking = ({ budgets }: Snapshot): string[] =>
  budgets
    .filter((b) => titleOf(b) !== PRIMARY_BUDGET)
    .filter((b) => (b.status?.expectedPods ?? 0) > 0 && (b.status?.disruptionsAllowed ?? 0) === 0)
    .map(
      (b) =>
        `the budget ${titleOf(b)} allows no eviction (${b.status.currentHealthy} of ${b.status.expectedPods} healthy, ${b.status.desiredHealthy} wanted)`,
    );

// ------------------------------------------------------------------ whether everything runs
/** Names of the pods that have a volume on these hosts, and can run nowhere else. */
export function tiedTo({ pods, claims, volumes }: Snapshot, hosts: ReadonlySet<string>): Set<string> {
  const onHosts = new Set(
    volumes
      .filter((v) =>
        v.spec.nodeAffinity?.required.nodeSelectorTerms.some((t: any) =>
          t.matchExpressions.some((e: any) => e.values.some((name: string) => hosts.has(name))),
        ),
      )
      .map((v) => v.metadata.name),
  );
  const lost = new Set(claims.filter((c) => onHosts.has(c.spec.volumeName)).map(titleOf));
  return new Set(
    pods
      .filter((p) =>
        (p.spec.volumes ?? []).some(
          (v: any) =>
            v.persistentVolumeClaim && lost.has(`${p.metadata.namespace}/${v.persistentVolumeClaim.claimName}`),
        ),
      )
      .map(titleOf),
  );
}

const NONE: ReadonlySet<string> = new Set();

/**
 * What is not as it should be yet: workloads behind their number, pods that are not ready.
 *
 * @param missing Pods that may be missing: those tied to lost hosts.
 */
export function unsettled(now: Snapshot, missing: ReadonlySet<string> = NONE): string[] {
  const scaled = now.autoscalers.flatMap((a) => {
    const target = now.workloads.find(
      (w) =>
        w.kind === "Deployment" &&
        w.metadata.namespace === a.metadata.namespace &&
        w.metadata.name === a.spec.scaleTargetRef.name,
    );
    return target && target.spec.replicas < a.spec.minReplicas
      ? [`${titleOf(a)} has not reached its minimum of ${a.spec.minReplicas}`]
      : [];
  });
  const pods = now.pods
    .filter((p) => !isReady(p) && !missing.has(titleOf(p)))
    .map((p) => `${titleOf(p)}: ${waitsFor(p)}`);
  const groups = podsByOwner(now.pods);
  const short = now.workloads.flatMap((w) => {
    const wanted = w.kind === "DaemonSet" ? (w.status?.desiredNumberScheduled ?? 0) : w.spec.replicas;
    const own = groups.get(`${w.kind} ${titleOf(w)}`) ?? [];
    const stale = w.status?.observedGeneration !== w.metadata.generation;
    return own.length === wanted && !stale ? [] : [`${w.kind} ${titleOf(w)} has ${own.length} of ${wanted} pods`];
  });
  const instances = now.databases.flatMap((d) => {
    const own = groups.get(`Cluster ${titleOf(d)}`) ?? [];
    return own.length === d.spec.instances
      ? []
      : [`Cluster ${titleOf(d)} has ${own.length} of ${d.spec.instances} pods`];
  });
  return [...scaled, ...short, ...instances, ...pods];
}
