/** Connections from the ingress controller to the public Services. Pure. */
import { type Edge, type Peer, tcp } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { INGRESS_PODS } from "../cluster/ingressController/nginxIngress";
import { PORTS, SERVICES } from "../../core/names";
import { publicHosts } from "./hosts";

/** This stack's controller by its name; another one by its namespace. */
const controller = (settings: PlanInput["settings"]): Peer =>
  settings.cluster.install.ingressController
    ? INGRESS_PODS
    : { labels: {}, namespace: settings.cluster.ingressNamespace, label: "ingress-controller" };

/** Container port behind each public Service port, by its name. */
const PORT: Record<string, Record<string, number>> = {
  [SERVICES.router]: { http: PORTS.routerHttp },
  [SERVICES.wellKnown]: { http: PORTS.web },
  [SERVICES.elementWeb]: { http: PORTS.web },
  [SERVICES.admin]: { http: PORTS.web },
  [SERVICES.livekit]: { http: PORTS.livekitHttp },
  [SERVICES.jwt]: { http: PORTS.jwt },
};

/** One edge for each public Service. @throws Error for a Service port that `PORT` does not have */
export function ingressEdges({ settings }: PlanInput): Edge[] {
  const backends = new Map<string, { namespace: string; service: string; ports: Set<number>; why: Set<string> }>();
  for (const host of publicHosts(settings)) {
    for (const p of host.paths) {
      const key = `${host.namespace}/${p.service}`;
      const b = backends.get(key) ?? {
        namespace: host.namespace,
        service: p.service,
        ports: new Set<number>(),
        why: new Set<string>(),
      };
      const port = PORT[p.service]?.[p.port];
      if (port === undefined) throw new Error(`no port known for ${p.service}:${p.port}`);
      b.ports.add(port);
      b.why.add(p.why);
      backends.set(key, b);
    }
  }
  return [...backends.values()].map((b) => ({
    from: controller(settings),
    // The SFU uses the nodes' network.
    to: b.service === SERVICES.livekit ? { nodes: true } : { component: b.service, namespace: b.namespace },
    ports: tcp(...b.ports),
    why: [...b.why].join(", "),
  }));
}
