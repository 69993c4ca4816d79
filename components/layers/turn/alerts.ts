/** What is alerted on of TURN. Pure. */
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
          summary: "coturn is away on {{ $value }} nodes",
          meaning:
            "Clients know every node's address and try the others; calls relayed by the lost one break and are dialled again.",
          look: ["kubectl get pods -n coturn -o wide"],
          act: ["Bring the node back, or take it out of `hosts`."],
        },
        {
          alert: "TurnDown",
          severity: "critical",
          for: "1m",
          expr: `kube_daemonset_status_number_available{namespace="coturn", daemonset="${SERVICES.coturn}"} == 0`,
          summary: "No TURN server is available",
          meaning: "Calls work only between clients that reach each other directly.",
          look: ["kubectl describe daemonset -n coturn coturn"],
          act: ["All at once is configuration: the log names the line."],
        },
      ],
    },
  ];
}
