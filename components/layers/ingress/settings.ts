/** Settings of the public entrance, and its sizes in `overrides`. Pure. */
import { address, bool, cidr, list, section } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

export const ingressSettings = {
  ingress: section(
    {
      addresses: list(address({ doc: "Address." }), {
        doc: "Addresses at which the public host names are served, from the pool for `ingress`. Each has controller pods of its own and is announced by another host, and DNS names all of them. Of each IP family of the cluster the same number.",
        example: ["203.0.113.10", "203.0.113.11"],
        defaultText:
          "the first of the pool: one for every 5,000 users, as far as addresses and application hosts suffice",
      }).optional(),
      trustedProxies: list(cidr({ doc: "Network." }), {
        doc: "Networks of load balancers and proxies in front of the ingress controller. Only they may name a client's address (in the PROXY protocol or in X-Forwarded-For), and they never count as a client of the admin UI. Without an entry, a client's address is that of its connection.",
        example: ["10.0.0.5/32"],
      }).default([]),
      hairpin: bool({
        doc: "Pods reach the public names by the addresses in DNS. False: at the entrance's own addresses, for an entrance with private addresses behind a router that leads no connection from inside to its public address back in (no NAT loopback). Otherwise group calls, certificates by ACME and logins at a provider on the same entrance fail there.",
      }).default(true),
      proxyProtocol: bool({
        doc: "The load balancers in front speak the PROXY protocol; connections without it are refused. Needs `trustedProxies`. Only for the controller that this stack installs.",
      }).default(false),
    },
    { doc: "The public entrance." },
  ).prefault({}),
};

export const ingressOverrides = {
  ingress: section(
    { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
    { doc: "Ingress controller. `replicas`: the pods of all addresses together, at least two for each." },
  ).prefault({}),
};
