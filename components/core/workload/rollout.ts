/** When a workload counts as rolled out, and when its deletion as stuck. Pure. */

/**
 * The provider's own wait may take the status of the revision before for that of the new one, and be content after a
 * second (seen with Deployments, and before 4.26 with StatefulSets): what has to come after then comes at the same
 * time, and a change of Synapse's configuration restarted every process at once. These conditions are looked at only
 * when the status is of the present generation, and hold only when every pod is of the new revision.
 */
export function rolledOut(kind: "Deployment" | "StatefulSet", replicas?: number): Record<string, string> {
  if (kind === "Deployment")
    return {
      "pulumi.com/waitFor": "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=NewReplicaSetAvailable",
    };
  // Counts of none are absent from a status.
  if (!replicas) return {};
  return {
    "pulumi.com/waitFor": JSON.stringify(
      ["updatedReplicas", "readyReplicas"].map((count) => `jsonpath={.status.${count}}=${replicas}`),
    ),
  };
}
