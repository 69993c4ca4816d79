/** Resources of monitoring. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { hostsOf } from "../../sizing/hosts";
import type { PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";

export function monitoringDemands(settings: Settings, { monitoring }: PlanParts): Demand[] {
  if (!monitoring) return [];
  const installed = settings.monitoring.prometheus === "install";
  return [
    ...(installed
      ? [floating("prometheus", monitoring.prometheus), floating("alertmanager", monitoring.alertmanager)]
      : []),
    floating("exporters", monitoring.exporters, 2 + (settings.rtc.enabled ? 1 : 0)),
  ];
}

export function monitoringServices({ settings, plan: { monitoring } }: PlanInput): ServiceRow[] {
  if (!monitoring || settings.monitoring.prometheus !== "install") return [];
  const { replicas, cpu, memoryMiB, storageGiB } = monitoring.prometheus;
  return [
    {
      service: "Prometheus",
      instances: replicas,
      cpu,
      memoryMiB,
      what: `${storageGiB.toLocaleString("en-US")} GiB for ${settings.monitoring.retentionDays} days`,
    },
  ];
}

export function monitoringZoneLoss({ settings, plan: { monitoring } }: PlanInput, zone: LostZone): ZoneEffect[] {
  if (!monitoring || settings.monitoring.prometheus !== "install") return [];
  return equalReplicas(zone, {
    part: "monitoring",
    hosts: hostsOf(settings, "application"),
    replicas: monitoring.prometheus.replicas,
    effect: "none: the other Prometheus has the same data and raises the same alerts",
    seconds: 0,
    source: "each scrapes everything",
    stands: "nothing is measured, and no alert is raised",
    remedy: "Put application hosts into several zones",
  });
}

/** What nobody will be told. */
export function monitoringNotes({ settings: { monitoring } }: PlanInput): string[] {
  if (!monitoring.enabled) return ["Monitoring is off: nothing watches the stack, and no alert reaches anybody."];
  if (monitoring.prometheus !== "install") return [];
  return [
    ...(monitoring.alertWebhook
      ? []
      : [
          "Alerts reach nobody: they are only on Alertmanager's page. Set monitoring.alertWebhook to a receiver that somebody reads.",
        ]),
    ...(monitoring.heartbeatUrl
      ? []
      : [
          "Nobody is told when the whole site or its monitoring stops. Set monitoring.heartbeatUrl to a check of a service outside it.",
        ]),
  ];
}
