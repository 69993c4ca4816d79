/** Labels and annotations that every object carries. Pure. */
import type { Settings } from "../../settings/types";

/** Label app.kubernetes.io/part-of of every object. */
export const PART_OF = "matrix-ha";

/** Annotation of a pod template. It changes exactly when the pod's configuration changes, which restarts the pod. */
export const CONFIG_HASH = "matrix-ha.dev/config-hash";

/** The labels that select a component's pods. They contain no version, because a selector cannot be changed. */
export function selectorLabels(settings: Settings, component: string): Record<string, string> {
  return { "app.kubernetes.io/component": component, "app.kubernetes.io/instance": settings.instance };
}

/**
 * All labels that Kubernetes recommends.
 *
 * @param component Which part of the stack, unique in it.
 * @param name The program, such as `haproxy`.
 * @param version Tag of the component's main image, or `none`; characters that labels cannot hold become `-`.
 */
export function labels(settings: Settings, component: string, name: string, version: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    ...selectorLabels(settings, component),
    "app.kubernetes.io/part-of": PART_OF,
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/version": version.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 63) || "none",
  };
}

/** Metadata of an object of this stack, as plain values. */
export interface ObjectMetadata {
  name: string;
  namespace?: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}
