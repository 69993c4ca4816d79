/** The router's workload. */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { HaproxyRouter } from "../../components/layers/router";
import { CONFIG_HASH } from "../../components/core/workload";
import type { Plan } from "../../components/sizing/types";
import type { Settings } from "../../components/settings/types";
import { fixtureContext } from "../fixtures/context";

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
