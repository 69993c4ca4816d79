/** Connections between Synapse and appservices, in both directions. Pure. */
import { outgoing, tcp, type Edge, type Peer } from "../../../core/edges";
import { NAMESPACES, PORTS, SERVICES } from "../../../core/names";
import type { Settings } from "../../../settings/types";
import { httpTo } from "../../cluster/reach/proxy";
import type { AppserviceSettings } from "./settings";

const podsOf = ({ id, pods }: AppserviceSettings): Peer | undefined =>
  pods && { labels: pods.labels, namespace: pods.namespace, label: `appservice ${id}` };

/** What a class that calls appservices connects to. */
export const appserviceEdges = (from: Peer, settings: Settings): Edge[] =>
  settings.appservices.flatMap((a): Edge[] => {
    const why = `events and questions to the appservice ${a.id}`;
    const pods = podsOf(a);
    if (pods) return [{ from, to: pods, ports: tcp(a.pods!.port), why }];
    return a.url === undefined ? [] : [{ from, ...httpTo(a.url, settings), why }];
  });

/** Those that run in this cluster use the API at the router. */
export const appserviceClients = ({ appservices, cluster }: Settings): Edge[] =>
  appservices.flatMap((a): Edge[] => {
    const target = podsOf(a) ?? (a.url === undefined ? undefined : outgoing(a.url, cluster.domain).to);
    if (!target || !("namespace" in target)) return [];
    const to: Peer = { component: SERVICES.router, namespace: NAMESPACES.matrix };
    return [{ from: target, to, ports: tcp(PORTS.routerHttp), why: `the appservice ${a.id} uses the client API` }];
  });
