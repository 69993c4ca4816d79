/** Exporters and Grafana, whose pods the operator does not make. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { requestOf } from "../../domain/operatorRequests";
import { type StackContext, fqdn } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, PORTS } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { configHash, EVERY_NODE, httpProbes, labels, Workload, type ObjectMetadata } from "../../core/workload";
import { etcdIsWatched } from "../hosts/alerts";
import { METRICS_ROOT } from "../hosts/mounts";
import { IMAGES } from "./images";
import { GRAFANA_PASSWORD } from "./secrets";

const NAMESPACE = NAMESPACES.monitoring;
const READ = ["list", "watch"];

/** Kinds that the alert rules and dashboards need, by API group: for --resources and for the permissions. */
const KSM_RESOURCES: Record<string, string[]> = {
  "": ["nodes", "pods", "persistentvolumeclaims"],
  apps: ["daemonsets", "deployments", "statefulsets"],
  autoscaling: ["horizontalpodautoscalers"],
  policy: ["poddisruptionbudgets"],
  batch: ["jobs"],
};

export function kubeStateMetrics(name: string, ctx: StackContext, parent: pulumi.Resource): Workload {
  const { settings, plan } = ctx;
  const sized = plan.monitoring!.exporters;
  return new Workload(
    `${name}-kube-state-metrics`,
    {
      ctx,
      namespace: NAMESPACE,
      component: "kube-state-metrics",
      appName: "kube-state-metrics",
      version: imageVersion(settings, IMAGES.kubeStateMetrics),
      // Two replicas would report everything twice. Alerts on Synapse, databases and router do not need it.
      kind: "Deployment",
      replicas: 1,
      clusterRoleRules: Object.entries(KSM_RESOURCES).map(([group, resources]) => ({
        apiGroups: [group],
        resources,
        verbs: READ,
      })),
      pod: {
        uid: 10902,
        apiAccess: true,
        containers: [
          {
            name: "kube-state-metrics",
            image: imageRef(settings, IMAGES.kubeStateMetrics),
            args: [
              `--resources=${Object.values(KSM_RESOURCES).flat().sort().join(",")}`,
              `--port=${PORTS.kubeStateMetrics}`,
              "--telemetry-port=8081",
            ],
            ports: { metrics: { port: PORTS.kubeStateMetrics }, telemetry: { port: 8081 } },
            probes: {
              startup: { http: "/healthz", port: "metrics" },
              readiness: { http: "/readyz", port: "telemetry" },
              liveness: { http: "/livez", port: "metrics" },
            },
            resources: { cpu: sized.cpu, memoryMiB: Math.max(128, sized.memoryMiB) },
          },
        ],
      },
    },
    { parent },
  );
}

export function nodeExporter(name: string, ctx: StackContext, parent: pulumi.Resource): Workload {
  const { settings } = ctx;
  return new Workload(
    `${name}-node-exporter`,
    {
      ctx,
      namespace: NAMESPACE,
      component: "node-exporter",
      appName: "node-exporter",
      version: imageVersion(settings, IMAGES.nodeExporter),
      kind: "DaemonSet",
      pod: {
        uid: 10903,
        hostNetwork: true,
        role: null,
        tolerations: [EVERY_NODE],
        containers: [
          {
            name: "node-exporter",
            image: imageRef(settings, IMAGES.nodeExporter),
            args: [
              "--path.rootfs=/host",
              "--path.procfs=/host/proc",
              "--path.sysfs=/host/sys",
              `--web.listen-address=:${PORTS.nodeExporter}`,
              "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run|var/lib/(kubelet|containerd))($|/)",
              "--no-collector.wifi",
              ...(etcdIsWatched(settings) ? [`--collector.textfile.directory=/host${METRICS_ROOT}`] : []),
            ],
            ports: { metrics: { port: PORTS.nodeExporter } },
            probes: httpProbes("/", "metrics"),
            resources: requestOf("nodeExporter"),
            mounts: [{ volume: "host", path: "/host", readOnly: true }],
          },
        ],
        volumes: [{ name: "host", hostPath: "/" }],
      },
    },
    { parent },
  );
}

