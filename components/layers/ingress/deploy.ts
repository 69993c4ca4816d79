/** Makes the layer, with what it takes from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { PublicIngress } from "./PublicIngress";
import { ClusterFoundation } from "../cluster/ClusterFoundation";
import { HaproxyRouter } from "../router/HaproxyRouter";
import { Rtc } from "../rtc/Rtc";
import { SynapseServer } from "../synapse/SynapseServer";
import { Turn } from "../turn/Turn";
import { Web } from "../web/Web";

export function deploy({ ctx, get, find, after }: Building): Resource[] {
  const { doorReady, tls } = get(ClusterFoundation);
  return [
    new PublicIngress(
      "ingress",
      { ctx, tls },
      after(
        doorReady,
        tls.ready,
        get(SynapseServer).ready,
        get(HaproxyRouter).ready,
        get(Web).ready,
        find(Turn)?.ready ?? [],
        find(Rtc)?.ready ?? [],
      ),
    ),
  ];
}
