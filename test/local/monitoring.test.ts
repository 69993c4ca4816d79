/**
 * Monitoring on the real cluster: declared targets are scraped, queried metrics exist, and a healthy cluster is quiet.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as path from "node:path";
import { alertRules, targets } from "../../components/layers/monitoring";
import { dashboardQueries } from "../../components/layers/monitoring/watched";
import { LAYERS } from "../../components/layers/registry";
import { podSelector } from "../../components/layers/monitoring/podMonitor";
import { ALERTMANAGER, PROMETHEUS } from "../../components/layers/monitoring/prometheusSpec";
import { NAMESPACES, PORTS } from "../../components/core/names";
import { resolveSettings } from "../../components/settings";
import { plan as planOf } from "../../components/plan";
import { KUBECONFIG, kubectl } from "../../lab/local/access";
import { localConfig } from "../../lab/local/config";
import { CACHE_DIR } from "../../lab/common/folders";

/**
 * Metrics that rules or dashboards name and that this cluster may not have, with the reason. Not here: counters and
 * states that have not come up yet, when their exporter announces them (`announced` below).
 */
const ABSENT_HERE: Record<string, string> = {
  livekit_packet_total: "counted from the first packet of a call",
};

/** Mounts in the nodes that show the disk of the machine on which everything is built. */
const builtOn = (labels: Record<string, string>): boolean => labels.mountpoint?.startsWith("/opt/") === true;
/**
 * Alerts that may fire on this cluster although nothing is wrong with it, with the reason; `where` limits that to some.
 */
const FIRES_HERE: Record<string, { why: string; where?: (labels: Record<string, string>) => boolean }> = {
  Watchdog: { why: "fires always, by design" },
  NodeClockWrong: { why: "no time daemon adjusts this machine's clock, which its nodes share" },
  AutoscalerAtMaximum: { why: "three is the most here, and a test's logins and first syncs fill the two cores" },
  SynapsePushFailing: { why: "the push gateway of the day's test ends with it; its pushers stay" },
  DiskFilling: { why: "the nodes' /opt is this machine's own disk, on which everything is built", where: builtOn },
  DiskAlmostFull: { why: "the same disk: whether it is almost full is not this cluster's doing", where: builtOn },
};
const expected = (labels: Record<string, string>): boolean => {
  const here = FIRES_HERE[labels.alertname!];
  return here !== undefined && (here.where?.(labels) ?? true);
};

interface Selector {
  name: string;
  matchers: Array<{ name: string; type: string; value: string }>;
}

