import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../../core/context";
import type { Edge } from "../../../core/edges";
import { labels } from "../../../core/workload";
import { networkPolicies, policySpec } from "./policiesFromEdges";
import { namespacePlans } from "../namespaces";

/** Arguments of NetworkPolicies. */
export interface NetworkPoliciesArgs {
  ctx: StackContext;
  /** From `allEdges`. */
  edges: Edge[];
  /** The namespaces. */
  after: pulumi.Resource[];
}

/**
 * Default deny in every namespace of the stack, and one policy for each end of the declared edges. Empty when
 * `networkPolicies.enabled` is false.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:NetworkPolicies", name, {}, opts);
    const { settings } = args.ctx;
    const plans = settings.networkPolicies.enabled
      ? networkPolicies(
          args.edges,
          settings,
          namespacePlans(settings).map((n) => n.name),
        )
      : [];
    for (const p of plans) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${p.namespace}-${p.name}`,
        {
          metadata: {
            name: p.name,
            namespace: p.namespace,
            labels: labels(settings, "network-policies", "matrix-ha", "none"),
            ...(p.why.length ? { annotations: { "matrix-ha.dev/why": p.why.join("\n") } } : {}),
          },
          spec: policySpec(p),
        },
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({});
  }
}
