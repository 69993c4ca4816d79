/** The public host names: an Ingress for each, to the Services behind it. */
import type { Layer } from "../../core/layer";
import { ingressRecords } from "./dns";
import { ingressEdges } from "./edges";
import { ingressDemands, ingressFailures, ingressServices, ingressZoneLoss } from "./plan";
import { ingressOverrides } from "./settings";

interface Declares {
  overrides: typeof ingressOverrides;
}

export const ingress: Layer<Declares> = {
  name: "ingress",
  overrides: ingressOverrides,
  demands: ingressDemands,
  services: ingressServices,
  failures: ingressFailures,
  dns: ingressRecords,
  zoneLoss: ingressZoneLoss,
  edges: ingressEdges,
  pods: ["nginx-ingress*", "nginx-ingress/", "projectcontour/"],
  component: () => import("./deploy"),
};
