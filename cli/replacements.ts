/**
 * Without a state nobody asks the providers, which of two inputs they could change in place. What each of them replaces
 * instead stands here, so that a comparison says it as the engine will. Pure.
 */

/** pulumi-kubernetes, provider/pkg/provider/diff.go (forceNew), for the kinds that this stack makes. */
const KUBERNETES: Record<string, RegExp> = {
  StatefulSet: /^spec\.(podManagementPolicy|revisionHistoryLimit|selector|serviceName|volumeClaimTemplates)\b/,
  Deployment: /^spec\.selector\b/,
  DaemonSet: /^spec\.selector\b/,
  Job: /^spec\.(completions|parallelism|selector|template)\b/,
  RoleBinding: /^roleRef\b/,
  ClusterRoleBinding: /^roleRef\b/,
  StorageClass: /^(parameters|provisioner)\b/,
  PersistentVolume: /^spec\.(csi|hostPath|iscsi|local|nfs|rbd|cephfs|fc)\b/,
  PersistentVolumeClaim: /^spec\.(accessModes|selector|storageClassName|volumeName)\b/,
  ResourceQuota: /^spec\.scopes\b/,
  Secret: /^type$/,
  Service: /^spec\.clusterIP$/,
};

/**
 * A generated value is generated again, whichever of its inputs differs; only when a certificate is renewed may change.
 */
const GENERATED = /^(Random\w+|PrivateKey|CertRequest|SelfSignedCert|LocallySignedCert)$/;
const IN_PLACE = /^(protect|earlyRenewalHours)$/;

/**
 * Whether a resource of this kind (`StatefulSet`, `RandomPassword`, `Command`) is replaced when this input of it
 * changes.
 */
export function replaces(kind: string, path: string): boolean {
  if (path === "metadata.name" || path === "metadata.namespace") return true;
  if (GENERATED.test(kind)) return !IN_PLACE.test(path);
  // pulumi-command: only triggers replace a command; a changed script is its update.
  if (kind === "Command") return /^triggers\b/.test(path);
  return KUBERNETES[kind]?.test(path) ?? false;
}
