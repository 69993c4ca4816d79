/** Settings of monitoring. Pure. */
import { z } from "zod";
import { bool, field, int, objectName, oneOf, section, text } from "../../schema/fields";
import { cpu, memoryMiB, replicas, storageGiB } from "../../schema/sizes";
import { isS3Endpoint, LABEL_VALUE } from "../../schema/syntax/text";

const kubernetesLabels = (doc: string) =>
  field(
    z.record(
      z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/),
      z.string().refine((v) => v === "" || LABEL_VALUE.test(v)),
    ),
    { doc, allowed: "Kubernetes labels", example: {} },
  );

export const monitoringSettings = {
  monitoring: section(
    {
      enabled: bool({ doc: "Monitors, alert rules and dashboards." }).default(true),
      prometheus: oneOf(["install", "existing"], {
        doc: "`install`: install the operator, Prometheus and Alertmanager. `existing`: only monitors and rules, for an operator that already runs.",
      }).default("install"),
      existing: section(
        {
          namespace: objectName("Namespace of its pods.").default("monitoring"),
          labels: kubernetesLabels(
            "Labels of its pods; network policies admit pods with all of these to the metrics. The default is what the operator sets on every Prometheus.",
          ).default({
            "app.kubernetes.io/name": "prometheus",
          }),
        },
        {
          doc: "The Prometheus that exists. Used only if `prometheus` is `existing`. Monitors, rules and dashboards are then made in namespace `matrix`; its selectors must find them there.",
        },
      ).prefault({}),
      retentionDays: int(1, 3650, { doc: "Days for which Prometheus keeps metrics." }).default(15),
      selectorLabels: kubernetesLabels("Labels by which an existing Prometheus selects monitors and rules.").default(
        {},
      ),
      alertWebhook: text(
        {
          doc: "URL to which Alertmanager posts alerts, in its webhook format. It sends a bearer token that the stack generates: Secret `alertmanager-token` in namespace monitoring. Absent: alerts are only stored and shown.",
          allowed: "an https:// URL, or http:// to a private address",
          remedy: "give the complete URL of the receiver",
        },
        isS3Endpoint,
        "https://alerts.example.com/hook",
      ).optional(),
      heartbeatUrl: text(
        {
          doc: "URL to which Alertmanager posts every minute for as long as alerting works: of a service outside this site that notifies you when the posts stop (a dead man's switch). Whoever knows it can feign them. Absent: nobody is told when the whole site or its monitoring stops.",
          allowed: "an https:// URL, or http:// to a private address",
          remedy: "give the complete URL of the check, as the service shows it",
        },
        isS3Endpoint,
        "https://heartbeat.example.com/ping/matrix",
      ).optional(),
      grafanaDashboards: bool({ doc: "Create dashboards, as ConfigMaps that Grafana's sidecar reads." }).default(true),
      grafana: bool({
        doc: "Run Grafana with these dashboards, if Prometheus is installed here. `false`: only the ConfigMaps, for an existing Grafana.",
      }).default(true),
      // At most 60: two scrapes have to fit into the shortest window of a rule (2 min), and into the shortest `for` of
      // a critical alert that needs two.
      scrapeIntervalSeconds: int(10, 60, {
        doc: "Seconds between two scrapes of each target. Alerts about a lost master or primary are delayed by as much. Half the interval doubles the storage and the CPU time of all scrapes.",
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
