/** Metrics of Synapse's processes. Pure. */
import type { PlanInput } from "../../core/layer";
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, synapseService } from "../../core/names";

export function synapseTargets({ plan }: PlanInput): Target[] {
  return [
    {
      name: "synapse",
      namespace: NAMESPACES.matrix,
      pods: own(...plan.synapse.pools.map((p) => synapseService(p.class))),
      port: PORTS.synapseMetrics,
      paths: ["/_synapse/metrics"],
      layer: "synapse",
      synapse: true,
    },
  ];
}
