/** The ingress controller as one end of a connection. Pure. */
import type { Peer } from "../../../core/edges";
import type { Settings } from "../../../settings/types";
import { INGRESS_COMPONENT, INGRESS_NAMESPACE } from "./nginxIngress";

/** This stack's controller by its component; a controller of the cluster by its namespace, whose labels are unknown. */
export const ingressController = (settings: Settings): Peer =>
  settings.cluster.install.ingressController
    ? { component: INGRESS_COMPONENT, namespace: INGRESS_NAMESPACE }
    : { labels: {}, namespace: settings.cluster.ingressNamespace, label: "ingress-controller" };
