/**
 * What comes after what, in three words:
 * - `ready`, of a component: its resources that others wait for. Every layer that another comes after has it.
 * - `after`, told to a component: resources of others that it waits for; it tells those of its own that have to wait.
 *   stack.ts tells the layers, and a layer its parts.
 * - `dependsOn`, told to the engine: what a single resource waits for. Not given to a component: it would delay the
 *   component's resources and be no dependency of theirs, so a `destroy` would not know the order.
 *
 * And with no word too many. Layers name all that they stand on, again and again; of that each resource keeps only what
 * does not follow from the rest. The engine asks for it: when a deletion fails, it walks every path to everything that
 * the resource depends on (pkg/resource/graph, markAsDependency; in 3.248 it does not note where it has been). With all
 * that the layers name there were 10^10 paths for three hosts, 10^13 for 43: a `destroy` that met one refusal never came
 * to its end (a destroy of the local stack, ended after four minutes).
 */
import * as pulumi from "@pulumi/pulumi";

/** Objects that start nothing: they wait for their namespace alone, whatever their layer waits for. */
export const startsNothing = (type: string): boolean =>
  /^kubernetes:(core\/v1:(ConfigMap|Secret|ServiceAccount|Service)|policy\/v1:PodDisruptionBudget|rbac\.authorization\.k8s\.io\/v1:\w+|apiextensions\.k8s\.io\/v1:CustomResourceDefinition)$/.test(
    type,
  );

const plainList = (dependsOn: pulumi.CustomResourceOptions["dependsOn"]): pulumi.Resource[] | undefined => {
  const all = dependsOn === undefined ? [] : Array.isArray(dependsOn) ? dependsOn : [dependsOn];
  return all.every((d) => pulumi.Resource.isInstance(d)) ? [...new Set(all as pulumi.Resource[])] : undefined;
};

export class Order {
  /** Of each resource everything that it comes after. */
  private readonly before = new Map<pulumi.Resource, Set<pulumi.Resource>>();
  private readonly namespaces = new Map<pulumi.Resource, string>();

  /** For the outermost component: it is applied last, when everything has been named. */
  readonly transformation: pulumi.ResourceTransformation = ({ resource, type, props, opts }) => {
    // The resource itself is still being made, and knows nothing of what it is.
    if (type.startsWith("matrix-ha:")) return undefined;
    const named = plainList(opts.dependsOn);
    if (named === undefined) return undefined;
    if (type === "kubernetes:core/v1:Namespace") this.namespaces.set(resource, props.metadata.name);
    // Of the namespaces its own alone.
    const own = named.filter((d) => !this.namespaces.has(d) || this.namespaces.get(d) === props.metadata?.namespace);
    const kept = own.filter((d) => !own.some((other) => this.before.get(other)?.has(d)));
    this.before.set(resource, new Set(kept.flatMap((d) => [d, ...(this.before.get(d) ?? [])])));
    return { props, opts: { ...opts, dependsOn: kept } };
  };

  /** Resources that nothing else comes after; together they come after everything. */
  last(): pulumi.Resource[] {
    const earlier = new Set([...this.before.values()].flatMap((s) => [...s]));
    return [...this.before.keys()].filter((r) => !earlier.has(r));
  }
}
