/** What may be written about monitoring. Pure. */
import { z } from "zod";
import { bool, field, int, oneOf, section, text } from "../../schema/fields";
import { cpu, memoryMiB, replicas, storageGiB } from "../../schema/sizes";
import { isS3Endpoint, LABEL_VALUE } from "../../schema/syntax/text";

export const monitoringSettings = {
  monitoring: section(
    {
      enabled: bool({ doc: "Monitors, alert rules and dashboards." }).default(true),
      prometheus: oneOf(["install", "existing"], {
        doc: "`install`: operator, Prometheus and Alertmanager here. `existing`: only monitors and rules, for an operator that runs already.",
      }).default("install"),
      retentionDays: int(1, 3650, { doc: "Metrics are kept so many days." }).default(15),
      selectorLabels: field(
        z.record(
          z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/),
          z.string().refine((v) => v === "" || LABEL_VALUE.test(v)),
        ),
        {
          doc: "Labels by which an existing Prometheus selects monitors and rules.",
          allowed: "Kubernetes labels",
          example: {},
        },
      ).default({}),
      alertWebhook: text(
        {
          doc: "Where Alertmanager posts alerts (its webhook format). It sends a bearer token, which the stack makes: Secret `alertmanager-token` in the namespace monitoring. Absent: alerts are only kept and shown.",
          allowed: "an https:// URL, or http:// to a private address",
          remedy: "give the receiver's whole URL",
        },
        isS3Endpoint,
        "https://alerts.example.com/hook",
      ).optional(),
      grafanaDashboards: bool({ doc: "Make dashboards, as ConfigMaps that Grafana's sidecar reads." }).default(true),
      grafana: bool({
        doc: "Run Grafana with these dashboards, where Prometheus is installed. `false`: they are only ConfigMaps, for a Grafana that runs elsewhere.",
      }).default(true),
      // At least two scrapes within the shortest window of a rule (2 min) and within the shortest wait of a critical
      // alert that asks for two.
      scrapeIntervalSeconds: int(10, 60, {
        doc: "Seconds between two scrapes of each target. Alerts on a lost master or primary come later by as much; halving it doubles storage and the processor time of all scrapes.",
      }).default(15),
    },
    { doc: "Monitoring." },
  ).prefault({}),
};

export const monitoringOverrides = {
  monitoring: section(
    {
      replicas: replicas(2),
      cpu: cpu(),
      memoryMiB: memoryMiB(256),
      storageGiB: storageGiB("Volume of each Prometheus, GiB."),
    },
    { doc: "Prometheus." },
  ).prefault({}),
};
