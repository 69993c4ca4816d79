/** On which nodes pods run, how replicas are spread, and how many of them a drain may evict at once. Pure. */
import type { core, policy } from "@pulumi/kubernetes/types/input";
import { NODE_LABELS } from "../names";

const HOSTNAME = "kubernetes.io/hostname";
type Labels = Record<string, string>;

/** The nodes that a pod may run on. */
export interface Nodes {
  /** Only nodes with this host role; its taint is tolerated. null: any node. */
  role: string | null;
  /** Further labels that the nodes must have. */
  nodeSelector?: Labels;
  /** Further tolerations. */
  tolerations?: core.v1.Toleration[];
  /** Seconds until a pod on a lost node is replaced elsewhere; null: never. @default 30 (Kubernetes: 300) */
  lostNodeSeconds?: number | null;
  /**
   * The same for a node that does not report at all, instead of one that reports not ready.
   * @default lostNodeSeconds
   */
  unreachableSeconds?: number;
}

/** Node selector and tolerations of a pod. */
export function onNodes({ role, nodeSelector, tolerations, ...n }: Nodes): {
  nodeSelector: Labels;
  tolerations: core.v1.Toleration[];
} {
  const label = role && NODE_LABELS.role(role);
  const seconds = n.lostNodeSeconds === undefined ? 30 : n.lostNodeSeconds;
  return {
    nodeSelector: { "kubernetes.io/os": "linux", ...(label ? { [label]: "true" } : {}), ...nodeSelector },
    tolerations: [
      ...(label ? [{ key: label, operator: "Exists", effect: "NoSchedule" }] : []),
      ...(seconds === null ? [] : lostNode({ "not-ready": seconds, unreachable: n.unreachableSeconds ?? seconds })),
      ...(tolerations ?? []),
    ],
  };
}

const lostNode = (seconds: Record<"not-ready" | "unreachable", number>): core.v1.Toleration[] =>
  Object.entries(seconds).map(([state, tolerationSeconds]) => ({
    key: `node.kubernetes.io/${state}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds,
  }));

/** Tolerates every taint, for pods that run on every node. */
export const EVERY_NODE: core.v1.Toleration = { operator: "Exists" };

/** How the replicas of a workload are kept apart. */
export interface Apart {
  /** Number of replicas, or an autoscaler's minimum. With exactly two, they never share a node. @default unknown */
  replicas?: number;
  /** For Deployments: while a new template rolls out, pods of the old one do not count. @default false */
  rolling?: boolean;
  /** Never two on one node, whatever their number. @default false */
  hard?: boolean;
}

const counted = (matchLabels: Labels, { rolling }: Apart) => ({
  labelSelector: { matchLabels },
  ...(rolling ? { matchLabelKeys: ["pod-template-hash"] } : {}),
});

/**
 * Spreads pods evenly over nodes and zones as far as there is room; two replicas never share a node. For two, a mere
 * preference is not enough: after a drain both pods of a class were on one node, and draining that node stopped the
 * class (measured). Three or more rarely all end up on one node, so they are not forced apart, which hosts of different
 * sizes could not satisfy. Their number is not part of the template, so growing restarts nothing, except once from two
 * to three. Cordoned and lost nodes do not count.
 */
export function spread(matchLabels: Labels, apart: Apart = {}): core.v1.TopologySpreadConstraint[] {
  const hostname = { topologyKey: HOSTNAME, ...counted(matchLabels, apart) };
  const never = { maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", nodeTaintsPolicy: "Honor", ...hostname };
  return [
    apart.hard || apart.replicas === 2 ? never : { maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway", ...hostname },
    overZones(matchLabels, apart),
  ];
}

/** Spreads pods evenly over zones, as far as there is room. */
export const overZones = (matchLabels: Labels, apart: Apart = {}): core.v1.TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: NODE_LABELS.zone,
  whenUnsatisfiable: "ScheduleAnyway",
  ...counted(matchLabels, apart),
});

/** Label with the ordinal of a StatefulSet's pod (Kubernetes 1.32 and later set it always). */
const POD_INDEX = "apps.kubernetes.io/pod-index";

/** Some pods of a StatefulSet that are spread strictly: an uneven spread would cost data. */
export interface StrictGroup {
  /** Key of a node label, one for each group: Kubernetes accepts one strict constraint for each key. */
  topologyKey: string;
  /** Ordinals of the pods. */
  ordinals: number[];
}

/**
 * Spreads a group of a StatefulSet's pods evenly over the values of a node label, whatever the order in which the pods
 * are created. The other pods of the set have the constraint too, since they have the same template, but do not count:
 * they may go anywhere. Cordoned and lost nodes do not count either, so that the pods of a lost zone do not keep those
 * of the others from restarting.
 */
export const strictly = (
  matchLabels: Labels,
  { topologyKey, ordinals }: StrictGroup,
): core.v1.TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: "DoNotSchedule",
  nodeTaintsPolicy: "Honor",
  labelSelector: {
    matchLabels,
    matchExpressions: [{ key: POD_INDEX, operator: "In", values: ordinals.map(String) }],
  },
});

/** Forbids two of these pods on one node: for pods that must not be lost together. */
export const neverTwoOnANode = (matchLabels: Labels): core.v1.Affinity => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOSTNAME, labelSelector: { matchLabels } }],
  },
});

/**
 * Prefers nodes with few pods of these labels, and refuses none. A second soft constraint beside `spread` would be
 * refused: Kubernetes allows one for each key.
 */
export const ratherApart = (matchLabels: Labels): core.v1.Affinity => ({
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 100, podAffinityTerm: { topologyKey: HOSTNAME, labelSelector: { matchLabels } } },
    ],
  },
});

/**
 * Spec of a disruption budget. Pods that are not ready do not block a drain.
 *
 * @param maxUnavailable Pods that a drain may evict at once. @default 1
 */
export const budgetSpec = (matchLabels: Labels, maxUnavailable = 1): policy.v1.PodDisruptionBudgetSpec => ({
  maxUnavailable,
  selector: { matchLabels },
  unhealthyPodEvictionPolicy: "AlwaysAllow",
});
