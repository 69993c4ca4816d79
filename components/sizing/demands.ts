/** The layers' demands for room on the hosts, and what each machine needs for itself. */
import { OPERATOR_REQUESTS } from "../domain/operatorRequests";
import type { HostRole } from "../domain/roles";

/** Equal pods that need room. */
export interface Demand {
  /** Name for people, in errors. @example "synapse-main" */
  name: string;
  /** Role of the hosts that may carry them. */
  role: HostRole;
  replicas: number;
  /** Most pods that an autoscaler makes of them; equals `replicas` where nothing scales. */
  maxReplicas: number;
  /** Requested cores of each pod. */
  cpu: number;
  /** Requested memory of each pod. */
  memoryMiB: number;
  /**
   * Each stays on its host, which has its data or its address: one on each of `replicas` hosts of the role.
   * @default false: any host of the role may carry them
   */
  tied?: boolean;
  /** Setting that the requests can be lowered with. @example "overrides.minio" */
  setting?: string;
}

/**
 * What kubelet, container runtime, network plugin, kube-proxy, sshd and kernel take from a host: cores, GiB, and a
 * share of both on top.
 */
export const SYSTEM_RESERVE = { cpu: 0.5, memoryGiB: 1, share: 0.05 } as const;
/**
 * What kube-apiserver, controller-manager, scheduler and etcd take from a host that they share with other roles: cores
 * and GiB, kubeadm's requests with some room.
 */
export const CONTROL_PLANE_RESERVE = { cpu: 0.65, memoryGiB: 1 } as const;
/** Requests of the pods that run on every host: MetalLB's speaker, the node exporter. */
export const DAEMONS = {
  cpu: OPERATOR_REQUESTS.metallbSpeaker.cpu + OPERATOR_REQUESTS.nodeExporter.cpu,
  memoryMiB: OPERATOR_REQUESTS.metallbSpeaker.memoryMiB + OPERATOR_REQUESTS.nodeExporter.memoryMiB,
} as const;

interface Pods {
  replicas: number;
  /** @default replicas */
  maxReplicas?: number;
  /** Requested cores of each. */
  cpu: number;
  memoryMiB: number;
}

/** Pods that any application host may carry. @param times Number of deployments of that size. @default 1 */
export const floating = (name: string, pods: Pods, times = 1): Demand => ({
  name,
  role: "application",
  replicas: pods.replicas * times,
  maxReplicas: (pods.maxReplicas ?? pods.replicas) * times,
  cpu: pods.cpu,
  memoryMiB: pods.memoryMiB,
});

/**
 * Pods that stay on their host: one on each of `pods.replicas` hosts of the role.
 *
 * @param setting Setting that their requests can be lowered with, for errors. @default none is named
 */
export const tied = (name: string, role: HostRole, pods: Pods, setting?: string): Demand => ({
  name,
  role,
  replicas: pods.replicas,
  maxReplicas: pods.replicas,
  cpu: pods.cpu,
  memoryMiB: pods.memoryMiB,
  tied: true,
  ...(setting === undefined ? {} : { setting }),
});
