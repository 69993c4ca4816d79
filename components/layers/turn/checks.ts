/** Checks of the networks that TURN may relay to. */
import type { CheckInput } from "../../core/layer";
import { overlaps, parseAddresses } from "../../core/addresses";

/** TURN relays for every account. If it relayed into the cluster, it would bypass every network policy. */
export function checkRelay({ settings, report }: CheckInput): void {
  const inside = [
    ...settings.cluster.podCidrs.map((text) => ({ text, what: "pods" })),
    ...settings.cluster.serviceCidrs.map((text) => ({ text, what: "Services" })),
  ];
  settings.turn.allowedPrivateCidrs.forEach((text, i) => {
    const a = parseAddresses(text);
    for (const network of inside) {
      const b = parseAddresses(network.text);
      if (a && b && overlaps(a, b)) {
        report.add(
          {
            path: `turn.allowedPrivateCidrs[${i}]`,
            given: text,
            allowed: `networks outside the cluster's own (${network.what}: ${network.text}), which any user could otherwise reach through TURN`,
            remedy: "list only the networks of callers",
          },
          ["cluster.podCidrs", "cluster.serviceCidrs"],
        );
      }
    }
  });
}
