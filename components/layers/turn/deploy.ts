/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Turn } from "./Turn";
import { turnHasTls } from "../../domain/calls";
import { ClusterFoundation } from "../cluster/ClusterFoundation";

export function deploy({ ctx, secrets, get, after }: Building): Resource[] {
  if (!ctx.plan.turn) return [];
  const { tls } = get(ClusterFoundation);
  const tlsSecretName = turnHasTls(ctx.settings) ? tls.secretName("turn") : undefined;
  return [new Turn("turn", { ctx, secrets, tlsSecretName }, after(tls.ready))];
}
