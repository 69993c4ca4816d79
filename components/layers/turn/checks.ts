/** TURN: where it may relay to. */
import type { CheckInput } from "../../core/layer";
import { overlaps, parseAddresses } from "../../core/addresses";

/** TURN relays for anyone with an account: into the cluster it would be a way around every network policy. */
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
            allowed: `networks without the cluster's own (${network.what}: ${network.text}): any user could reach them through TURN`,
            remedy: "name only the networks in which callers are",
          },
          ["cluster.podCidrs", "cluster.serviceCidrs"],
        );
      }
    }
  });
}
