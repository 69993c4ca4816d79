/** Demands of the ingress controller, and the cost of its loss. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { others } from "../../sizing/failures";
import type { FailureCost, PlanParts } from "../../sizing/types";

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
