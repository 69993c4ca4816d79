/**
 * Security contexts, defined in this one place for the stack's own pods, for the operators, and, as far as custom
 * resources allow it, for the pods that operators make. Rule 10b checks every pod against them. Pure.
 */

/** Only the system calls that the container runtime allows by default. */
export const SECCOMP = { type: "RuntimeDefault" } as const;

/**
 * Security context of a container.
 *
 * @param capabilities Capabilities to add; all others are dropped. Each needs an exception to rule 10 in the layer's
 *   exceptions.ts. @default none
 */
export const hardenedContainer = (capabilities?: string[]) => ({
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"], ...(capabilities ? { add: capabilities } : {}) },
  seccompProfile: SECCOMP,
});

/**
 * Security context of a pod.
 *
 * @param uid User and group id of its processes, and group of its volumes' files. Rule 10 requires more than 1000.
 */
export const hardenedPod = (uid: number) => ({
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  fsGroup: uid,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: SECCOMP,
});
