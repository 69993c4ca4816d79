/** The router's resources, and the cost of its failure. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { others } from "../../sizing/failures";
import type { FailureCost, PlanParts } from "../../sizing/types";

export const routerDemands = (_settings: Settings, { router }: PlanParts): Demand[] => [floating("router", router)];

export const routerServices = ({ plan: { router } }: PlanInput): ServiceRow[] => [
  {
    service: "Router (HAProxy)",
    instances: router.replicas,
    cpu: router.cpu,
    memoryMiB: router.memoryMiB,
    what: `${router.maxConnections.toLocaleString("en-US")} connections each`,
  },
];

export const routerFailures = ({ plan }: PlanInput): FailureCost[] => [
  {
    failure: "Router: pod",
    effect: `its connections break, ${others(plan.router.replicas)} them; clients retry`,
    seconds: 3,
    source: "probe interval and endpoint update; a bound",
  },
];
