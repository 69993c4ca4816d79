/** The operator's Prometheus and Alertmanager objects, and Alertmanager's own configuration. Pure. */
import { AUTHORITIES, goTrusts } from "../../core/authorities";
import { imageRef, imageVersion, type Image } from "../../core/images";
import { NAMESPACES } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { gibi } from "../../core/workload/quantities";
import { hardenedPod } from "../../core/workload/hardening";
import { digest } from "../../core/workload/digest";
import { CONFIG_HASH, labels, PART_OF } from "../../core/workload/metadata";
import { neverTwoOnANode, onNodes } from "../../core/workload/placement";
import { diskOf, OPERATORS_VOLUMES, pullSecrets, renderResources } from "../../core/workload/pod";
import { aliased } from "../cluster/reach/hostAliases";
import { noProxy, proxyUrl } from "../cluster/reach/proxy";
import { IMAGES } from "./images";

/** Name of the Prometheus object and component label of its pods. */
export const PROMETHEUS = "prometheus";
/** Name of the Alertmanager object and component label of its pods. */
export const ALERTMANAGER = "alertmanager";
export const ALERT_CONFIG_SECRET = "alertmanager-config";
export const ALERT_TOKEN_SECRET = "alertmanager-token";
const UID = 10901;
const TRUSTED = `/etc/alertmanager/configmaps/${AUTHORITIES}`;

/** Namespace of monitors, rules and dashboards. That of an existing Prometheus is not ours to write into. */
export const monitorNamespace = ({ monitoring }: Settings): string =>
  monitoring.prometheus === "install" ? NAMESPACES.monitoring : NAMESPACES.matrix;

/** Labels by which Prometheus finds this stack's monitors and rules; an existing one may require more of them. */
export const monitorLabels = (settings: Settings): Record<string, string> => ({
  "app.kubernetes.io/part-of": PART_OF,
  ...settings.monitoring.selectorLabels,
});

function common(
  settings: Settings,
  component: string,
  image: Image,
  sized: { cpu: number; memoryMiB: number },
): { podMetadata: object } & Record<string, unknown> {
  const version = imageVersion(settings, image);
  // The operator hardens the containers itself. fsGroupChangePolicy is left out: all files in the volumes belong to
  // this user anyway, and adding it would restart the pods.
  const { fsGroupChangePolicy: _unsaid, ...securityContext } = hardenedPod(UID);
  return {
    image: imageRef(settings, image),
    version: version.replace(/^v/, ""),
    imagePullPolicy: "IfNotPresent",
    ...pullSecrets(settings),
    podMetadata: { labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/part-of": PART_OF } },
    resources: renderResources(sized, diskOf(OPERATORS_VOLUMES)),
    securityContext,
    ...onNodes({ role: "application" }),
    // Required: the loss of a node must not take two replicas, and their volumes are tied to their nodes.
    affinity: neverTwoOnANode({ "app.kubernetes.io/component": component }),
  };
}

const claim = (sizeGiB: number, storageClass: string): object => ({
  volumeClaimTemplate: {
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storageClass,
      resources: { requests: { storage: gibi(sizeGiB) } },
    },
  },
});

export function prometheusSpec(settings: Settings, plan: Plan): object {
  const { prometheus } = plan.monitoring!;
  const select = { matchLabels: monitorLabels(settings) };
  return {
    ...common(settings, PROMETHEUS, IMAGES.prometheus, prometheus),
    replicas: Math.max(2, prometheus.replicas),
    serviceAccountName: PROMETHEUS,
    // The size limit prevails over the time limit: a full volume would stop Prometheus.
    retention: `${settings.monitoring.retentionDays}d`,
    retentionSize: `${Math.floor(prometheus.storageGiB * 0.85)}GiB`,
    storage: claim(prometheus.storageGiB, settings.storage.general.name),
    scrapeInterval: `${settings.monitoring.scrapeIntervalSeconds}s`,
    evaluationInterval: "15s",
    walCompression: true,
    enableAdminAPI: false,
    externalLabels: { stack: settings.instance },
    podMonitorSelector: select,
    podMonitorNamespaceSelector: {},
    serviceMonitorSelector: select,
    serviceMonitorNamespaceSelector: {},
    ruleSelector: select,
    ruleNamespaceSelector: {},
    alerting: {
      alertmanagers: [{ name: ALERTMANAGER, namespace: NAMESPACES.monitoring, port: "http-web", apiVersion: "v2" }],
    },
  };
}

