/** Which layer a registered resource belongs to, and what it is called there. Pure. */
import type { RegisteredResource } from "../../cli/evaluate";
import { LAYERS } from "./registry";

/** Component types that are no layer of their own. */
const TRANSPARENT = new Set(["stack", "workload"]);

/** The layers in the order in which the program builds them, the secrets among them; files and reports follow it. */
export const LAYER_ORDER: readonly string[] = LAYERS.flatMap((layer) =>
  layer.name === "cluster" ? [layer.name, "secrets"] : [layer.name],
);

/** The layer that a component's type begins, if it begins one. */
export function layerOfType(type: string): string | undefined {
  const layer = /^matrix-ha:([a-z]+):/.exec(type)?.[1];
  return layer && !TRANSPARENT.has(layer) ? layer : undefined;
}

/** What belongs to no layer (the provider of the cluster) is shown with the cluster. */
export const layerOf = (r: RegisteredResource): string => r.layer ?? "cluster";

/** A Kubernetes object that goes to the API server, as opposed to a provider, a component or a generated value. */
export const isKubernetes = (r: RegisteredResource): boolean =>
  r.custom && r.type.startsWith("kubernetes:") && r.inputs?.kind !== undefined;

export const isCommand = (r: RegisteredResource): boolean => r.type === "command:remote:Command";

/**
 * `StatefulSet`, `RandomPassword`; what only sets fields of another's object is a `NodePatch`: as `Node` its deletion
 * would read as the loss of a node.
 */
export const kindOf = (r: RegisteredResource): string => r.type.split(":").pop()!;
export const isPatch = (kind: string): boolean => kind.endsWith("Patch");

/** `Kind namespace/name`, as people say it. */
export function objectTitle(r: RegisteredResource): string {
  if (!isKubernetes(r)) return `${kindOf(r)} ${r.name}`;
  const { namespace, name } = r.inputs.metadata ?? {};
  return `${kindOf(r)} ${namespace ? `${namespace}/` : ""}${name}`;
}
