/** Everything that asks for room on the hosts, from the parts of a plan. */
import { OPERATOR_REQUESTS } from "../domain/operatorRequests";
import type { Settings } from "../settings/types";
import type { HostRole } from "../domain/roles";
import type { Plan, PoolPlan } from "./types";

export interface Demand {
  name: string;
  role: HostRole;
  replicas: number;
  maxReplicas: number;
  cpu: number;
  memoryMiB: number;
  /** On a host for good: its data or its address are there. One on each of `replicas` hosts of the role. */
  tied?: boolean;
}

/** What Kubernetes itself takes from a host: kubelet, container runtime, network plugin, kube-proxy, sshd, kernel. */
export const SYSTEM_RESERVE = { cpu: 0.5, memoryGiB: 1, share: 0.05 } as const;
/**
 * kube-apiserver, controller-manager, scheduler and etcd, where they share a host with other roles (kubeadm's requests,
 * and room).
 */
export const CONTROL_PLANE_RESERVE = { cpu: 0.65, memoryGiB: 1 } as const;
/** On every host: MetalLB's speaker, the node exporter. */
export const DAEMONS = {
  cpu: OPERATOR_REQUESTS.metallbSpeaker.cpu + OPERATOR_REQUESTS.nodeExporter.cpu,
  memoryMiB: OPERATOR_REQUESTS.metallbSpeaker.memoryMiB + OPERATOR_REQUESTS.nodeExporter.memoryMiB,
} as const;

/** Operators and add-ons that the stack installs: small, whatever the number of users. */
const R = OPERATOR_REQUESTS;
const PLATFORM: Array<{
  name: string;
  when: (s: Settings) => boolean;
  replicas: number;
  cpu: number;
  memoryMiB: number;
}> = [
  { name: "cloudnative-pg", when: (s) => s.cluster.install.cloudNativePg, ...R.cloudNativePg },
  { name: "barman-cloud", when: (s) => s.cluster.install.barmanPlugin, ...R.barmanPlugin },
  { name: "cert-manager", when: (s) => s.cluster.install.certManager, ...R.certManager },
  { name: "cert-manager-webhook", when: (s) => s.cluster.install.certManager, ...R.certManagerWebhook },
  { name: "cert-manager-cainjector", when: (s) => s.cluster.install.certManager, ...R.certManagerCainjector },
  { name: "metallb-controller", when: (s) => s.cluster.install.metallb, ...R.metallbController },
  { name: "metrics-server", when: (s) => s.cluster.install.metricsServer, ...R.metricsServer },
  { name: "local-path-provisioner", when: (s) => s.cluster.install.localPathProvisioner, ...R.localPathProvisioner },
  { name: "prometheus-operator", when: (s) => s.cluster.install.prometheusOperator, ...R.prometheusOperator },
  // Jobs at a rollout (check of the configuration, buckets): never all at once.
  { name: "jobs", when: () => true, replicas: 1, cpu: 0.05, memoryMiB: 128 },
];

export type PlanParts = Pick<
  Plan,
  "postgres" | "redis" | "minio" | "router" | "ingress" | "turn" | "rtc" | "web" | "monitoring"
> & { pools: PoolPlan[] };

export function demandsOf(settings: Settings, p: PlanParts): Demand[] {
  const { web, monitoring } = p;
  const app = (
    name: string,
    s: { replicas: number; maxReplicas?: number; cpu: number; memoryMiB: number },
    factor = 1,
  ): Demand => ({
    name,
    role: "application",
    replicas: s.replicas * factor,
    maxReplicas: (s.maxReplicas ?? s.replicas) * factor,
    cpu: s.cpu,
    memoryMiB: s.memoryMiB,
  });
  const tied = (name: string, role: HostRole, replicas: number, s: { cpu: number; memoryMiB: number }): Demand => ({
    name,
    role,
    replicas,
    maxReplicas: replicas,
    cpu: s.cpu,
    memoryMiB: s.memoryMiB,
    tied: true,
  });
  const redisUses = settings.rtc.enabled ? 2 : 1;
  const watched = monitoring && settings.monitoring.prometheus === "install";
  return [
    ...p.pools.map((x) => app(`synapse-${x.class}`, x)),
    tied("postgres", "database", p.postgres.instances, p.postgres),
    app("postgres-pooler", p.postgres.pooler),
    // Sentinel (30 m measured, with its exec probes) and the exporter run beside each instance.
    // Never two of one quorum on a host.
    ...["redis-synapse", "redis-livekit"]
      .slice(0, redisUses)
      .map((name) =>
        tied(name, "application", p.redis.instances, { cpu: p.redis.cpu + 0.07, memoryMiB: p.redis.memoryMiB + 80 }),
      ),
    app("redis-proxy", p.redis.proxy, redisUses),
    ...(p.minio ? [tied("minio", "storage", p.minio.nodes, p.minio)] : []),
    app("router", p.router),
    ...(settings.cluster.install.ingressController ? [app("ingress", p.ingress)] : []),
    ...(settings.web.elementWeb.enabled ? [app("element-web", web.elementWeb)] : []),
    ...(settings.web.admin.enabled ? [app("admin", web.admin)] : []),
    app("well-known", web.wellKnown),
    ...(p.turn ? [tied("coturn", "call", p.turn.nodes, p.turn)] : []),
    ...(p.rtc ? [tied("livekit", "call", p.rtc.nodes, p.rtc), app("lk-jwt-service", p.rtc.jwt)] : []),
    ...(watched ? [app("prometheus", monitoring.prometheus), app("alertmanager", monitoring.alertmanager)] : []),
    ...(monitoring ? [app("exporters", monitoring.exporters, 2 + (settings.rtc.enabled ? 1 : 0))] : []),
    ...PLATFORM.filter((x) => x.when(settings)).map((x) => app(x.name, x)),
  ];
}
