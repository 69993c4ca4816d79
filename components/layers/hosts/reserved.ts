/** What a host's kubelet keeps from the pods: as much as the plan does not give them. Pure. */
import { DISTRIBUTION_FACTS } from "../../domain/distributions";
import type { HostSettings, Settings } from "../../settings/types";
import { CONTROL_PLANE_RESERVE, SYSTEM_RESERVE } from "../../sizing/demands";

/**
 * The kubelet keeps this much more, for its own threshold of eviction (evictionHard, memory.available: its default). So
 * the pods never get less than the plan says.
 */
const EVICTION_MIB = 100;

/** `systemReserved` of a host's kubelet. */
export function systemReserved(settings: Settings, host: HostSettings): { milliCpu: number; memoryMiB: number } {
  // A control plane in static pods requests its own part; one inside the service of the kubelet (k3s) does not.
  const inside =
    host.roles.includes("control-plane") && settings.cluster.distribution === "k3s"
      ? CONTROL_PLANE_RESERVE
      : { cpu: 0, memoryGiB: 0 };
  const { cpu, memoryGiB, share } = SYSTEM_RESERVE;
  return {
    milliCpu: Math.floor((host.cpu * share + cpu + inside.cpu) * 1000),
    memoryMiB: Math.floor((host.memoryGiB * share + memoryGiB + inside.memoryGiB) * 1024) - EVICTION_MIB,
  };
}

/** Whether this stack tells the kubelets, or knows how the operator does. Of other clusters it knows neither. */
export const knowsKubelets = ({ cluster }: Settings): boolean => cluster.distribution !== "other";

/** Whether a host is watched for snapshots of etcd. */
export const watchesEtcd = (settings: Settings, host: HostSettings): boolean =>
  settings.prepareHosts &&
  host.roles.includes("control-plane") &&
  DISTRIBUTION_FACTS[settings.cluster.distribution].etcd !== undefined;
