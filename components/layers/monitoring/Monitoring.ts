import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AUTHORITIES, AUTHORITIES_FILE } from "../../core/authorities";
import type { StackContext } from "../../core/context";
import type { Layer } from "../../core/layer";
import { imageVersion } from "../../core/images";
import { NAMESPACES, PORTS } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { budgetSpec, labels, selectorLabels, type ObjectMetadata } from "../../core/workload";
import type { ClusterFoundation } from "../cluster/ClusterFoundation";
import { isProxySecret } from "../cluster/reach/proxy";
import { certificateEndsMatter } from "../cluster/tls/publicTls";
import { certificateEnds } from "./certificateEnds";
import { dashboardJson } from "./dashboardJson";
import { grafana, kubeStateMetrics, nodeExporter } from "./exporters";
import { podMonitorSpec } from "./podMonitor";
import {
  ALERT_CONFIG_SECRET,
  ALERT_TOKEN_SECRET,
  ALERTMANAGER,
  alertmanagerConfig,
  alertmanagerLabels,
  alertmanagerSpec,
  monitorLabels,
  monitorNamespace,
  PROMETHEUS,
  PROMETHEUS_RULES,
  prometheusSpec,
} from "./prometheusSpec";
import { prometheusGroup } from "./runbook";
import { alertRules, dashboards, targets } from "./watched";
import { IMAGES } from "./images";
import { ALERTMANAGER_TOKEN } from "./secrets";

export interface MonitoringArgs {
  /** Settings, plan and provider; the plan must have `monitoring`. */
  ctx: StackContext;
  /** Generated secrets; needs those of `monitoring/secrets.ts`. */
  secrets: StackSecrets;
  /** All layers of the stack; they declare the monitors, rules and dashboards. */
  layers: readonly Layer[];
  /** Certificates whose end Prometheus is told. */
  ends: ClusterFoundation["tls"]["ends"];
}

const NAMESPACE = NAMESPACES.monitoring;
const API = "monitoring.coreos.com/v1";
const UNTIL_AVAILABLE = { "pulumi.com/waitFor": "condition=Available", "pulumi.com/timeoutSeconds": "600" };

interface CustomObject {
  kind: "PodMonitor" | "PrometheusRule" | "Prometheus" | "Alertmanager";
  name: string;
  /** Label app.kubernetes.io/component. */
  component: string;
  /** Version of the software that it runs. @default "1", for objects that run none */
  version?: string;
  spec: pulumi.Input<object>;
  annotations?: Record<string, string>;
  after?: pulumi.Resource[];
}

/**
 * Monitors, alert rules and dashboards and, where none runs already, Prometheus, Alertmanager and Grafana. Create it
 * only when `monitoring.enabled`, and after the operator, whose kinds it uses.
 *
 * @example new Monitoring("monitoring", { ctx, secrets, layers: LAYERS }, { parent: stack })
 */
export class Monitoring extends pulumi.ComponentResource {
  constructor(
    private readonly baseName: string,
    private readonly args: MonitoringArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("matrix-ha:monitoring:Monitoring", baseName, {}, opts);
    const { settings } = args.ctx;
    this.monitors();
    this.rules();
    const shown = settings.monitoring.grafanaDashboards ? this.dashboards() : [];
    if (settings.monitoring.prometheus === "install") {
      kubeStateMetrics(baseName, args.ctx, this);
      nodeExporter(baseName, args.ctx, this);
      this.alertmanager();
      this.prometheus();
      if (shown.length > 0 && settings.monitoring.grafana)
        grafana(
          baseName,
          { ...args, dashboards: shown, dashboardNames: dashboards(this.args.layers).map((d) => d.uid) },
          this,
        );
    }
    this.registerOutputs({});
  }

  /** Beginning of the names of what stands in `monitorNamespace`: an object elsewhere is another one. */
  private get named(): string {
    const namespace = monitorNamespace(this.args.ctx.settings);
    return namespace === NAMESPACE ? this.baseName : `${this.baseName}-${namespace}`;
  }

  /** An object of one of the operator's kinds. */
  private object({
    kind,
    name,
    component,
    version = "1",
    spec,
    annotations,
    after,
  }: CustomObject): k8s.apiextensions.CustomResource {
    const { settings } = this.args.ctx;
    return new k8s.apiextensions.CustomResource(
      `${this.named}-${kind.toLowerCase()}-${name}`,
      {
        apiVersion: API,
        kind,
        metadata: {
          name,
          namespace: monitorNamespace(settings),
          labels: { ...labels(settings, component, component, version), ...monitorLabels(settings) },
          ...(annotations ? { annotations } : {}),
        },
        spec,
      },
      { parent: this, dependsOn: after },
    );
  }

  private monitors(): void {
    const { ctx, layers } = this.args;
    for (const t of targets({ ...ctx, layers }))
      this.object({
        kind: "PodMonitor",
        name: t.name,
        component: `monitor-${t.name}`,
        spec: podMonitorSpec(t, ctx.settings),
      });
  }

  private rules(): void {
    for (const group of alertRules({ ...this.args.ctx, layers: this.args.layers })) {
      this.object({
        kind: "PrometheusRule",
        name: `matrix-ha-${group.name}`,
        component: `rules-${group.name}`,
        spec: { groups: [prometheusGroup(group)] },
      });
    }
    if (certificateEndsMatter(this.args.ctx.settings))
      this.object({
        kind: "PrometheusRule",
        name: "matrix-ha-certificate-ends",
        component: "rules-certificate-ends",
        spec: certificateEnds(this.args.ctx.settings, this.args.ends),
      });
  }

