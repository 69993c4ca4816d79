/** The public host names: an Ingress for each, to the Services behind it. */
import type { Layer } from "../../core/layer";
import { ingressRecords } from "./dns";
import { ingressEdges } from "./edges";
import { ingressDemands, ingressFailures, ingressNotes, ingressServices, ingressZoneLoss } from "./plan";
import { checkIngress } from "./checks";
import { ingressOverrides, ingressSettings } from "./settings";

interface Declares {
  settings: typeof ingressSettings;
  overrides: typeof ingressOverrides;
}

export const ingress: Layer<Declares> = {
  name: "ingress",
  settings: ingressSettings,
  overrides: ingressOverrides,
  checks: [checkIngress],
  demands: ingressDemands,
  services: ingressServices,
  failures: ingressFailures,
  dns: ingressRecords,
  zoneLoss: ingressZoneLoss,
  notes: ingressNotes,
  edges: ingressEdges,
  pods: ["nginx-ingress*", "nginx-ingress/", "projectcontour/"],
  component: () => import("./deploy"),
};
