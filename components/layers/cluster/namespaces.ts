/** The namespaces that this stack makes, and how strict Pod Security is in each. Pure. */
import { NAMESPACES, type Namespace } from "../../core/names";
import type { Settings } from "../../settings/types";

export type PodSecurity = "restricted" | "privileged";

/** Where `restricted` cannot be: with the reason. Everything else is restricted. */
export const PRIVILEGED: Partial<Record<Namespace, string>> = {
  [NAMESPACES.coturn]: "relays on the host's network: a UDP range of thousands of ports cannot be mapped one by one",
  [NAMESPACES.livekit]: "the SFU sends media from the host's network",
  [NAMESPACES.metallb]: "the speaker answers ARP and NDP on the host's interfaces (host network, NET_RAW)",
  [NAMESPACES.localPath]: "its helper pods make and remove directories on the host",
  [NAMESPACES.monitoring]: "the node exporter reads the host's /proc and /sys on the host's network",
};

export interface NamespacePlan {
  name: Namespace;
  level: PodSecurity;
}

export function namespacePlans(settings: Settings): NamespacePlan[] {
  const i = settings.cluster.install;
  const wanted: Array<[boolean, Namespace]> = [
    [true, NAMESPACES.matrix],
    [settings.objectStore.kind === "minio", NAMESPACES.minio],
    [settings.rtc.enabled, NAMESPACES.livekit],
    [settings.turn.enabled, NAMESPACES.coturn],
    [settings.monitoring.enabled || i.prometheusOperator, NAMESPACES.monitoring],
    [i.ingressController, NAMESPACES.ingress],
    [i.metallb, NAMESPACES.metallb],
    [i.certManager, NAMESPACES.certManager],
    [i.cloudNativePg || i.barmanPlugin, NAMESPACES.cnpg],
    [i.localPathProvisioner, NAMESPACES.localPath],
  ];
  return wanted
    .filter(([yes]) => yes)
    .map(([, name]) => ({ name, level: PRIVILEGED[name] ? "privileged" : "restricted" }));
}

/** Pod Security labels, following the cluster's own version of the standard. */
export function podSecurityLabels(level: PodSecurity): Record<string, string> {
  return Object.fromEntries(
    ["enforce", "audit", "warn"].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, level],
      [`pod-security.kubernetes.io/${mode}-version`, "latest"],
    ]),
  );
}
