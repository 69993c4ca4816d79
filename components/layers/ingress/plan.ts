/** Demands of the ingress controller, and the cost of its loss. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { NODE_LOST, others } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";

export const ingressDemands = (settings: Settings, { ingress }: PlanParts): Demand[] =>
  settings.cluster.install.ingressController ? [floating("ingress", ingress)] : [];

export const ingressServices = ({ plan: { ingress } }: PlanInput): ServiceRow[] => [
  { service: "Ingress", instances: ingress.replicas, cpu: ingress.cpu, memoryMiB: ingress.memoryMiB, what: "" },
];

export const ingressFailures = ({ plan }: PlanInput): FailureCost[] => [
  {
    failure: "Ingress: pod",
    effect: `its connections break, ${others(plan.ingress.replicas)} them`,
    seconds: 3,
    source: "probe interval and endpoint update; a bound",
  },
];

export const ingressZoneLoss = ({ settings, plan }: PlanInput, zone: LostZone): ZoneEffect[] =>
  settings.cluster.install.ingressController
    ? equalReplicas(zone, {
        part: "ingress",
        hosts: hostsOf(settings, "application"),
        replicas: plan.ingress.replicas,
        effect: "its connections there break; clients connect again through another",
        seconds: NODE_LOST,
        source: "bound: a node is declared lost after 40 s",
        stands: "no client can connect",
        remedy: "Put application hosts into several zones",
      })
    : [];
