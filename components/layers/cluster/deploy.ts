/** Makes the layer, with what it takes from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { ClusterFoundation } from "./ClusterFoundation";
import { NetworkPolicies } from "./policies/NetworkPolicies";
import { allEdges } from "../../core/edges";
import { Hosts } from "../hosts/Hosts";

export function deploy({ ctx, layers, self: parent, get }: Building): Resource[] {
  const cluster = new ClusterFoundation("cluster", { ctx, after: get(Hosts).ready }, { parent });
  const edges = allEdges({ ...ctx, layers });
  return [cluster, new NetworkPolicies("policies", { ctx, edges, after: cluster.basics }, { parent })];
}
