/** Labels and annotations that every object carries. Pure. */
import type { Settings } from "../../settings/types";

export const PART_OF = "matrix-ha";

/** Annotation on a pod template: changes exactly when a configuration of that pod changes, and so restarts it. */
export const CONFIG_HASH = "matrix-ha.dev/config-hash";

/** The labels that select a component's pods. Never a version: a selector cannot be changed. */
export function selectorLabels(settings: Settings, component: string): Record<string, string> {
  return { "app.kubernetes.io/component": component, "app.kubernetes.io/instance": settings.instance };
}

/** All recommended labels. `version` is the tag of the component's main image, or the stack's own. */
export function labels(settings: Settings, component: string, name: string, version: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    ...selectorLabels(settings, component),
    "app.kubernetes.io/part-of": PART_OF,
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/version": version.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 63) || "none",
  };
}

/** Metadata of an object of this stack, in plain values. */
export interface ObjectMetadata {
  name: string;
  namespace?: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}
