import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { Monitoring, alertRules, dashboards, monitoringEdges, targets } from "../../components/layers/monitoring";
import { dashboardJson } from "../../components/layers/monitoring/dashboardJson";
import type { StackInput } from "../../components/core/layer";
import { dashboardQueries } from "../../components/layers/monitoring/watched";
import { podMonitorSpec } from "../../components/layers/monitoring/podMonitor";
import { backupMaxAgeSeconds } from "../../components/layers/postgres/alerts";
import { synapseService } from "../../components/core/names";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { StackSecrets } from "../../components/keys/secrets";
import { LAYERS, SECRET_SPECS } from "../../components/layers/registry";
import { runbookText } from "../../scripts/runbook";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import { podTemplates, scraped, selects } from "./selection";

const evaluateMonitoring = (change?: (s: Settings, p: Plan) => void): Promise<Evaluation> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
      new Monitoring("monitoring", { ctx, secrets, layers: LAYERS, ends: [] }, { provider: ctx.provider });
      return {};
    },
  });
const kind = (e: Evaluation, k: string): any[] =>
  e.resources.filter((r) => r.inputs.kind === k || r.type.endsWith(`:${k}`)).map((r) => r.inputs);
const input = (change: (s: Settings, p: Plan) => void = () => undefined): StackInput => {
  const settings = fixtureSettings(),
    plan = fixturePlan();
  change(settings, plan);
  return { settings, plan, layers: LAYERS };
};
const allRules = (change?: (s: Settings, p: Plan) => void) => alertRules(input(change)).flatMap((g) => g.rules);

describe("monitors", () => {
  it("select exactly the pods that they name, and no two the same", () => {
    const { settings, plan } = input();
    const list = targets({ settings, plan, layers: LAYERS });
    assert.equal(new Set(list.map((t) => t.name)).size, list.length);
    // Every component of the stack as a pod, and a few that must not be scraped.
    const components = [
      ...plan.synapse.pools.map((p) => [p.class, "matrix"]).map(([c, n]) => [synapseService(c as any), n]),
      ["haproxy", "matrix"],
      ["redis-synapse", "matrix"],
      ["redis-synapse-master", "matrix"],
      ["redis-livekit", "livekit"],
      ["redis-livekit-master", "livekit"],
      ["livekit", "livekit"],
      ["minio", "minio"],
      ["node-exporter", "monitoring"],
      ["kube-state-metrics", "monitoring"],
      ["element-web", "matrix"],
      ["well-known", "matrix"],
      ["synapse-admin", "matrix"],
      ["lk-jwt-service", "livekit"],
      ["coturn", "coturn"],
    ] as Array<[string, string]>;
    const hits = new Map<string, string[]>();
    for (const t of list) {
      const spec: any = podMonitorSpec(t, settings);
      for (const [component, namespace] of components) {
        const labels = { "app.kubernetes.io/component": component, "app.kubernetes.io/instance": settings.instance };
        if (spec.namespaceSelector.matchNames.includes(namespace) && selects(spec.selector, labels))
          hits.set(component, [...(hits.get(component) ?? []), t.name]);
      }
    }
    for (const [component, names] of hits) assert.equal(names.length, 1, `${component} by ${names}`);
    for (const quiet of ["element-web", "well-known", "synapse-admin", "lk-jwt-service", "coturn"])
      assert.ok(!hits.has(quiet), quiet);
    for (const p of plan.synapse.pools) assert.deepEqual(hits.get(synapseService(p.class)), ["synapse"]);
  });
  it("never take the pods of another stack in the same cluster", () => {
    const { settings, plan } = input();
    for (const t of targets({ settings, plan, layers: LAYERS }).filter((x) => "components" in x.pods)) {
      assert.equal(
        selects((podMonitorSpec(t, settings) as any).selector, {
          "app.kubernetes.io/component": (t.pods as any).components[0],
          "app.kubernetes.io/instance": "other",
        }),
        false,
        t.name,
      );
    }
  });
  it("reach the exporters that this layer makes, at ports that they declare", async () => {
    const e = await evaluateMonitoring();
    const pods = podTemplates(e.resources);
    const found = kind(e, "PodMonitor").flatMap((m) => scraped(m, pods));
    assert.deepEqual(found.map((f) => f.pod).sort(), ["monitoring/kube-state-metrics", "monitoring/node-exporter"]);
  });
  it("give Synapse's metrics the labels of its dashboards", () => {
    const { settings, plan } = input();
    const spec: any = podMonitorSpec(
      targets({ settings, plan, layers: LAYERS }).find((t) => t.name === "synapse")!,
      settings,
    );
    const by = new Map<string, any>(spec.podMetricsEndpoints[0].relabelings.map((r: any) => [r.targetLabel, r]));
    assert.equal(by.get("instance").replacement, settings.serverName);
    assert.match("synapse-event-persister", new RegExp(`^${by.get("job").regex}$`));
    assert.deepEqual(by.get("index").sourceLabels, ["__meta_kubernetes_pod_name"]);
    assert.equal(spec.podMetricsEndpoints[0].path, "/_synapse/metrics");
  });
  it("carry the labels that an existing Prometheus asks for", async () => {
    const e = await evaluateMonitoring((s) => {
      s.monitoring.prometheus = "existing";
      s.monitoring.selectorLabels = { release: "kps" };
    });
    for (const m of [...kind(e, "PodMonitor"), ...kind(e, "PrometheusRule")])
      assert.equal(m.metadata.labels.release, "kps");
    assert.equal(kind(e, "Prometheus").length, 0);
    assert.equal(podTemplates(e.resources).length, 0);
  });
  it("are read as often as the setting says, by Prometheus' own default too", async () => {
    const e = await evaluateMonitoring((s) => {
      s.monitoring.scrapeIntervalSeconds = 45;
    });
    for (const m of kind(e, "PodMonitor"))
      for (const p of m.spec.podMetricsEndpoints) assert.equal(p.interval, "45s", m.metadata.name);
    assert.equal(kind(e, "Prometheus")[0].spec.scrapeInterval, "45s");
  });
  it("are edges of the network, each target one", () => {
    const { settings, plan } = input();
    const edges = monitoringEdges({ settings, plan, layers: LAYERS });
    for (const t of targets({ settings, plan, layers: LAYERS }))
      assert.ok(
        edges.some((x) => x.ports.some((p) => p.port === t.port) && x.why === `metrics of ${t.name}`),
        t.name,
      );
    assert.deepEqual(
      monitoringEdges(
        input((s) => {
          s.monitoring.enabled = false;
        }),
      ),
      [],
    );
  });
});

