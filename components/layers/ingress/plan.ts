/** Demands of the ingress controller, and the cost of its loss. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { NODE_LOST, others } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";
import { USERS_PER_ADDRESS } from "../../sizing/door";
import { privateEntrances } from "./dns";

/** Users above the usual number of an address, from which on the plan says so. */
const CROWDED = 1.5;
const n = (value: number): string => value.toLocaleString("en-US");

export const ingressDemands = (settings: Settings, { ingress }: PlanParts): Demand[] =>
  settings.cluster.install.ingressController ? [floating("ingress", ingress)] : [];

export const ingressServices = ({ plan: { ingress } }: PlanInput): ServiceRow[] => [
  {
    service: "Ingress",
    instances: ingress.replicas,
    cpu: ingress.cpu,
    memoryMiB: ingress.memoryMiB,
    what: ingress.addresses.length > 0 ? `${ingress.replicasEach} for each of ${ingress.addresses.length}` : "",
  },
];

/** What the plan's table does not show of the entrance. */
export function ingressNotes(input: PlanInput): string[] {
  const { settings, plan } = input;
  const { ingress } = plan;
  const inFront = settings.ingress.trustedProxies.length > 0;
  if (ingress.addresses.length === 0) return [];
  const hidden = privateEntrances(input);
  return [
    ...(ingress.usersEach > USERS_PER_ADDRESS * CROWDED
      ? [
          `One host announces each address and carries its ${n(ingress.usersEach)} users. ${Math.ceil(plan.ccu / USERS_PER_ADDRESS)} addresses and as many application hosts would divide them: add addresses to the pool for \`ingress\`.`,
        ]
      : []),
    ...(hidden.length > 0 && !inFront
      ? [
          `The entrance has private addresses (${hidden.join(", ")}). Whatever has the public ones must pass on the clients' addresses: a router must not translate them, a load balancer must be named in ingress.trustedProxies. Otherwise login limits, logs and the admin UI's list take all clients for one.`,
        ]
      : []),
  ];
}

export const ingressFailures = ({ plan }: PlanInput): FailureCost[] => [
  {
    failure: "Ingress: pod",
    effect:
      plan.ingress.addresses.length > 1
        ? `connections through its address break, ${others(plan.ingress.replicasEach)} them; the other addresses do not notice`
        : `its connections break, ${others(plan.ingress.replicasEach)} them`,
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
