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
            "Clients know every node's address and try the others; calls that the lost node relayed break and have to be dialled again.",
          look: ["kubectl get pods -n coturn -o wide"],
          act: ["Bring the node back, or remove it from `hosts`."],
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
