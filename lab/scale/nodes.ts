/** The Node objects that the kubelets of a plan's hosts would register. Pure. */
import { systemReserved } from "../../components/layers/hosts/reserved";
import type { HostSettings, Settings } from "../../components/settings/types";

/** What the kubelet keeps free of memory by default (evictionHard), beside what it reserves. */
const EVICTION_MIB = 100;
/** Of a root disk of the size that the plan asks for; the stack's pods request a few hundred MiB each. */
const ROOT_DISK_GIB = 93;
/** The kubelet's default. */
const PODS = 110;

/** A taint that kubeadm gives each control plane. */
const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

export interface NodeObject {
  apiVersion: "v1";
  kind: "Node";
  metadata: { name: string; labels: Record<string, string> };
  spec: { taints?: Array<{ key: string; effect: string; value?: string }> };
  status: {
    capacity: Record<string, string>;
    allocatable: Record<string, string>;
    addresses: Array<{ type: string; address: string }>;
  };
}

/** A host as its kubelet registers it: without the stack's labels and taints, which `up` adds. */
export function nodeOf(settings: Settings, host: HostSettings): NodeObject {
  const { milliCpu, memoryMiB } = systemReserved(settings, host);
  const own = host.roles.includes("control-plane");
  const rest = { pods: String(PODS), "ephemeral-storage": `${ROOT_DISK_GIB}Gi` };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: host.name,
      labels: {
        "kubernetes.io/hostname": host.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        ...(own ? { [CONTROL_PLANE]: "" } : {}),
      },
    },
    // kubeadm's taint stays only where a control plane does nothing else; with other roles operators remove it.
    spec: own && host.roles.length === 1 ? { taints: [{ key: CONTROL_PLANE, effect: "NoSchedule" }] } : {},
    status: {
      capacity: { ...rest, cpu: String(host.cpu), memory: `${Math.floor(host.memoryGiB * 1024)}Mi` },
      allocatable: {
        ...rest,
        cpu: `${host.cpu * 1000 - milliCpu}m`,
        memory: `${Math.floor(host.memoryGiB * 1024 - memoryMiB - EVICTION_MIB)}Mi`,
      },
      addresses: [
        { type: "InternalIP", address: host.address },
        { type: "Hostname", address: host.name },
      ],
    },
  };
}
