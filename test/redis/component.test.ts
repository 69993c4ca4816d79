import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { RedisSentinel } from "../../components/layers/redis";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { plan } from "../../components/plan";
import { edges } from "../../components/topology";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import { REDIS_PASSWORD } from "../../components/layers/redis/secrets";
import { REDIS_LIVEKIT_PASSWORD } from "../../components/layers/rtc/secrets";

const make = (change?: (s: Settings, p: Plan) => void): Promise<{ resources: RegisteredResource[]; outputs: any }> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
      const opts = { provider: ctx.provider };
      const one = new RedisSentinel(
        "redis-synapse",
        {
          ctx,
          component: "redis-synapse",
          namespace: "matrix",
          password: secrets.of(REDIS_PASSWORD),
          secretName: "redis-synapse",
          masterName: "synapse",
        },
        opts,
      );
      new RedisSentinel(
        "redis-livekit",
        {
          ctx,
          component: "redis-livekit",
          namespace: "livekit",
          password: secrets.of(REDIS_LIVEKIT_PASSWORD),
          secretName: "redis-livekit",
          masterName: "livekit",
        },
        opts,
      );
      return { host: one.masterHost, password: secrets.of(REDIS_PASSWORD) };
    },
  });
const find = (r: RegisteredResource[], kind: string, name: string): any =>
  r.find((x) => x.type.endsWith(`:${kind}`) && x.inputs.metadata?.name === name)?.inputs;
const hashOf = (o: any): string => o.spec.template.metadata.annotations["matrix-ha.dev/config-hash"];

describe("RedisSentinel", () => {
  it("is made twice, apart from each other", async () => {
    const { resources, outputs } = await make();
    for (const [n, ns] of [
      ["redis-synapse", "matrix"],
      ["redis-livekit", "livekit"],
    ]) {
      assert.equal(find(resources, "StatefulSet", n).metadata.namespace, ns);
      assert.equal(find(resources, "StatefulSet", n).spec.replicas, 3);
      assert.equal(find(resources, "Service", n).spec.publishNotReadyAddresses, true);
      assert.equal(find(resources, "Service", n).spec.clusterIP, "None");
      assert.equal(find(resources, "Service", `${n}-master`).metadata.namespace, ns);
      assert.equal(find(resources, "PodDisruptionBudget", n).spec.maxUnavailable, 1);
    }
    assert.equal(outputs.host, "redis-synapse-master.matrix.svc.cluster.local");
  });

  it("bounds how long a Sentinel blocks on a name server: two look-ups within the 2 s after which it would pause", async () => {
    const options = find((await make()).resources, "StatefulSet", "redis-synapse").spec.template.spec.dnsConfig.options;
    const of = (name: string): number => Number(options.find((o: any) => o.name === name).value);
    assert.ok(2 * of("timeout") * of("attempts") <= 2);
  });

  it("puts the password nowhere but in Secrets", async () => {
    const { resources, outputs } = await make();
    assert.ok(outputs.password.length >= 16);
    const holders = resources.filter((r) => JSON.stringify(r.inputs).includes(outputs.password)).map((r) => r.type);
    assert.deepEqual(holders, ["kubernetes:core/v1:Secret"]);
  });

  it("runs an exporter only when monitoring is on", async () => {
    const names = async (enabled: boolean): Promise<string[]> =>
      find(
        (
          await make((s) => {
            s.monitoring.enabled = enabled;
          })
        ).resources,
        "StatefulSet",
        "redis-synapse",
      ).spec.template.spec.containers.map((c: any) => c.name);
    assert.deepEqual(await names(true), ["redis", "sentinel", "exporter"]);
    assert.deepEqual(await names(false), ["redis", "sentinel"]);
  });

  it("grows from 3 to 5 with a new quorum, the same claims, and restarts what reads it", async () => {
    const small = (await make()).resources;
    const large = (
      await make((_, p) => {
        Object.assign(p.redis, { instances: 5, quorum: 3, memoryMiB: 8192 });
      })
    ).resources;
    const [a, b] = [find(small, "StatefulSet", "redis-synapse"), find(large, "StatefulSet", "redis-synapse")];
    assert.equal(b.spec.replicas, 5);
    assert.deepEqual(a.spec.volumeClaimTemplates, b.spec.volumeClaimTemplates);
    assert.notEqual(hashOf(a), hashOf(b));
    assert.match(
      find(large, "ConfigMap", "redis-synapse-scripts").data["sentinel-start.sh"],
      /sentinel monitor synapse \$m 6379 3/,
    );
  });

  it("refuses an even number of instances", async () => {
    await assert.rejects(
      make((_, p) => {
        p.redis.instances = 4;
      }),
      /3, 5, 7 or 9/,
    );
  });
});

describe("redis edges", () => {
  it("let every Synapse process reach the master, and no other Redis", () => {
    const input = { settings: fixtureSettings(), plan: fixturePlan() };
    const all = edges(input);
    for (const p of input.plan.synapse.pools)
      assert.ok(
        all.some(
          (e) =>
            "component" in e.from &&
            e.from.component === `synapse-${p.class}` &&
            "component" in e.to &&
            e.to.component === "redis-synapse-master",
        ),
      );
    assert.ok(
      !all.some(
        (e) =>
          "component" in e.from &&
          e.from.component.startsWith("synapse-") &&
          "component" in e.to &&
          e.to.component.includes("livekit"),
      ),
    );
    input.settings.rtc.enabled = false;
    assert.ok(!JSON.stringify(edges({ ...input, plan: plan(input.settings) })).includes("livekit"));
  });
});