describe("alert rules", () => {
  it("have one name each, a severity and an explanation", () => {
    const rules = allRules((s) => {
      s.federation.enabled = true;
    });
    const names = rules.map((r) => r.alert);
    assert.equal(new Set(names).size, names.length);
    for (const r of rules) {
      assert.match(r.for, /^\d+[smh]$/, r.alert);
      assert.ok(r.meaning.length > 15 && r.look.length > 0 && r.act.length > 0, r.alert);
      assert.ok(r.look.every((x) => x) && r.act.every((x) => x), r.alert);
    }
  });
  it("watch every promise", () => {
    const names = new Set(
      allRules((s) => {
        s.federation.enabled = true;
      }).map((r) => r.alert),
    );
    for (const wanted of [
      "PostgresNoPrimary",
      "PostgresNoSyncStandby",
      "PostgresReplicationLag",
      "PostgresFailover",
      "PostgresConnectionsHigh",
      "PostgresWalArchivingFailing",
      "PostgresBackupTooOld",
      "RedisNoMaster",
      "RedisTwoMasters",
      "RedisQuorumLost",
      "SynapseMainDown",
      "SynapseEventPersisterDown",
      "SynapseClassDown",
      "SynapseSendSlow",
      "SynapseDbPoolExhausted",
      "SynapseFederationBacklog",
      "SynapseLoginFailures",
      "RouterBackendDown",
      "RouterQueueing",
      "RouterErrors",
      "RouterRetries",
      "MinioWriteQuorumLost",
      "MinioDriveOffline",
      "MinioCapacityLow",
      "TurnNodeDown",
      "SfuNodeDown",
      "CertificateExpiring",
      "AutoscalerAtMaximum",
      "NodeNotReady",
      "NodeOutOfService",
      "DiskFilling",
      "NodeMemoryLow",
      "NodeClockWrong",
      "DrainBlocked",
    ])
      assert.ok(names.has(wanted), wanted);
  });
  it("watch every class of Synapse process that the plan has", () => {
    const { plan } = input();
    const text = allRules()
      .filter((r) => r.alert.startsWith("Synapse"))
      .map((r) => r.expr)
      .join("\n");
    for (const p of plan.synapse.pools) assert.ok(text.includes(`job="${p.class}"`), p.class);
  });
  it("take their limits from the plan", () => {
    const expr = (name: string, change?: (s: Settings, p: Plan) => void): string =>
      allRules(change).find((r) => r.alert === name)!.expr;
    assert.match(expr("PostgresConnectionsHigh"), /> 255$/);
    assert.match(
      expr("PostgresConnectionsHigh", (_, p) => {
        p.postgres.maxConnections = 500;
      }),
      /> 425$/,
    );
    assert.match(
      expr("RedisQuorumLost", (_, p) => {
        p.redis.quorum = 3;
      }),
      /< 3$/,
    );
    assert.match(expr("SynapseEventPersisterDown"), /< 2$/);
  });
  it("do not query missing metrics", () => {
    const names = new Set(
      allRules((s, p) => {
        s.cluster.install.certManager = false;
        s.cluster.install.ingressController = false;
        s.backups.enabled = false;
        p.minio = undefined;
        p.rtc = undefined;
        p.turn = undefined;
      }).map((r) => r.alert),
    );
    for (const gone of [
      "CertificateExpiring",
      "IngressDown",
      "PostgresBackupTooOld",
      "MinioNodeOffline",
      "SfuDown",
      "TurnDown",
      "SynapseFederationBacklog",
    ])
      assert.ok(!names.has(gone), gone);
  });
  it("allow for the backup's schedule", () => {
    assert.equal(backupMaxAgeSeconds("0 0 2 * * *"), 26 * 3600);
    assert.equal(backupMaxAgeSeconds("0 0 2 * * 0"), 8 * 86400);
    assert.equal(backupMaxAgeSeconds("0 0 2 1 * *"), 32 * 86400);
  });
  it("only use layers and jobs that something is scraped as", () => {
    const { settings, plan } = input((s) => {
      s.federation.enabled = true;
    });
    const layers = new Set(targets({ settings, plan, layers: LAYERS }).map((t) => t.layer));
    for (const text of [...allRules().map((r) => r.expr), ...dashboardQueries(LAYERS)]) {
      for (const m of text.matchAll(/\blayer="([^"]+)"/g)) assert.ok(layers.has(m[1]!), `${m[1]} in ${text}`);
    }
  });
  it("each have a section in docs/runbook.md, which is up to date", () => {
    const file = fs.readFileSync(path.join(__dirname, "..", "..", "docs", "runbook.md"), "utf8");
    assert.equal(file, runbookText(), "run: npx tsx scripts/runbook.ts");
    for (const r of allRules((s) => {
      s.federation.enabled = true;
    }))
      assert.ok(file.includes(`\n### ${r.alert}\n`), r.alert);
  });
});

