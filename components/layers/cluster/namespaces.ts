/** The namespaces that this stack makes, and the Pod Security level of each. Pure. */
import { NAMESPACES, type Namespace } from "../../core/names";
import { hasMinio } from "../../domain/mediaStore";
import type { Settings } from "../../settings/types";

/** Level of the Pod Security Standards. */
export type PodSecurity = "restricted" | "privileged";

/** Namespaces that cannot be `restricted`, with the reason. All others are. */
export const PRIVILEGED: Partial<Record<Namespace, string>> = {
  [NAMESPACES.coturn]: "relays on the host's network: a UDP range of thousands of ports cannot be mapped one by one",
  [NAMESPACES.livekit]: "the SFU sends media from the host's network",
  [NAMESPACES.metallb]: "the speaker answers ARP and NDP on the host's interfaces (host network, NET_RAW)",
  [NAMESPACES.localPath]: "its helper pods make and remove directories on the host",
  [NAMESPACES.monitoring]: "the node exporter reads the host's /proc and /sys on the host's network",
};

/** A namespace to make. */
export interface NamespacePlan {
  name: Namespace;
  level: PodSecurity;
}

const installsPrometheus = ({ monitoring }: Settings): boolean =>
  monitoring.enabled && monitoring.prometheus === "install";

/** The namespaces that this stack makes. Others exist, and get no labels and no policies from here. */
export function namespacePlans(settings: Settings): NamespacePlan[] {
  const i = settings.cluster.install;
  const wanted: Array<[boolean, Namespace]> = [
    [true, NAMESPACES.matrix],
    [hasMinio(settings), NAMESPACES.minio],
    [settings.rtc.enabled, NAMESPACES.livekit],
    [settings.turn.enabled, NAMESPACES.coturn],
    [installsPrometheus(settings) || i.prometheusOperator, NAMESPACES.monitoring],
    [i.ingressController, NAMESPACES.ingress],
    [i.metallb, NAMESPACES.metallb],
    [i.certManager, NAMESPACES.certManager],
    // The plugin has to run beside the operator. Beside one that exists, the namespace is not ours.
    [i.cloudNativePg, NAMESPACES.cnpg],
    [i.localPathProvisioner, NAMESPACES.localPath],
  ];
  return wanted
    .filter(([yes]) => yes)
    .map(([, name]) => ({ name, level: PRIVILEGED[name] ? "privileged" : "restricted" }));
}

/** Pod Security labels. Version `latest` is that of the cluster. */
export function podSecurityLabels(level: PodSecurity): Record<string, string> {
  return Object.fromEntries(
    ["enforce", "audit", "warn"].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, level],
      [`pod-security.kubernetes.io/${mode}-version`, "latest"],
    ]),
  );
}
