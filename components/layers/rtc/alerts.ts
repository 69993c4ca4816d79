/** Alert rules of group calls. Pure. */
import type { PlanInput } from "../../core/layer";
import { countOrZero, type RuleGroup } from "../../core/monitoring";
import { SERVICES } from "../../core/names";

export function rtcAlerts({ settings, plan }: PlanInput): RuleGroup[] {
  if (!plan.rtc) return [];
  return [
    {
      name: "calls",
      title: "Calls",
      rules: [
        {
          alert: "SfuNodeDown",
          severity: "warning" as const,
          for: "3m",
          expr: `${countOrZero('up{layer="livekit"} == 1')} < ${plan.rtc.nodes}`,
          summary: `{{ $value }} of ${plan.rtc.nodes} SFU nodes answer`,
          meaning: "Calls of the lost node are set up again on another one; capacity is reduced.",
          look: ["kubectl get pods -n livekit -o wide"],
          act: ["Bring the node back."],
        },
        {
          alert: "SfuDown",
          severity: "critical" as const,
          for: "1m",
          expr: 'absent(up{layer="livekit"} == 1)',
          summary: "No SFU answers: no group calls",
          meaning: "No LiveKit process can be scraped.",
          look: [
            "kubectl logs -n livekit -l app.kubernetes.io/component=livekit --since=10m",
            "RedisNoMaster for redis-livekit",
          ],
          act: ["LiveKit needs its Redis to start a room: look there first."],
        },
        ...(settings.rtc.jwtService
          ? [
              {
                alert: "CallTokensUnavailable",
                severity: "critical" as const,
                for: "1m",
                expr: `kube_deployment_status_replicas_available{namespace="livekit", deployment="${SERVICES.jwt}"} == 0`,
                summary: "Users cannot join calls: lk-jwt-service is unavailable",
                meaning: "This service exchanges a Matrix identity for a token of the SFU.",
                look: ["kubectl logs -n livekit -l app.kubernetes.io/component=lk-jwt-service --since=10m"],
                act: ["Make sure that it can reach the homeserver's public name from inside the cluster."],
              },
            ]
          : []),
        {
          alert: "SfuNodeLoad",
          severity: "warning" as const,
          for: "10m",
          expr: 'rate(process_cpu_seconds_total{layer="livekit"}[5m]) > 0.8 * ' + String(Math.max(1, plan.rtc.cpu)),
          summary: "SFU {{ $labels.instance }} uses {{ $value | humanize }} cores",
          meaning: "The quality of media suffers before the machine is fully loaded.",
          look: ["livekit_participant_total by instance"],
          act: ["Add a call node to `hosts`, or raise `ccu`."],
        },
      ],
    },
  ];
}