export function alertmanagerSpec(settings: Settings, plan: Plan): object {
  const { alertmanager } = plan.monitoring!;
  const { trustedAuthorities } = settings;
  const usual = common(settings, ALERTMANAGER, IMAGES.alertmanager, alertmanager);
  return {
    ...usual,
    replicas: Math.max(3, alertmanager.replicas),
    serviceAccountName: ALERTMANAGER,
    automountServiceAccountToken: false,
    ...aliased(settings),
    configSecret: ALERT_CONFIG_SECRET,
    ...(settings.monitoring.alertWebhook ? { secrets: [ALERT_TOKEN_SECRET] } : {}),
    // The operator mounts the ConfigMap, and merges the environment into its own container. A program in Go reads them
    // once, so other ones restart it.
    ...(trustedAuthorities
      ? {
          podMetadata: { ...usual.podMetadata, annotations: { [CONFIG_HASH]: digest(trustedAuthorities) } },
          configMaps: [AUTHORITIES],
          containers: [
            { name: "alertmanager", env: Object.entries(goTrusts(TRUSTED)).map(([name, value]) => ({ name, value })) },
          ],
        }
      : {}),
    retention: "120h",
    storage: claim(1, settings.storage.general.name),
  };
}

/**
 * alertmanager.yaml. Without a webhook it sends no notifications: alerts are visible on its page and in Grafana.
 *
 * The Watchdog is the heartbeat. Alertmanager looks at a group once in `group_interval` and repeats what is older than
 * `repeat_interval`; with both equal every second beat may be left out, so the latter is shorter.
 */
export function alertmanagerConfig(settings: Settings): object {
  const { alertWebhook: url, heartbeatUrl } = settings.monitoring;
  const usual = url ? "webhook" : "nobody";
  const through = settings.httpProxy
    ? { proxy_url: proxyUrl(settings.httpProxy), no_proxy: noProxy(settings).join(",") }
    : {};
  return {
    route: {
      receiver: usual,
      group_by: ["alertname"],
      group_wait: "15s",
      group_interval: "5m",
      repeat_interval: "4h",
      routes: [
        ...(heartbeatUrl
          ? [
              {
                matchers: ['alertname = "Watchdog"'],
                receiver: "heartbeat",
                group_wait: "0s",
                group_interval: "1m",
                repeat_interval: "50s",
              },
            ]
          : // A receiver can only notice missing watchdogs soon if they are repeated often.
            [{ matchers: ['alertname = "Watchdog"'], receiver: usual, repeat_interval: "5m" }]),
        { matchers: ['severity = "info"'], receiver: "nobody" },
      ],
    },
    inhibit_rules: [
      {
        source_matchers: ['severity = "critical"'],
        target_matchers: ['severity = "warning"'],
        equal: ["layer_group", "job"],
      },
      {
        source_matchers: ['alertname = "NodeNotReady"'],
        target_matchers: ['alertname =~ "ContainerCrashLooping|PodPending|DrainBlocked"'],
      },
    ],
    receivers: [
      { name: "nobody" },
      ...(url
        ? [
            {
              name: "webhook",
              webhook_configs: [
                {
                  url,
                  send_resolved: true,
                  http_config: {
                    ...through,
                    authorization: {
                      type: "Bearer",
                      credentials_file: `/etc/alertmanager/secrets/${ALERT_TOKEN_SECRET}/token`,
                    },
                  },
                },
              ],
            },
          ]
        : []),
      ...(heartbeatUrl
        ? [
            {
              name: "heartbeat",
              webhook_configs: [
                { url: heartbeatUrl, send_resolved: false, ...(settings.httpProxy ? { http_config: through } : {}) },
              ],
            },
          ]
        : []),
    ],
  };
}

/** Permissions of Prometheus' service discovery. */
export const PROMETHEUS_RULES = [
  { apiGroups: [""], resources: ["nodes", "services", "endpoints", "pods"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
];

export const alertmanagerLabels = (settings: Settings): Record<string, string> =>
  labels(settings, ALERTMANAGER, "alertmanager", imageVersion(settings, IMAGES.alertmanager));
