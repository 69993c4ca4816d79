/** HAProxy before Synapse: every request goes to the class of process that answers it. */
import type { Layer } from "../../core/layer";
import { routerAlerts } from "./alerts";
import { ROUTER_DASHBOARDS } from "./dashboards";
import { routerEdges } from "./edges";
import { HaproxyRouter } from "./HaproxyRouter";
import { routerDemands, routerFailures, routerServices } from "./plan";
import { routerOverrides } from "./settings";
import { routerTargets } from "./targets";

export const router: Layer<{ overrides: typeof routerOverrides }> = {
  name: "router",
  overrides: routerOverrides,
  demands: routerDemands,
  services: routerServices,
  failures: routerFailures,
  edges: routerEdges,
  targets: routerTargets,
  alerts: (input) => [routerAlerts(input)],
  dashboards: ROUTER_DASHBOARDS,
  pods: ["haproxy"],
  deploy: ({ ctx, after }) => [new HaproxyRouter("router", { ctx }, after())],
};
