/**
 * The order of the resources, in three words:
 * - `ready`, of a component: its resources that others wait for. Every layer that another layer waits for has it.
 * - `after`, an argument of a component: resources of others that it waits for. It passes them to those of its own
 *   resources that must wait. A layer's deploy.ts passes it on to the layer, and the layer to its parts.
 * - `dependsOn`, for the engine: what a single resource waits for. It is not given to a component: it would delay the
 *   component's resources without being a dependency of each, so a `destroy` would not know the order.
 *
 * Dependencies that follow from others are removed. Layers name everything that they depend on, often repeatedly, but
 * the engine cannot cope with that: when a deletion fails, it walks every path to everything that the resource depends
 * on (pkg/resource/graph, markAsDependency; in 3.248 it does not remember the nodes it has visited). With all the
 * dependencies that the layers name there were 10^10 paths for three hosts and 10^13 for 43, and a `destroy` that met
 * one refusal did not end (measured with the local stack; stopped after four minutes).
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Whether objects of this type start no process. They wait for their namespace only, whatever their layer waits for.
 */
export const startsNothing = (type: string): boolean =>
  /^kubernetes:(core\/v1:(ConfigMap|Secret|ServiceAccount|Service)|policy\/v1:PodDisruptionBudget|rbac\.authorization\.k8s\.io\/v1:\w+|apiextensions\.k8s\.io\/v1:CustomResourceDefinition)$/.test(
    type,
  );

const plainList = (dependsOn: pulumi.CustomResourceOptions["dependsOn"]): pulumi.Resource[] | undefined => {
  const all = dependsOn === undefined ? [] : Array.isArray(dependsOn) ? dependsOn : [dependsOn];
  return all.every((d) => pulumi.Resource.isInstance(d)) ? [...new Set(all as pulumi.Resource[])] : undefined;
};

/** Records the order of all resources, and removes dependencies that follow from others. */
export class Order {
  /** For each resource, everything that it comes after. */
  private readonly before = new Map<pulumi.Resource, Set<pulumi.Resource>>();
  private readonly namespaces = new Map<pulumi.Resource, string>();

  /** For the outermost component: its transformation runs last, when all dependencies are known. */
  readonly transformation: pulumi.ResourceTransformation = ({ resource, type, props, opts }) => {
    // `resource` is still being constructed, so only `type` tells what it is.
    if (type.startsWith("matrix-ha:")) return undefined;
    const named = plainList(opts.dependsOn);
    if (named === undefined) return undefined;
    if (type === "kubernetes:core/v1:Namespace") this.namespaces.set(resource, props.metadata.name);
    // Of all namespaces, keep only the resource's own.
    const own = named.filter((d) => !this.namespaces.has(d) || this.namespaces.get(d) === props.metadata?.namespace);
    const kept = own.filter((d) => !own.some((other) => this.before.get(other)?.has(d)));
    this.before.set(resource, new Set(kept.flatMap((d) => [d, ...(this.before.get(d) ?? [])])));
    return { props, opts: { ...opts, dependsOn: kept } };
  };

  /** Resources that no other resource comes after; together they come after everything. */
  last(): pulumi.Resource[] {
    const earlier = new Set([...this.before.values()].flatMap((s) => [...s]));
    return [...this.before.keys()].filter((r) => !earlier.has(r));
  }
}
