/** The public names: an Ingress for each, to what answers it. */
import type { Layer } from "../../core/layer";
import { ingressEdges } from "./edges";
import { ingressDemands, ingressFailures, ingressServices } from "./plan";
import { PublicIngress } from "./PublicIngress";
import { ingressOverrides } from "./settings";
import { ClusterFoundation } from "../cluster/ClusterFoundation";
import { HaproxyRouter } from "../router/HaproxyRouter";
import { Rtc } from "../rtc/Rtc";
import { SynapseServer } from "../synapse/SynapseServer";
import { Turn } from "../turn/Turn";
import { Web } from "../web/Web";

export const ingress: Layer<{ overrides: typeof ingressOverrides }> = {
  name: "ingress",
  overrides: ingressOverrides,
  demands: ingressDemands,
  services: ingressServices,
  failures: ingressFailures,
  edges: ingressEdges,
  pods: ["nginx-ingress*", "nginx-ingress/", "projectcontour/"],
  deploy({ ctx, get, find, after }) {
    const { doorReady, tls } = get(ClusterFoundation);
    const behind = [get(SynapseServer).main, get(HaproxyRouter), get(Web), find(Turn), find(Rtc)];
    return [
      new PublicIngress(
        "ingress",
        { ctx, tls },
        after(
          doorReady,
          tls.ready,
          behind.filter((b) => b !== undefined),
        ),
      ),
    ];
  },
};
