/** The room that the router takes, what its failures cost, and what is watched of it. */
import assert from "node:assert/strict";
import { z } from "zod";
import type { PlanInput } from "../../components/core/layer";
import { router } from "../../components/layers/router/layer";
import { routerOverrides } from "../../components/layers/router/settings";
import type { HostSettings, Settings } from "../../components/settings/types";
import type { Plan, PlanParts, ZoneEffect } from "../../components/sizing/types";

/** @param zones The zone of each application host; a database host is in zone d. */
function input(replicas: number, zones: string[] = ["a", "b", "c"]): PlanInput {
  const host = (zone: string, role: string, i: number): HostSettings =>
    ({ name: `${role}-${i}`, zone, roles: [role] }) as HostSettings;
  return {
    settings: { hosts: [...zones.map((z, i) => host(z, "application", i)), host("d", "database", 0)] } as Settings,
    plan: { router: { replicas, cpu: 0.5, memoryMiB: 512, maxConnections: 6000 } } as Plan,
  };
}
const lose = (zone: string, replicas: number, zones?: string[]): ZoneEffect[] =>
  router.zoneLoss!(input(replicas, zones), { name: zone, lost: [], left: [] });

describe("the plan of the router", () => {
  it("has room for each router on any application host", () => {
    const { settings, plan } = input(3);
    assert.deepEqual(router.demands!(settings, plan as unknown as PlanParts), [
      { name: "router", role: "application", replicas: 3, maxReplicas: 3, cpu: 0.5, memoryMiB: 512 },
    ]);
  });

  it("says how many connections each holds", () =>
    assert.deepEqual(router.services!(input(3)), [
      { service: "Router (HAProxy)", instances: 3, cpu: 0.5, memoryMiB: 512, what: "6,000 connections each" },
    ]));

  it("counts 3 s for a router that is lost: the others take its connections", () => {
    const cost = {
      failure: "Router: pod",
      seconds: 3,
      source: "probe interval and endpoint update; a bound",
    };
    assert.deepEqual(router.failures!(input(2)), [
      { ...cost, effect: "its connections break, the other takes them; clients retry" },
    ]);
    assert.deepEqual(router.failures!(input(4)), [
      { ...cost, effect: "its connections break, the other 3 take them; clients retry" },
    ]);
  });

  it("survives the loss of a zone with the routers of the others, once Kubernetes knows", () => {
    assert.deepEqual(lose("a", 2), [
      {
        part: "router",
        outcome: "recovers",
        effect: "its connections there break; a share of the new ones fails until Kubernetes calls the nodes lost",
        // The time after which a node that says nothing counts as lost.
        seconds: 40,
        source: "bound: a node is declared lost after 40 s",
      },
    ]);
    assert.deepEqual(lose("d", 2), []);
  });

  it("does not survive the loss of the only zone, and says what would", () =>
    assert.deepEqual(lose("a", 2, ["a", "a"]), [
      {
        part: "router",
        outcome: "stops",
        effect: "no request is answered",
        seconds: 0,
        source: "all 2 may be in the zone",
        remedy: "Put application hosts into several zones",
      },
    ]));
});

describe("overrides.router", () => {
  const overrides = z.strictObject(routerOverrides);
  const accepts = (given: object): boolean => overrides.safeParse({ router: given }).success;

  it("may be left out", () => assert.deepEqual(overrides.parse({}), { router: {} }));
  it("takes two routers and more, 16 MiB and more, and any part of a core", () => {
    assert.deepEqual([{ replicas: 2 }, { memoryMiB: 16 }, { cpu: 0.01 }].map(accepts), [true, true, true]);
    // One router alone would be a single point of failure.
    assert.deepEqual([{ replicas: 1 }, { memoryMiB: 15 }, { cpu: 0 }, { instances: 2 }].map(accepts), [
      false,
      false,
      false,
      false,
    ]);
  });
  it("says what it is", () =>
    assert.equal(routerOverrides.router.unwrap().meta()!.doc, "HAProxy in front of Synapse."));
});

describe("monitoring of the router", () => {
  it("scrapes each router", () =>
    assert.deepEqual(router.targets!(input(2)), [
      {
        name: "router",
        namespace: "matrix",
        pods: { components: ["haproxy"] },
        port: 8404,
        paths: ["/metrics"],
        layer: "router",
      },
    ]));

  it("shows servers, queues, retries and connections, and Redis below", () => {
    assert.equal(router.dashboards!.length, 1);
    const { uid, title, rows } = router.dashboards![0]!;
    // Part of its address: never changes.
    assert.equal(uid, "matrix-ha-router");
    assert.equal(title, "Matrix: router and Redis");
    assert.deepEqual(
      rows.map((r) => r.title),
      ["Router", "Redis"],
    );
    assert.deepEqual(
      rows[0]!.panels.map((p) => [p.title, p.unit, ...p.queries.flat()]),
      [
        ["Servers", "none", "{{proxy}}", 'min by (proxy) (haproxy_backend_active_servers{layer="router"})'],
        ["Queue", "none", "{{proxy}}", 'sum by (proxy) (haproxy_backend_current_queue{layer="router"})'],
        [
          "Retries and redispatches",
          "ops",
          "{{proxy}}",
          'sum by (proxy) (rate(haproxy_backend_retry_warnings_total{layer="router"}[5m]) + rate(haproxy_backend_redispatch_warnings_total{layer="router"}[5m]))',
        ],
        ["Connections", "none", "{{instance}}", 'haproxy_process_current_connections{layer="router"}'],
      ],
    );
  });
});

describe("the layer of the router", () => {
  it("has these pods, for their logs", () => {
    assert.equal(router.name, "router");
    assert.deepEqual(router.pods, ["haproxy"]);
  });
  it("is made by its own component", async () => assert.equal(typeof (await router.component()).deploy, "function"));
});
