/** What asks for room on the hosts, in the words in which the layers say it; and what the machines themselves take. */
import { OPERATOR_REQUESTS } from "../domain/operatorRequests";
import type { HostRole } from "../domain/roles";

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

interface Pods {
  replicas: number;
  maxReplicas?: number;
  cpu: number;
  memoryMiB: number;
}

/** Pods that any application host may carry. @param times Deployments of that size. */
export const floating = (name: string, pods: Pods, times = 1): Demand => ({
  name,
  role: "application",
  replicas: pods.replicas * times,
  maxReplicas: (pods.maxReplicas ?? pods.replicas) * times,
  cpu: pods.cpu,
  memoryMiB: pods.memoryMiB,
});

/** Pods that stay on their host for good, one on each of so many hosts of a role. */
export const tied = (name: string, role: HostRole, pods: Pods): Demand => ({
  name,
  role,
  replicas: pods.replicas,
  maxReplicas: pods.replicas,
  cpu: pods.cpu,
  memoryMiB: pods.memoryMiB,
  tied: true,
});
