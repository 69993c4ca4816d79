/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Monitoring } from "./Monitoring";
import { ClusterFoundation } from "../cluster/ClusterFoundation";

export function deploy({ ctx, secrets, layers, get, after }: Building): Resource[] {
  if (!ctx.settings.monitoring.enabled) return [];
  const cluster = get(ClusterFoundation);
  const args = { ctx, secrets, layers, ends: cluster.tls.ends };
  return [new Monitoring("monitoring", args, after(cluster.ready("prometheus-operator")))];
}
