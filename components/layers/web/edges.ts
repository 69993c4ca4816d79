import { type Edge, tcp } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

/** Only the admin UI opens connections itself. The ingress layer declares those of browsers. */
export function webEdges({ settings }: PlanInput): Edge[] {
  if (!settings.web.admin.enabled) return [];
  return [
    {
      from: { component: SERVICES.admin, namespace: NAMESPACES.matrix },
      to: { component: SERVICES.router, namespace: NAMESPACES.matrix },
      ports: tcp(PORTS.routerHttp, PORTS.routerAdmin),
      why: "admin UI: login and the admin API",
    },
  ];
}