/** A port of a pod, through the kubelet: the policies of the network do not count for it. */
async function forward(pod: string, port: number): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(
    path.join(CACHE_DIR, "bin", "kubectl"),
    ["-n", NAMESPACES.monitoring, "port-forward", pod, `:${port}`],
    { env: { ...process.env, KUBECONFIG }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  const local = await new Promise<string>((resolve, reject) => {
    child.stderr!.on("data", (d) => {
      said += d;
    });
    child.on("close", () => reject(new Error(`port-forward to ${pod} ended: ${said}`)));
    child.stdout!.on("data", (d) => {
      const m = /127\.0\.0\.1:(\d+)/.exec(String(d));
      if (m) resolve(m[1]!);
    });
  });
  return { url: `http://127.0.0.1:${local}`, child };
}

/** Vector selectors in Prometheus' own syntax tree of an expression. */
function selectors(node: any, found: Selector[] = []): Selector[] {
  if (Array.isArray(node)) for (const n of node) selectors(n, found);
  else if (node && typeof node === "object") {
    if (node.type === "vectorSelector" || node.type === "matrixSelector")
      found.push({ name: node.name ?? "", matchers: node.matchers ?? [] });
    else for (const v of Object.values(node)) selectors(v, found);
  }
  return found;
}

/**
 * What must exist whatever happens: the metric under its layer, not under a code or state that may never have come up.
 */
const WHOSE = new Set(["__name__", "layer", "namespace"]);
const essence = (s: Selector): string =>
  `{${s.matchers
    .filter((m) => WHOSE.has(m.name))
    .map((m) => `${m.name}${m.type}${JSON.stringify(m.value)}`)
    .join(",")}}`;

describe("monitoring of the local homeserver", function () {
  this.timeout(120_000);
  const { settings } = resolveSettings(localConfig([]), "local");
  const plan = planOf(settings!);
  const groups = alertRules({ settings: settings!, plan, layers: LAYERS });
  const children: ChildProcess[] = [];
  const prometheus: string[] = [];
  let alertmanager: string;

  const get = async (url: string): Promise<any> => {
    const answer = await fetch(url);
    const body: any = await answer.json();
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${JSON.stringify(body).slice(0, 300)}`);
    return body.data ?? body;
  };
  const ask = (what: string, params: Record<string, string> = {}, server = prometheus[0]!): Promise<any> =>
    get(`${server}/api/v1/${what}?${new URLSearchParams(params)}`);

  before(async () => {
    const open = async (pod: string, port: number): Promise<string> => {
      const f = await forward(pod, port);
      children.push(f.child);
      return f.url;
    };
    for (let i = 0; i < Math.max(2, plan.monitoring!.prometheus.replicas); i++)
      prometheus.push(await open(`prometheus-${PROMETHEUS}-${i}`, PORTS.prometheus));
    alertmanager = await open(`alertmanager-${ALERTMANAGER}-0`, PORTS.alertmanager);
  });
  after(() => {
    for (const c of children) c.kill();
  });

  it("each Prometheus scrapes every pod that the stack declares, and all are up", async function () {
    // A pod that an autoscaler has just added is down until the scrape after its start.
    const scrape = settings!.monitoring.scrapeIntervalSeconds;
    this.timeout(scrape * 4000 + 60_000);
    for (const end = Date.now() + scrape * 3000; ;) {
      try {
        await scraped();
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
      await new Promise((r) => setTimeout(r, 5000));
    }
  });
  async function scraped(): Promise<void> {
    const pods: any[] = JSON.parse(kubectl("get", "pods", "-A", "-o", "json")).items.filter(
      (p: any) => p.status.phase === "Running" && !p.metadata.deletionTimestamp,
    );
    const chosen = (selector: any, labels: Record<string, string>): boolean =>
      Object.entries(selector.matchLabels ?? {}).every(([k, v]) => labels[k] === v) &&
      (selector.matchExpressions ?? []).every((e: any) => e.values.includes(labels[e.key]));
    for (const server of prometheus) {
      const active: any[] = (await ask("targets", { state: "active" }, server)).activeTargets;
      const down = active
        .filter((t) => t.health !== "up")
        .map((t) => `${t.scrapePool} ${t.scrapeUrl} ${t.health}: ${t.lastError}`);
      assert.deepEqual(down, [], "targets that are not up");
      for (const t of targets({ settings: settings!, plan, layers: LAYERS })) {
        const wanted = pods
          .filter(
            (p) =>
              p.metadata.namespace === t.namespace && chosen(podSelector(t, settings!.instance), p.metadata.labels),
          )
          .map((p) => p.metadata.name)
          .sort();
        assert.ok(wanted.length > 0, `${t.name}: no pod`);
        t.paths.forEach((p, i) => {
          const mine = active.filter((x) => x.scrapePool === `podMonitor/${NAMESPACES.monitoring}/${t.name}/${i}`);
          assert.deepEqual(
            mine.map((x) => x.discoveredLabels.__meta_kubernetes_pod_name).sort(),
            wanted,
            `${t.name} ${p}`,
          );
          for (const x of mine) assert.equal(x.labels.layer, t.layer);
        });
      }
    }
  }

  it("every rule group is loaded and every rule has been evaluated without an error", async () => {
    for (const server of prometheus) {
      const live: any[] = (await ask("rules", {}, server)).groups;
      for (const g of groups) {
        const found = live.find((x) => x.name === `matrix-ha.${g.name}`);
        assert.ok(found, `group ${g.name}`);
        assert.deepEqual(found.rules.map((r: any) => r.name).sort(), g.rules.map((r) => r.alert).sort());
        for (const r of found.rules) assert.equal(`${r.health} ${r.lastError ?? ""}`.trim(), "ok", r.name);
      }
    }
  });

  /**
   * Whether an exporter of the selector's layer says that it has this metric: a HELP line, without a sample while there
   * is nothing to count (no container waits, no push failed). A misspelt name, or one of another layer, is in none.
   */
  async function announced(s: Selector): Promise<boolean> {
    const layer = s.matchers.filter((m) => m.name === "layer").map((m) => `layer${m.type}${JSON.stringify(m.value)}`);
    const family = [s.name, s.name.replace(/_(bucket|count|sum|total)$/, "")];
    for (const metric of family)
      if (
        (await ask("targets/metadata", { metric, match_target: `{${layer[0] ?? 'job=~".+"'}}`, limit: "1" })).length > 0
      )
        return true;
    return false;
  }

  it("every alert and every panel asks for metrics that exist, and gets an answer", async () => {
    const asked = [
      ...groups.flatMap((g) => g.rules.map((r) => [r.alert, r.expr] as const)),
      ...dashboardQueries(LAYERS).map((q) => ["a dashboard", q] as const),
    ];
    const missing = new Map<string, Set<string>>();
    const seen = new Map<string, boolean>();
    const waiting = new Set<string>();
    for (const [who, query] of asked) {
      await ask("query", { query });
      for (const s of selectors(await ask("parse_query", { query }))) {
        const match = essence(s);
        if (!seen.has(match))
          seen.set(
            match,
            (await ask("series", { "match[]": match, limit: "1", start: String(Date.now() / 1000 - 3600) })).length > 0,
          );
        if (seen.get(match)) continue;
        if (await announced(s)) waiting.add(s.name);
        else missing.set(match, (missing.get(match) ?? new Set()).add(who));
      }
    }
    const unexplained = [...missing]
      .filter(([m]) => !Object.keys(ABSENT_HERE).some((n) => m.includes(n)))
      .map(([m, who]) => `${m} of ${[...who].join(", ")}`);
    assert.deepEqual(unexplained, [], "no series for");
    console.log(
      `      ${asked.length} expressions, ${seen.size} selectors of metrics; announced without a sample yet: ${[...waiting].join(" ") || "none"}; not here: ${[...missing.keys()].join(" ") || "none"}`,
    );
  });

  it("a healthy cluster is quiet: nothing critical fires, and nothing else without a reason", async () => {
    const firing: any[] = (await ask("alerts")).alerts.filter((x: any) => x.state === "firing");
    const text = (x: any): string => `${x.labels.severity} ${x.labels.alertname}: ${x.annotations.summary}`;
    assert.deepEqual(
      firing.filter((x) => x.labels.severity === "critical" && !expected(x.labels)).map(text),
      [],
      "critical",
    );
    assert.deepEqual(firing.filter((x) => !expected(x.labels)).map(text), [], "others");
  });

  it("alerts reach Alertmanager, and its three agree", async () => {
    const alerts: any[] = await get(`${alertmanager}/api/v2/alerts?filter=alertname%3DWatchdog`);
    assert.ok(alerts.length > 0, "Watchdog");
    const { cluster } = await get(`${alertmanager}/api/v2/status`);
    assert.equal(cluster.status, "ready");
    assert.equal(cluster.peers.length, Math.max(3, plan.monitoring!.alertmanager.replicas));
  });
});
