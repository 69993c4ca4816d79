/** Critical points that kube-score 1.20.0 finds in the large stack, and why each kind stays. For the docs. */
export const KUBE_SCORE: Array<{ check: string; where: string; why: string }> = [
  {
    check: "container-image-pull-policy",
    where: "every pod",
    why: "it wants `Always`. Tags here are exact versions that never move, and a node must be able to start a pod while the registry is away",
  },
  {
    check: "container-resources",
    where: "every pod",
    why: "it wants CPU limits. Requests and memory limits are set; a CPU limit throttles a latency-bound process while the node idles (rule 11)",
  },
  {
    check: "pod-probes-identical",
    where: "most pods",
    why: "it wants different actions for readiness and liveness. The action may be the same (the process answers); the thresholds differ: a pod leaves rotation within seconds, and is restarted only after a minute. Liveness never depends on another service (rule 9b)",
  },
  {
    check: "container-security-context-user-group-id",
    where: "pods with uids between 1000 and 10000",
    why: "it wants ids above 10000. Ids above 1000 do not collide with a node's system users (rule 10); MetalLB's speaker and the ingress controller are exceptions with their reasons above",
  },
  {
    check: "networkpolicy-targets-pod, service-targets-pod",
    where: "PostgreSQL, poolers, Prometheus, Alertmanager, ACME solvers, other stacks' applications",
    why: "their pods are made by operators (or by others) from custom resources, which it cannot follow; rules 5 and 20 do",
  },
  {
    check: "pod-networkpolicy",
    where: "metrics-server",
    why: "it runs in kube-system, which has the cluster's own policies",
  },
];
