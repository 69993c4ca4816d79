/** The DNS records that a stack needs: every public host name, with all addresses that serve it. Pure. */
import { familyOf, isPrivateAddress } from "../../core/addresses";
import type { PlanInput } from "../../core/layer";
import { advertised, callHosts } from "../../domain/callHosts";
import { turnHasTls } from "../../domain/calls";
import { publicHosts } from "./hosts";

/** A record, as it is written into a zone. */
export interface DnsRecord {
  /** Without a dot at the end. */
  name: string;
  type: "A" | "AAAA";
  address: string;
}

const record = (name: string, address: string): DnsRecord => ({
  name,
  type: familyOf(address) === "IPv6" ? "AAAA" : "A",
  address,
});

/** The public addresses of the entrances, the first one's first; empty where the controller is not this stack's. */
export const ingressAddresses = ({ plan }: Pick<PlanInput, "plan">): string[] => plan.ingress.addresses.flat();

/**
 * A record for each name and address. A name has as many as there are entrances: resolvers hand them out in turn, and
 * that is what divides the users among them.
 */
export function dnsRecords(input: PlanInput): DnsRecord[] {
  const { settings } = input;
  const entrances = ingressAddresses(input);
  return [
    ...publicHosts(settings).flatMap(({ host }) => entrances.map((address) => record(host, address))),
    ...(settings.turn.enabled && turnHasTls(settings)
      ? callHosts(settings).map((h) => record(settings.hostnames.turn, advertised(h)))
      : []),
  ];
}

/** Addresses of the entrances that the Internet cannot reach: something in front has the public ones. */
export const privateEntrances = (input: Pick<PlanInput, "plan">): string[] =>
  ingressAddresses(input).filter(isPrivateAddress);
