/**
 * What no process of this stack may do, said in this one place: to the pods made here, to those of the operators, and
 * as far as their custom resources can say it to the pods that the operators make. Rule 10b holds every pod to it. Pure.
 */

/** System calls as the container runtime allows them by default. */
export const SECCOMP = { type: "RuntimeDefault" } as const;

/**
 * Security context of a container.
 * @param capabilities added to the none that it has. Only for exceptions that policy/exceptions.ts names.
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
 * @param uid of its processes, their group, and the group of its volumes' files; above 1000
 */
export const hardenedPod = (uid: number) => ({
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  fsGroup: uid,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: SECCOMP,
});
