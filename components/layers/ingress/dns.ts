/** DNS records of the public hosts. Pure. */
import type { DnsRecord, PlanInput } from "../../core/layer";
import { publicHosts } from "./hosts";

/** MetalLB chooses the address from the pools that the ingress may use; without MetalLB, the cluster's own balancer. */
export function ingressRecords({ settings }: PlanInput): DnsRecord[] {
  const pools = settings.addressPools.filter((pool) => pool.use.some((use) => use === "ingress" || use === "any"));
  const of = settings.cluster.install.metallb
    ? `the ingress: of ${pools.flatMap((pool) => pool.addresses).join(", ")}`
    : "the ingress: from the cluster's load balancer";
  return publicHosts(settings).map(({ host, paths }) => ({
    name: host,
    addresses: [],
    of,
    why: [...new Set(paths.map((path) => path.why))].join("; "),
  }));
}
