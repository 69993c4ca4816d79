/** The router's configuration and its workload. */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { HaproxyRouter, renderHaproxyCfg, routerEdges } from "../../components/layers/router";
import { synapseEdges } from "../../components/layers/synapse";
import { bodyLimits } from "../../components/domain/bodies";
import { CONFIG_HASH } from "../../components/core/workload";
import type { Plan } from "../../components/sizing/types";
import type { Settings } from "../../components/settings/types";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";

const cfg = (federation = false, plan = fixturePlan()): string =>
  renderHaproxyCfg({
    plan,
    clusterDomain: "cluster.local",
    federation,
    bodies: bodyLimits(fixtureSettings(), plan.router),
  });
const run = (change?: (s: Settings, p: Plan) => void) =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      new HaproxyRouter("router", { ctx }, { provider: ctx.provider });
      return {};
    },
  });

describe("haproxy.cfg", () => {
  it("defines every backend that it uses, once, and uses each", () => {
    const text = cfg(true);
    const defined = [...text.matchAll(/^backend (\S+)$/gm)].map((m) => m[1]!);
    const used = new Set(
      [...text.matchAll(/^ {2}(?:(?:use_backend|default_backend)|http-request track-sc\d \S+ table) (\S+)/gm)].map(
        (m) => m[1]!,
      ),
    );
    assert.deepEqual([...new Set(defined)].sort(), [...used].sort());
    assert.equal(new Set(defined).size, defined.length);
  });

  it("finds servers by the headless Services' SRV records, with room for autoscaling, a rollout, and those that are leaving", () => {
    const plan = fixturePlan();
    plan.synapse.pools.find((p) => p.class === "synchrotron")!.maxReplicas = 8;
    assert.match(
      cfg(false, plan),
      /server-template synchrotron 18 _http\._tcp\.synapse-synchrotron\.matrix\.svc\.cluster\.local resolvers changing-names maxconn \d+ hash-key addr/,
    );
    assert.match(
      cfg(),
      /server-template main 1 _http\._tcp\.synapse-main\.matrix\.svc\.cluster\.local resolvers stable-names /,
    );
  });

  it("forgets at once where a process was that keeps its name, and later where one of changing names was", () => {
    const held = (name: string): string =>
      new RegExp(`^resolvers ${name}\\n(?:  .*\\n)*?  hold obsolete (\\d+)s$`, "m").exec(cfg())![1]!;
    assert.deepEqual([held("stable-names"), held("changing-names")], ["0", "20"]);
  });

  it("never repeats a POST", () => {
    for (const frontend of cfg()
      .split(/^frontend /m)
      .filter((f) => /^(public|admin)/.test(f)))
      assert.match(frontend, /http-request disable-l7-retry if METH_POST/);
  });

  it("tells clients when to come back, in words that browsers may read", () => {
    assert.match(
      cfg(),
      /http-error status 503 content-type application\/json string '\{"errcode".*Access-Control-Allow-Origin "\*" hdr Retry-After 2/,
    );
  });

  it("refuses the admin API before it routes, on the public port alone", () => {
    const [pub, admin] = ["public", "admin"].map(
      (n) =>
        cfg()
          .split(new RegExp(`^frontend ${n}$`, "m"))[1]!
          .split(/^(?:frontend|backend) /m)[0]!,
    );
    assert.match(pub!, /acl refused path,url_dec -m reg \^\/\+_synapse\/\+admin/);
    assert.doesNotMatch(admin!, /acl refused path,url_dec -m reg \^\/\+_synapse\/\+admin/);
    assert.ok(pub!.indexOf("if refused") < pub!.indexOf("use_backend"));
    assert.doesNotMatch(pub!, /m_admin /);
  });

  it("steps to the fallback only when no process of the class is up", () => {
    assert.match(
      cfg(),
      /use_backend synchrotron-by-user if m_sync \{ nbsrv\(synchrotron-by-user\) gt 0 \}\n {2}use_backend generic-by-user if m_sync\n/,
    );
    assert.match(cfg(), /use_backend ephemeral if m_typing\n/);
  });

  it("believes the address that the ingress saw, not the client's", () => {
    assert.match(cfg(), /set-var\(txn\.client\) req\.hdr\(X-Forwarded-For,-1\)/);
    assert.match(cfg(), /set-header X-Forwarded-For %\[var\(txn\.client\)\]/);
  });
});

describe("HaproxyRouter", () => {
  it("runs two or more, replaced one by one, and stops softly", async () => {
    const e = await run((_, p) => {
      p.router.replicas = 1;
    });
    const d = e.resources.find((r) => r.type.endsWith(":Deployment"))!.inputs;
    assert.equal(d.metadata.name, "haproxy");
    assert.equal(d.spec.replicas, 2);
    assert.deepEqual(d.spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
    assert.match(d.spec.template.spec.containers[0].lifecycle.preStop.exec.command[2], /kill -USR1 1/);
    const service = e.resources.find((r) => r.type.endsWith(":Service"))!.inputs;
    assert.deepEqual(
      service.spec.ports.map((p: any) => [p.name, p.port]),
      [
        ["http", 8008],
        ["http-admin", 8010],
        ["metrics", 8404],
      ],
    );
  });

  it("restarts for the upload limit, not for TURN", async () => {
    const hash = async (change?: (s: Settings) => void): Promise<string> =>
      (await run(change)).resources.find((r) => r.type.endsWith(":Deployment"))!.inputs.spec.template.metadata
        .annotations[CONFIG_HASH];
    const base = await hash();
    assert.notEqual(
      base,
      await hash((s) => {
        s.media.maxUploadMiB = 200;
      }),
    );
    assert.equal(
      base,
      await hash((s) => {
        s.turn.maxPort = 54000;
      }),
    );
  });
});

describe("edges of Synapse and its router", () => {
  const input = { settings: fixtureSettings(), plan: fixturePlan() };
  it("lets the router reach what it routes to, and nothing else of Synapse", () => {
    const to = routerEdges(input)
      .map((e) => ("component" in e.to ? e.to.component : ""))
      .sort();
    assert.ok(to.includes("synapse-media") && to.includes("synapse-main"));
    assert.ok(!to.includes("synapse-event-persister") && !to.includes("synapse-pusher"));
  });
  it("allows only components that need it to reach the world", () => {
    const out = synapseEdges(input)
      .filter((e) => "world" in e.to)
      .map((e) => ("component" in e.from ? e.from.component : ""));
    assert.deepEqual(out, ["synapse-pusher"]);
  });
});
