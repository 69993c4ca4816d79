/** Alert rules of TURN. Pure. */
import type { PlanInput } from "../../core/layer";
import type { RuleGroup } from "../../core/monitoring";
import { SERVICES } from "../../core/names";

export function turnAlerts({ plan }: PlanInput): RuleGroup[] {
  if (!plan.turn) return [];
  return [
    {
      name: "calls",
      title: "Calls",
      rules: [
        {
          alert: "TurnNodeDown",
          severity: "warning",
          for: "3m",
          expr: `kube_daemonset_status_number_unavailable{namespace="coturn", daemonset="${SERVICES.coturn}"} > 0`,
          summary: "coturn is unavailable on {{ $value }} nodes",
          meaning:
            "Calls that the lost node relayed break and have to be dialled again. Its address is still among those of `hostnames.turn`: clients that resolve it try the other transports, which may lead to other nodes.",
          look: ["kubectl get pods -n coturn -o wide"],
          act: [
            "Bring the node back, or take its address out of the DNS records of `hostnames.turn`, and out of `hosts`.",
          ],
        },
        {
          alert: "TurnDown",
          severity: "critical",
          for: "1m",
          expr: `kube_daemonset_status_number_available{namespace="coturn", daemonset="${SERVICES.coturn}"} == 0`,
          summary: "No TURN server is available",
          meaning: "Calls work only between clients that can reach each other directly.",
          look: ["kubectl describe daemonset -n coturn coturn"],
          act: ["If all fail at once, the configuration is the likely cause: the log names the line."],
        },
      ],
    },
  ];
}
