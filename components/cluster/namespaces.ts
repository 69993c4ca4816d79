/** The namespaces that this stack makes, and how strict Pod Security is in each. Pure. */
import { NAMESPACES, type Namespace } from "../names";
import type { Settings } from "../settings/types";

export type PodSecurity = "restricted" | "privileged";

/** Where `restricted` cannot be: with the reason. Everything else is restricted. */
export const PRIVILEGED: Partial<Record<Namespace, string>> = {
  [NAMESPACES.coturn]: "relays on the host's network: a UDP range of thousands of ports cannot be mapped one by one",
  [NAMESPACES.livekit]: "the SFU sends media from the host's network",
  [NAMESPACES.metallb]: "the speaker answers ARP and NDP on the host's interfaces (host network, NET_RAW)",
  [NAMESPACES.localPath]: "its helper pods make and remove directories on the host",
  [NAMESPACES.monitoring]: "the node exporter reads the host's /proc and /sys on the host's network",
};

export interface NamespacePlan { name: Namespace; level: PodSecurity; /** Volumes with data in it: never deleted with the stack. */ holdsData: boolean }

export function namespacePlans(settings: Settings): NamespacePlan[] {
  const i = settings.cluster.install;
  const wanted: Array<[boolean, Namespace, boolean]> = [
    [true, NAMESPACES.matrix, true],
    [settings.objectStore.kind === "minio", NAMESPACES.minio, true],
    [settings.rtc.enabled, NAMESPACES.livekit, true],
    [settings.turn.enabled, NAMESPACES.coturn, false],
    [settings.monitoring.enabled || i.prometheusOperator, NAMESPACES.monitoring, true],
    [i.ingressController, NAMESPACES.ingress, false],
    [i.metallb, NAMESPACES.metallb, false],
    [i.certManager, NAMESPACES.certManager, false],
    [i.cloudNativePg || i.barmanPlugin, NAMESPACES.cnpg, false],
    [i.localPathProvisioner, NAMESPACES.localPath, false],
  ];
  return wanted.filter(([yes]) => yes).map(([, name, holdsData]) => ({ name, level: PRIVILEGED[name] ? "privileged" : "restricted", holdsData }));
}

/** Pod Security labels, following the cluster's own version of the standard. */
export function podSecurityLabels(level: PodSecurity): Record<string, string> {
  return Object.fromEntries(["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, level], [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]));
}
