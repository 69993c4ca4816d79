/** Connections of the router and of Synapse. */
import assert from "node:assert/strict";
import type { Edge } from "../../components/core/edges";
import { synapseEdges } from "../../components/layers/synapse";
import { router } from "../../components/layers/router/layer";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

describe("edges of Synapse and its router", () => {
  const ROUTER = { component: "haproxy", namespace: "matrix" };
  const tcp = (...ports: number[]): Edge["ports"] => ports.map((port) => ({ port, protocol: "TCP" }));
  const requests = (cls: string): Edge => ({
    from: ROUTER,
    to: { component: `synapse-${cls}`, namespace: "matrix" },
    // Requests, and the health listener.
    ports: tcp(8008, 8080),
    why: "requests of clients, and health checks",
  });
  const PROBES: Edge = { from: { nodes: true }, to: ROUTER, ports: tcp(8404), why: "probes" };
  const CLIENTS = ["account", "device-lists", "ephemeral", "generic", "initial-sync", "main", "media", "receipts"];
  const edges = (federation: boolean): Edge[] => {
    const settings = fixtureSettings(),
      plan = fixturePlan();
    settings.federation.enabled = federation;
    // A class that only routes of other servers lead to.
    plan.synapse.pools.push({ ...plan.synapse.pools[1]!, class: "federation-reader" });
    return router.edges!({ settings, plan, layers: [] });
  };

  it("lets the router reach what it routes to, once, and nothing else of Synapse", () =>
    assert.deepEqual(edges(false), [...[...CLIENTS, "synchrotron"].map(requests), PROBES]));

  it("lets it reach what answers other servers while there is federation", () =>
    assert.deepEqual(edges(true), [
      ...["account", "device-lists", "ephemeral", "federation-reader", ...CLIENTS.slice(3), "synchrotron"].map(
        requests,
      ),
      PROBES,
    ]));

  it("allows only components that need it to reach the world", () => {
    const out = synapseEdges({ settings: fixtureSettings(), plan: fixturePlan() })
      .filter((e) => "world" in e.to)
      .map((e) => ("component" in e.from ? e.from.component : ""));
    assert.deepEqual(out, ["synapse-pusher"]);
  });
});
