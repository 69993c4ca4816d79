/** The router's resources, and the cost of its failure. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { NODE_LOST, others } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";

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

export const routerZoneLoss = ({ settings, plan }: PlanInput, zone: LostZone): ZoneEffect[] =>
  equalReplicas(zone, {
    part: "router",
    hosts: hostsOf(settings, "application"),
    replicas: plan.router.replicas,
    effect: "its connections there break; a share of the new ones fails until Kubernetes calls the nodes lost",
    seconds: NODE_LOST,
    source: "bound: a node is declared lost after 40 s",
    stands: "no request is answered",
    remedy: "Put application hosts into several zones",
  });
