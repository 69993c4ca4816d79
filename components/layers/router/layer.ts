/** HAProxy in front of Synapse: sends every request to the class of process that serves it. */
import type { Layer } from "../../core/layer";
import { routerAlerts } from "./alerts";
import { ROUTER_DASHBOARDS } from "./dashboards";
import { routerEdges } from "./edges";
import { routerDemands, routerFailures, routerServices, routerZoneLoss } from "./plan";
import { routerOverrides } from "./settings";
import { routerTargets } from "./targets";

interface Declares {
  overrides: typeof routerOverrides;
}

export const router: Layer<Declares> = {
  name: "router",
  overrides: routerOverrides,
  demands: routerDemands,
  services: routerServices,
  failures: routerFailures,
  zoneLoss: routerZoneLoss,
  edges: routerEdges,
  targets: routerTargets,
  alerts: (input) => [routerAlerts(input)],
  dashboards: ROUTER_DASHBOARDS,
  pods: ["haproxy"],
  component: () => import("./deploy"),
};