describe("Prometheus and Alertmanager", () => {
  it("survive the loss of a node", async () => {
    const e = await evaluateMonitoring();
    const [p] = kind(e, "Prometheus"),
      [a] = kind(e, "Alertmanager");
    assert.ok(p.spec.replicas >= 2 && a.spec.replicas >= 3);
    for (const x of [p, a]) {
      assert.ok(x.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.length === 1);
      assert.ok(x.spec.securityContext.runAsUser > 1000);
    }
    assert.deepEqual(p.spec.podMonitorSelector.matchLabels, { "app.kubernetes.io/part-of": "matrix-ha" });
    for (const m of [...kind(e, "PodMonitor"), ...kind(e, "PrometheusRule")])
      assert.ok(selects(p.spec.podMonitorSelector, m.metadata.labels), m.metadata.name);
  });
  it("send no notification without a webhook, and never contain its token in the configuration", async () => {
    const config = (e: Evaluation): any =>
      JSON.parse(
        kind(e, "Secret").find((s) => s.metadata.name === "alertmanager-config").stringData["alertmanager.yaml"],
      );
    assert.equal(config(await evaluateMonitoring()).route.receiver, "nobody");
    const e = await evaluateMonitoring((s) => {
      s.monitoring.alertWebhook = "https://alerts.example.org/hook";
    });
    const token = kind(e, "Secret").find((s) => s.metadata.name === "alertmanager-token").stringData.token;
    const c = config(e);
    assert.equal(
      c.receivers[1].webhook_configs[0].http_config.authorization.credentials_file,
      "/etc/alertmanager/secrets/alertmanager-token/token",
    );
    assert.ok(!JSON.stringify(c).includes(token));
  });
});

describe("dashboards", () => {
  it("are complete documents with panels that do not overlap", () => {
    for (const d of dashboards(LAYERS)) {
      const json: any = dashboardJson(d);
      const seen = new Set<string>();
      for (const x of json.panels) {
        const at = `${x.gridPos.x},${x.gridPos.y}`;
        assert.ok(!seen.has(at), `${d.title} ${at}`);
        seen.add(at);
        if (x.type !== "row") assert.ok(x.targets.length > 0 && x.targets.every((t: any) => t.expr));
      }
      assert.equal(new Set(json.panels.map((x: any) => x.id)).size, json.panels.length);
    }
    assert.equal(new Set(dashboards(LAYERS).map((d) => d.uid)).size, 5);
  });
  it("exist without Grafana if one runs elsewhere", async () => {
    const e = await evaluateMonitoring((s) => {
      s.monitoring.grafana = false;
    });
    assert.equal(kind(e, "ConfigMap").filter((m) => m.metadata.labels.grafana_dashboard === "1").length, 5);
    assert.ok(!e.resources.some((r) => r.inputs.metadata?.name?.startsWith("grafana")));
    assert.ok(
      !monitoringEdges(
        input((s) => {
          s.monitoring.grafana = false;
        }),
      ).some((x) => x.why === "dashboards"),
    );
  });
  it("reach Grafana as ConfigMaps that its sidecar finds too", async () => {
    const e = await evaluateMonitoring();
    const maps = kind(e, "ConfigMap").filter((m) => m.metadata.labels.grafana_dashboard === "1");
    assert.equal(maps.length, 5);
    for (const m of maps) for (const v of Object.values<string>(m.data)) JSON.parse(v);
    const grafana = kind(e, "Deployment").find((d) => d.metadata.name === "grafana");
    assert.deepEqual(
      grafana.spec.template.spec.volumes
        .find((v: any) => v.name === "dashboards")
        .projected.sources.map((s: any) => s.configMap.name)
        .sort(),
      maps.map((m) => m.metadata.name).sort(),
    );
  });
});
