/** Router, ingress, web and monitoring. */
import type { Settings } from "../settings/types";
import { FRONT } from "./anchors";
import { planDoor } from "./door";
import { ceilTo, cores, count, interpolate, memoryMiB } from "./interpolate";
import { loadOf, serviceCpu, UTILISATION } from "./load";
import type { Plan, Sized } from "./types";

/** A client holds one /sync open and has a few more requests under way; both sides of the proxy count. */
const CONNECTIONS_PER_USER = 4;

type Override = { replicas?: number; cpu?: number; memoryMiB?: number };
const sized = (planned: Sized, o: Override): Sized => ({
  replicas: o.replicas ?? planned.replicas,
  cpu: o.cpu ?? planned.cpu,
  memoryMiB: o.memoryMiB ?? planned.memoryMiB,
});

/** Sizes of router, ingress, web pages and, where it is on, monitoring. */
export function planFront(settings: Settings): Pick<Plan, "router" | "ingress" | "web" | "monitoring"> {
  const { ccu, overrides } = settings;
  const routerCpu = cores(FRONT.routerCpu.row, ccu);
  const router = sized(
    {
      replicas: Math.max(
        count(FRONT.routerReplicas.row, ccu),
        ceilTo(serviceCpu(loadOf(settings), "router", 1).cores / (routerCpu * UTILISATION), 1),
      ),
      cpu: routerCpu,
      memoryMiB: memoryMiB(FRONT.routerGiB.row, ccu),
    },
    overrides.router,
  );
  const ingress = planDoor(settings, {
    replicas: count(FRONT.ingressReplicas.row, ccu),
    cpu: cores(FRONT.ingressCpu.row, ccu),
    memoryMiB: memoryMiB(FRONT.ingressGiB.row, ccu),
  });
  const page = sized({ replicas: 2, cpu: 0.05, memoryMiB: 64 }, overrides.web);
  return {
    router: { ...router, maxConnections: ceilTo(ccu * CONNECTIONS_PER_USER + 2_000, 1_000) },
    ingress,
    web: { elementWeb: page, admin: page, wellKnown: page },
    ...(settings.monitoring.enabled ? { monitoring: planMonitoring(settings) } : {}),
  };
}

function planMonitoring(settings: Settings): NonNullable<Plan["monitoring"]> {
  const {
    ccu,
    overrides: { monitoring: o },
    monitoring,
  } = settings;
  const storageGiB =
    o.storageGiB ?? Math.ceil(interpolate(FRONT.prometheusStorageGiBPerDay.row, ccu) * monitoring.retentionDays * 1.25);
  const small = o.memoryMiB !== undefined;
  return {
    prometheus: {
      ...sized(
        { replicas: 2, cpu: cores(FRONT.prometheusCpu.row, ccu), memoryMiB: memoryMiB(FRONT.prometheusGiB.row, ccu) },
        o,
      ),
      storageGiB,
    },
    // Three, so that two still agree on what was already sent when a node is lost.
    alertmanager: {
      replicas: small ? Math.min(3, o.replicas ?? 3) : 3,
      cpu: Math.min(0.05, o.cpu ?? 0.05),
      memoryMiB: 64,
    },
    exporters: { replicas: 1, cpu: Math.min(0.05, o.cpu ?? 0.05), memoryMiB: 64 },
  };
}
