/** Checks of the public entrance: its addresses, and the proxies in front of it. */
import { contains, familyOf, isWholeInternet, parseAddresses } from "../../core/addresses";
import type { CheckInput } from "../../core/layer";
import { ingressPool } from "../../sizing/door";

export function checkIngress(given: CheckInput): void {
  checkAddresses(given);
  checkProxies(given);
}

function checkAddresses({ settings, report }: CheckInput): void {
  const { addresses } = settings.ingress;
  if (!addresses) return;
  const path = "ingress.addresses";
  const pool = ingressPool(settings.addressPools);
  const blocks = (pool?.addresses ?? []).flatMap((text) => parseAddresses(text) ?? []);
  addresses.forEach((text, i) => {
    const one = parseAddresses(text);
    if (one && !blocks.some((block) => contains(block, one)))
      report.add(
        {
          path: `${path}[${i}]`,
          given: text,
          allowed: `an address of pool ${pool?.name ?? "(none)"}: ${pool?.addresses.join(", ") ?? ""}`,
          remedy: "add it to that pool, or leave ingress.addresses out to take the pool's first addresses",
        },
        ["addressPools"],
      );
    if (addresses.findIndex((other) => other === text) < i)
      report.add({
        path: `${path}[${i}]`,
        given: `${text}, which is in the list already`,
        allowed: "each address once",
        remedy: "remove one of the two",
      });
  });
  const families = settings.cluster.ipFamilies.map((family) => ({
    family,
    count: addresses.filter((a) => familyOf(a) === family).length,
  }));
  const foreign = addresses.find((a) => !settings.cluster.ipFamilies.includes(familyOf(a)));
  if (foreign !== undefined || addresses.length === 0 || new Set(families.map((f) => f.count)).size > 1)
    report.add(
      {
        path,
        given: addresses.join(", ") || "an empty list",
        allowed: `addresses of ${settings.cluster.ipFamilies.join(" and ")}, of each the same number: a Service has one of each family`,
        remedy: "complete the list, or leave it out to take the pool's first addresses",
      },
      ["cluster.ipFamilies"],
    );
}

function checkProxies({ settings, report }: CheckInput): void {
  const { trustedProxies, proxyProtocol } = settings.ingress;
  trustedProxies.forEach((text, i) => {
    if (!isWholeInternet(text)) return;
    report.add({
      path: `ingress.trustedProxies[${i}]`,
      given: text,
      allowed: "the networks of the machines in front, not the whole Internet: anyone could claim any address",
      remedy: "list the addresses from which the load balancers connect",
    });
  });
  if (!proxyProtocol) return;
  if (trustedProxies.length === 0)
    report.add({
      path: "ingress.proxyProtocol",
      given: "true, without ingress.trustedProxies",
      allowed: "true together with the networks of the load balancers",
      remedy: "list in ingress.trustedProxies the addresses from which they connect",
    });
  if (!settings.cluster.install.ingressController)
    report.add(
      {
        path: "ingress.proxyProtocol",
        given: "true, although the cluster has an ingress controller of its own",
        allowed: "true only where this stack installs the controller",
        remedy: "set the PROXY protocol in the configuration of that controller, and leave proxyProtocol out",
      },
      ["cluster.install.ingressController"],
    );
}