  private dashboards(): k8s.core.v1.ConfigMap[] {
    const { settings } = this.args.ctx;
    return dashboards(this.args.layers).map(
      (d) =>
        new k8s.core.v1.ConfigMap(
          `${this.named}-dashboard-${d.uid}`,
          {
            // Grafana's usual sidecar looks for this label.
            metadata: {
              name: d.uid,
              namespace: monitorNamespace(settings),
              labels: { ...labels(settings, "dashboards", "grafana-dashboard", "1"), grafana_dashboard: "1" },
            },
            data: { [`${d.uid}.json`]: JSON.stringify(dashboardJson(d), null, 1) },
          },
          { parent: this },
        ),
    );
  }

  private prometheus(): void {
    const { settings, plan } = this.args.ctx;
    const version = imageVersion(settings, IMAGES.prometheus);
    const meta = (n: string): ObjectMetadata => ({
      name: n,
      labels: labels(settings, PROMETHEUS, "prometheus", version),
    });
    const own = { parent: this };
    const account = new k8s.core.v1.ServiceAccount(
      `${this.baseName}-prometheus-account`,
      { metadata: { ...meta(PROMETHEUS), namespace: NAMESPACE }, automountServiceAccountToken: false },
      own,
    );
    const role = new k8s.rbac.v1.ClusterRole(
      `${this.baseName}-prometheus-role`,
      { metadata: meta("matrix-ha-prometheus"), rules: PROMETHEUS_RULES },
      own,
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
      `${this.baseName}-prometheus-binding`,
      {
        metadata: meta("matrix-ha-prometheus"),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "matrix-ha-prometheus" },
        subjects: [{ kind: "ServiceAccount", name: PROMETHEUS, namespace: NAMESPACE }],
      },
      { parent: this, dependsOn: [role] },
    );
    this.object({
      kind: "Prometheus",
      name: PROMETHEUS,
      component: PROMETHEUS,
      version,
      spec: prometheusSpec(settings, plan),
      annotations: UNTIL_AVAILABLE,
      after: [account, binding],
    });
    this.operatorPods(PROMETHEUS, "prometheus", PORTS.prometheus, version);
  }

  private alertmanager(): void {
    const { settings, plan } = this.args.ctx;
    const { secrets } = this.args;
    const version = imageVersion(settings, IMAGES.alertmanager);
    const meta = (n: string): ObjectMetadata => ({
      name: n,
      namespace: NAMESPACE,
      labels: alertmanagerLabels(settings),
    });
    const account = new k8s.core.v1.ServiceAccount(
      `${this.baseName}-alertmanager-account`,
      { metadata: meta(ALERTMANAGER), automountServiceAccountToken: false },
      { parent: this },
    );
    const text = JSON.stringify(alertmanagerConfig(settings));
    const config = new k8s.core.v1.Secret(
      `${this.baseName}-alertmanager-config`,
      {
        metadata: meta(ALERT_CONFIG_SECRET),
        stringData: { "alertmanager.yaml": isProxySecret(settings) ? pulumi.secret(text) : text },
      },
      { parent: this },
    );
    const token = settings.monitoring.alertWebhook
      ? [
          new k8s.core.v1.Secret(
            `${this.baseName}-alertmanager-token`,
            { metadata: meta(ALERT_TOKEN_SECRET), stringData: { token: secrets.of(ALERTMANAGER_TOKEN) } },
            { parent: this },
          ),
        ]
      : [];
    const authorities = settings.trustedAuthorities
      ? [
          new k8s.core.v1.ConfigMap(
            `${this.baseName}-authorities`,
            { metadata: meta(AUTHORITIES), data: { [AUTHORITIES_FILE]: settings.trustedAuthorities } },
            { parent: this },
          ),
        ]
      : [];
    this.object({
      kind: "Alertmanager",
      name: ALERTMANAGER,
      component: ALERTMANAGER,
      version,
      spec: alertmanagerSpec(settings, plan),
      annotations: UNTIL_AVAILABLE,
      after: [account, config, ...token, ...authorities],
    });
    this.operatorPods(ALERTMANAGER, "alertmanager", PORTS.alertmanager, version);
  }

  /** A Service with a fixed name, and a disruption budget, for pods that the operator makes. */
  private operatorPods(name: string, appName: string, port: number, version: string): void {
    const { settings } = this.args.ctx;
    const selector = {
      "app.kubernetes.io/component": selectorLabels(settings, name)["app.kubernetes.io/component"]!,
      "app.kubernetes.io/managed-by": "prometheus-operator",
    };
    const metadata = { name, namespace: NAMESPACE, labels: labels(settings, name, appName, version) };
    new k8s.core.v1.Service(
      `${this.baseName}-${name}-service`,
      {
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector,
          ipFamilyPolicy: "PreferDualStack",
          ports: [{ name: "http-web", port, targetPort: "web", protocol: "TCP", appProtocol: "http" }],
        },
      },
      { parent: this },
    );
    new k8s.policy.v1.PodDisruptionBudget(
      `${this.baseName}-${name}-budget`,
      {
        metadata,
        spec: budgetSpec(selector),
      },
      { parent: this },
    );
  }
}
