/** Resources of the web applications. Pure. */
import type { PlanInput } from "../../core/layer";
import { NODE_LOST } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import type { PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";

export const webDemands = (settings: Settings, { web }: PlanParts): Demand[] => [
  ...(settings.web.elementWeb.enabled ? [floating("element-web", web.elementWeb)] : []),
  ...(settings.web.admin.enabled ? [floating("admin", web.admin)] : []),
  floating("well-known", web.wellKnown),
];

export const webZoneLoss = ({ settings, plan: { web } }: PlanInput, zone: LostZone): ZoneEffect[] =>
  equalReplicas(zone, {
    part: "web pages",
    hosts: hostsOf(settings, "application"),
    replicas: web.wellKnown.replicas,
    effect: "a share of the page loads fails until Kubernetes calls the nodes lost",
    seconds: NODE_LOST,
    source: "bound: a node is declared lost after 40 s",
    stands: "clients in a browser do not load, and clients do not find the server by its name",
    remedy: "Put application hosts into several zones",
  });
