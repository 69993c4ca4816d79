/**
 * Without a state, the providers are not asked which inputs they can change in place. This table lists the inputs whose
 * change replaces a resource, so that a comparison agrees with the engine. Pure.
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

/** A change of any input generates a value again, except the time at which a certificate is renewed. */
const GENERATED = /^(Random\w+|PrivateKey|CertRequest|SelfSignedCert|LocallySignedCert)$/;
const IN_PLACE = /^(protect|earlyRenewalHours)$/;

/**
 * Whether a resource of this kind (`StatefulSet`, `RandomPassword`, `Command`) is replaced when this input of it
 * changes.
 */
export function replaces(kind: string, path: string): boolean {
  if (path === "metadata.name" || path === "metadata.namespace") return true;
  if (GENERATED.test(kind)) return !IN_PLACE.test(path);
  // pulumi-command: only triggers replace a command; a changed script updates it.
  if (kind === "Command") return /^triggers\b/.test(path);
  return KUBERNETES[kind]?.test(path) ?? false;
}
