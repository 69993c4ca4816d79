/** When a workload counts as rolled out. Pure. */

/**
 * Annotations that make the provider wait for a rollout. By itself the provider may mistake the status of the previous
 * revision for that of the new one, and stop waiting after a second (seen with Deployments, and before 4.26 with
 * StatefulSets). Dependent resources then change at the same time: a change of Synapse's configuration restarted every
 * process at once. These conditions are evaluated only for the current generation, and hold only when every pod has the
 * new revision.
 *
 * @param replicas Number of pods of a StatefulSet. @default none to wait for
 */
export function rolledOut(kind: "Deployment" | "StatefulSet", replicas?: number): Record<string, string> {
  if (kind === "Deployment")
    return {
      "pulumi.com/waitFor": "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=NewReplicaSetAvailable",
    };
  // A status has no field for a count of 0, so there is nothing to wait for.
  if (!replicas) return {};
  return {
    "pulumi.com/waitFor": JSON.stringify(
      ["updatedReplicas", "readyReplicas"].map((count) => `jsonpath={.status.${count}}=${replicas}`),
    ),
  };
}
