/** On which nodes pods run, how far their like stay apart, and how many of them may be away at once. Pure. */
import type { core, policy } from "@pulumi/kubernetes/types/input";
import { NODE_LABELS } from "../names";

const HOSTNAME = "kubernetes.io/hostname";
type Labels = Record<string, string>;

export interface Nodes {
  /** Only nodes that carry this host role, whose taint is tolerated; null: any. */
  role: string | null;
  /** Labels that the nodes have besides. */
  nodeSelector?: Labels;
  tolerations?: core.v1.Toleration[];
  /** Seconds until a pod of a lost node is replaced elsewhere; default 30 (Kubernetes: 300). null: it stays. */
  lostNodeSeconds?: number | null;
  /** The same for a node of which nothing is heard, instead of one that still says itself that it is not ready. */
  unreachableSeconds?: number;
}

/** The nodes that a pod may run on, and for how long when they are lost. */
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

/** Of those that run on every node, whatever it is tainted with. */
export const EVERY_NODE: core.v1.Toleration = { operator: "Exists" };

export interface Apart {
  /** Fewest replicas there are (an autoscaler's minimum). One or none: nothing to keep apart. */
  replicas?: number;
  /** Deployments: pods of the old template do not count while the new ones roll out. */
  rolling?: boolean;
  /** Never two on a node. */
  hard?: boolean;
}

const counted = (matchLabels: Labels, { rolling }: Apart) => ({
  labelSelector: { matchLabels },
  ...(rolling ? { matchLabelKeys: ["pod-template-hash"] } : {}),
});

/**
 * Even over nodes and zones as far as there is room; and of two, never both on one node. Preference alone does not do
 * it: after a drain both pods of a class of two were found on one node, and its own drain then took the class away
 * (measured). Three and more meet on one node too rarely to be forced apart on hosts of different sizes, and the number
 * of replicas stays out of the pods' template: growing restarts nothing (but from two to three, once). Cordoned and
 * lost nodes do not count.
 */
export function spread(matchLabels: Labels, apart: Apart = {}): core.v1.TopologySpreadConstraint[] {
  const hostname = { topologyKey: HOSTNAME, ...counted(matchLabels, apart) };
  const never = { maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", nodeTaintsPolicy: "Honor", ...hostname };
  return [
    apart.hard || apart.replicas === 2 ? never : { maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway", ...hostname },
    overZones(matchLabels, apart),
  ];
}

/** Even over zones, as far as there is room. */
export const overZones = (matchLabels: Labels, apart: Apart = {}): core.v1.TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: NODE_LABELS.zone,
  whenUnsatisfiable: "ScheduleAnyway",
  ...counted(matchLabels, apart),
});

/** By force: what must not be lost together. */
export const neverTwoOnANode = (matchLabels: Labels): core.v1.Affinity => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOSTNAME, labelSelector: { matchLabels } }],
  },
});

/** Spec of a disruption budget: a drain may take so many at a time, and pods that are broken anyway stop no drain. */
export const budgetSpec = (matchLabels: Labels, maxUnavailable = 1): policy.v1.PodDisruptionBudgetSpec => ({
  maxUnavailable,
  selector: { matchLabels },
  unhealthyPodEvictionPolicy: "AlwaysAllow",
});
