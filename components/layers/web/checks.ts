/** Checks of the networks with access to the admin UI. */
import type { CheckInput } from "../../core/layer";
import { isPrivateAddress, isWholeInternet } from "../../core/addresses";
import { ingressPool } from "../../sizing/door";
import { neverClient } from "./clients";
import { PRIVATE_NETWORKS } from "./settings";

export function checkAdmin({ input, settings, report }: CheckInput): void {
  const { admin } = settings.web;
  if (!admin.enabled) return;
  if (admin.allowCidrs.length === 0) {
    report.add({
      path: "web.admin.allowCidrs",
      given: "an empty list",
      allowed: "at least one network",
      remedy: "list the networks of the administrators, or set web.admin.enabled: false",
    });
  }
  checkPrivateEntrance({ settings, report });
  admin.allowCidrs.forEach((text, i) => {
    // Proxies of the whole Internet are an error of their own.
    const proxies = settings.ingress.trustedProxies.some(isWholeInternet) ? undefined : neverClient(settings, text);
    if (proxies !== undefined)
      report.add(
        {
          path: `web.admin.allowCidrs[${i}]`,
          given: `${text}, which is part of ${proxies}`,
          allowed: "networks of administrators: hosts, pods and ingress.trustedProxies only pass requests on",
          remedy: "list the addresses of the administrators' own machines",
        },
        ["cluster.podCidrs", "hosts", "ingress.trustedProxies"],
      );
    if (!isWholeInternet(text) || input.web.admin.allowPublic) return;
    report.add({
      path: `web.admin.allowCidrs[${i}]`,
      given: text,
      allowed: "the administrators' networks, not the whole Internet: the admin UI can read and delete every account",
      remedy: "list office or VPN networks, or set web.admin.allowPublic: true if the UI must be public",
    });
  });
}

/**
 * Something stands between an entrance with private addresses and the Internet. If it translates the addresses of
 * clients and is not named, all of them come from a private network, which the default admits.
 */
function checkPrivateEntrance({ settings, report }: Pick<CheckInput, "settings" | "report">): void {
  const { allowCidrs } = settings.web.admin;
  if (settings.ingress.trustedProxies.length > 0 || PRIVATE_NETWORKS.some((n) => !allowCidrs.includes(n))) return;
  const first = ingressPool(settings.addressPools)?.addresses[0]?.split(/[-/]/)[0];
  if (first === undefined || !isPrivateAddress(first)) return;
  report.add(
    {
      path: "web.admin.allowCidrs",
      given: `all private networks, although the entrance itself has private addresses (${first})`,
      allowed:
        "the administrators' networks: a router or load balancer in front may give every client of the Internet its own private address",
      remedy:
        "list the administrators' networks without that machine; if it is a load balancer, name it in ingress.trustedProxies",
    },
    ["addressPools", "ingress.trustedProxies"],
  );
}
