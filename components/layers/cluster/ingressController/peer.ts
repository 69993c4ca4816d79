/** The pods of the ingress controller, as an end of connections: this stack's, or those of one that exists. Pure. */
import type { Peer } from "../../../core/edges";
import type { Settings } from "../../../settings/types";
import { INGRESS_PODS, INGRESS_PORTS } from "./nginxIngress";

/** This stack's controller by its name; another one by its namespace. */
export const ingressPeer = ({ cluster }: Settings): Peer & { namespace: string } =>
  cluster.install.ingressController
    ? INGRESS_PODS
    : { labels: {}, namespace: cluster.ingressNamespace, label: "ingress-controller" };

/**
 * Container ports at which a controller that exists answers HTTP and HTTPS: both nginx controllers 80 and 443,
 * Contour's Envoy and HAProxy's controller 8080 and 8443, Traefik 8000 and 8443 (their charts' values).
 */
const OTHER_PORTS = [80, 443, 8000, 8080, 8443];

export const ingressWebPorts = ({ cluster }: Settings): number[] =>
  cluster.install.ingressController ? [INGRESS_PORTS.https, INGRESS_PORTS.http] : OTHER_PORTS;
