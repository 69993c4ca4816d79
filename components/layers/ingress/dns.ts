/** DNS records of the public hosts. Pure. */
import { isPrivateAddress } from "../../core/addresses";
import type { DnsRecord, PlanInput } from "../../core/layer";
import { publicHosts } from "./hosts";

/** The public addresses of the entrances, the first one's first; empty where the controller is not this stack's. */
export const ingressAddresses = ({ plan }: Pick<PlanInput, "plan">): string[] => plan.ingress.addresses.flat();

/**
 * A name has as many addresses as there are entrances: resolvers hand them out in turn, and that is what divides the
 * users among them.
 */
export function ingressRecords(input: PlanInput): DnsRecord[] {
  const addresses = ingressAddresses(input);
  const of = addresses.length > 0 ? "the entrances" : "every address of the ingress controller, known once it has them";
  return publicHosts(input.settings).map(({ host, paths }) => ({
    name: host,
    addresses,
    of,
    why: [...new Set(paths.map((path) => path.why))].join("; "),
  }));
}

/** Addresses of the entrances that the Internet cannot reach: something in front has the public ones. */
export const privateEntrances = (input: Pick<PlanInput, "plan">): string[] =>
  ingressAddresses(input).filter(isPrivateAddress);