export interface GrafanaArgs {
  /** Settings, plan and provider; the plan must have `monitoring`. */
  ctx: StackContext;
  /** Generated secrets; needs GRAFANA_PASSWORD. */
  secrets: StackSecrets;
  /** ConfigMaps of the dashboards; Grafana starts after them. */
  dashboards: k8s.core.v1.ConfigMap[];
  /** Names of these ConfigMaps. */
  dashboardNames: string[];
}

/** Grafana without state: data sources and dashboards come from ConfigMaps, and its only user is the administrator. */
export function grafana(
  name: string,
  { ctx, secrets, dashboards, dashboardNames }: GrafanaArgs,
  parent: pulumi.Resource,
): Workload {
  const { settings, plan } = ctx;
  const version = imageVersion(settings, IMAGES.grafana);
  const meta = (n: string): ObjectMetadata => ({
    name: n,
    namespace: NAMESPACE,
    labels: labels(settings, "grafana", "grafana", version),
  });
  const provisioning = {
    "datasource.yaml": JSON.stringify({
      apiVersion: 1,
      datasources: [
        {
          name: "Prometheus",
          uid: "prometheus",
          type: "prometheus",
          access: "proxy",
          isDefault: true,
          url: `http://${fqdn(ctx, "prometheus", NAMESPACE)}:${PORTS.prometheus}`,
        },
      ],
    }),
    "dashboards.yaml": JSON.stringify({
      apiVersion: 1,
      providers: [{ name: "matrix-ha", type: "file", allowUiUpdates: false, options: { path: "/dashboards" } }],
    }),
  };
  const files = new k8s.core.v1.ConfigMap(
    `${name}-grafana-provisioning`,
    { metadata: meta("grafana-provisioning"), data: provisioning },
    { parent },
  );
  const admin = new k8s.core.v1.Secret(
    `${name}-grafana-admin`,
    { metadata: meta("grafana-admin"), stringData: { password: secrets.of(GRAFANA_PASSWORD) } },
    { parent },
  );
  return new Workload(
    `${name}-grafana`,
    {
      ctx,
      namespace: NAMESPACE,
      component: "grafana",
      appName: "grafana",
      version,
      kind: "Deployment",
      replicas: 1,
      after: [files, admin, ...dashboards],
      configHash: configHash({
        ...provisioning,
        password: secrets.of(GRAFANA_PASSWORD),
        dashboards: dashboardNames.join(),
      }),
      services: [{ name: "grafana", ports: { http: PORTS.grafana } }],
      pod: {
        uid: 10904,
        containers: [
          {
            name: "grafana",
            image: imageRef(settings, IMAGES.grafana),
            env: {
              GF_SECURITY_ADMIN_PASSWORD__FILE: "/secrets/password",
              GF_PATHS_DATA: "/data",
              GF_PATHS_LOGS: "/data/log",
              GF_PATHS_PLUGINS: "/data/plugins",
              GF_PATHS_PROVISIONING: "/provisioning",
              GF_ANALYTICS_REPORTING_ENABLED: "false",
              GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
              GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
              GF_PLUGINS_PREINSTALL_DISABLED: "true",
              GF_USERS_ALLOW_SIGN_UP: "false",
              GF_LOG_MODE: "console",
            },
            ports: { http: { port: PORTS.grafana } },
            probes: httpProbes("/api/health", "http"),
            resources: {
              cpu: plan.monitoring!.exporters.cpu,
              memoryMiB: Math.max(256, plan.monitoring!.exporters.memoryMiB),
            },
            mounts: [
              { volume: "data", path: "/data" },
              { volume: "tmp", path: "/tmp" },
              { volume: "admin", path: "/secrets", readOnly: true },
              { volume: "provisioning", path: "/provisioning/datasources", subPath: "datasource", readOnly: true },
              { volume: "provisioning", path: "/provisioning/dashboards", subPath: "dashboards", readOnly: true },
              { volume: "dashboards", path: "/dashboards", readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: "data", emptyDir: { sizeMiB: 512 } },
          { name: "tmp", emptyDir: { sizeMiB: 64 } },
          { name: "admin", secret: "grafana-admin" },
          {
            name: "provisioning",
            configMap: "grafana-provisioning",
            items: { "datasource.yaml": "datasource/datasource.yaml", "dashboards.yaml": "dashboards/dashboards.yaml" },
          },
          { name: "dashboards", projected: dashboardNames.map((configMap) => ({ configMap })), mode: 0o444 },
        ],
      },
    },
    { parent },
  );
}
