/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Monitoring } from "./Monitoring";
import { ClusterFoundation } from "../cluster/ClusterFoundation";

export function deploy({ ctx, secrets, layers, get, after }: Building): Resource[] {
  if (!ctx.settings.monitoring.enabled) return [];
  const operator = get(ClusterFoundation).ready("prometheus-operator");
  return [new Monitoring("monitoring", { ctx, secrets, layers }, after(operator))];
}
