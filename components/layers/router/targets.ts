/** Scrape targets of the router. Pure. */
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

export function routerTargets(): Target[] {
  return [
    {
      name: "router",
      namespace: NAMESPACES.matrix,
      pods: own(SERVICES.router),
      port: PORTS.routerHealth,
      paths: ["/metrics"],
      layer: "router",
    },
  ];
}
