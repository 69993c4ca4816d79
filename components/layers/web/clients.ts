/** Whose address may be taken for a client's. Pure. */
import { contains, parseAddresses } from "../../core/addresses";
import { hostNetworks } from "../../domain/ownNetworks";
import type { Settings } from "../../settings/types";

type Needs = Pick<Settings, "cluster" | "hosts" | "ingress">;

/**
 * Networks from which an ingress controller reaches the pods: it is a pod, or uses a host's network, and on the way to
 * another node its address may become that node's.
 */
export const controllerNetworks = (settings: Pick<Settings, "cluster" | "hosts">): string[] => [
  ...new Set([...settings.cluster.podCidrs, ...hostNetworks(settings)]),
];

/** Networks of machines that only pass requests on: whoever sits behind them, their address is not a client's. */
export const neverClients = (settings: Needs): string[] => [
  ...new Set([...controllerNetworks(settings), ...settings.ingress.trustedProxies]),
];

/** The network of `neverClients` that contains a whole network; undefined when there is none. */
export function neverClient(settings: Needs, cidr: string): string | undefined {
  const inner = parseAddresses(cidr);
  return neverClients(settings).find((outer) => {
    const network = parseAddresses(outer);
    return inner !== undefined && network !== undefined && contains(network, inner);
  });
}
