/** The contract with other stacks: its shape, what it must not hold, and the example that reads it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { evaluate } from "../../cli/evaluate";
import { CONTRACT_VERSION, type SecretReference } from "../../components/outputs";
import { homeserver } from "../../examples/consumer/homeserver";
import { evaluated, tier, TIERS } from "../../lab/common/tiers";

const ROOT = path.join(__dirname, "../..");

/** Version 1, field by field. A field that goes or changes its kind breaks other stacks: make version 2 of it. */
const VERSION_1: Record<string, string> = {
  contract: "number",
  serverName: "string",
  "urls.homeserver": "string",
  "urls.wellKnownClient": "string",
  "services.router": "string",
  "services.postgres": "string",
  "services.postgresPrimary": "string",
  "redis.host": "string",
  "redis.port": "number",
  "redis.database": "number",
  "redis.password.namespace": "string",
  "redis.password.name": "string",
  "redis.password.key": "string",
  "secrets.database.name": "string",
  "secrets.registrationSharedSecret.name": "string",
  "secrets.mediaS3.name": "string",
  "plan.ccu": "number",
  "plan.extrapolated": "boolean",
  "plan.postgresInstances": "number",
  "plan.maxConnections": "number",
  "plan.connectionsAtMax": "number",
  "plan.redisInstances": "number",
  "plan.workers.main": "number",
  "plan.notes": "object",
  turnUris: "object",
};

const at = (root: any, field: string): unknown => field.split(".").reduce((v, k) => v?.[k], root);

/** A StackReference under mocks: the outputs of another stack, as they were recorded. */
const reading = (outputs: Record<string, unknown>) =>
  evaluate({
    stack: "consumer",
    config: {},
    generator: (r) =>
      r.type === "pulumi:pulumi:StackReference" ? { name: r.inputs.name, outputs, secretOutputNames: [] } : {},
    program: async () => ({ ...homeserver("acme/matrix-ha/production") }),
  });

describe("outputs", () => {
  for (const t of TIERS) {
    it(`${t.name}: version ${CONTRACT_VERSION} of the contract, complete`, async () => {
      const {
        evaluation: { outputs, resources },
        plan,
      } = await evaluated(t.config);
      assert.equal(outputs.contract, 1);
      for (const [field, kind] of Object.entries(VERSION_1)) assert.equal(typeof at(outputs, field), kind, field);
      assert.equal(outputs.redis.database, 2, "database 2 is set aside for other stacks");
      assert.deepEqual(outputs.plan.workers, Object.fromEntries(plan.synapse.pools.map((p) => [p.class, p.replicas])));
      for (const url of Object.values(outputs.urls)) assert.match(url as string, /^https:\/\//);
      assert.match(outputs.caCertificate, /BEGIN CERTIFICATE/, "the stack's own CA is public");
      // Every reference leads to a key that is there.
      for (const ref of [outputs.redis.password, ...Object.values(outputs.secrets)] as SecretReference[]) {
        const secret = resources.find(
          (r) =>
            r.inputs?.kind === "Secret" &&
            r.inputs.metadata.name === ref.name &&
            r.inputs.metadata.namespace === ref.namespace,
        );
        assert.ok(secret?.inputs.stringData?.[ref.key], `${ref.namespace}/${ref.name} has ${ref.key}`);
      }
    });
  }

  it("name Services that are there", async () => {
    const {
      evaluation: { outputs, resources },
    } = await evaluated(tier(1000).config);
    const services = resources
      .filter((r) => r.inputs?.kind === "Service")
      .map((r) => `${r.inputs.metadata.name}.${r.inputs.metadata.namespace}.svc.cluster.local`);
    for (const address of [outputs.services.router, outputs.redis.host])
      assert.ok(
        services.some((s) => address.includes(s)),
        address,
      );
  });

  it("without a certificate of our own there is none, and no warning", async () => {
    const {
      evaluation: { outputs },
    } = await evaluated(tier(1000, { more: { tls: { mode: "acme", email: "admin@example.org" } } }).config);
    assert.ok(!("caCertificate" in outputs));
  });
});

describe("examples/consumer", () => {
  it("reads the outputs of a stack through a StackReference", async () => {
    const { outputs } = (await evaluated(tier(1000).config)).evaluation;
    const consumer = (await reading(outputs)).outputs;
    assert.deepEqual(consumer, {
      url: outputs.urls.homeserver,
      redis: outputs.redis,
      routerUrl: outputs.services.router,
    });
    assert.equal(consumer.redis.database, 2);
  });

  it("its program gives its pods a reference to the password, never the password", async () => {
    const { outputs, resources } = (await evaluated(tier(1000).config)).evaluation;
    const password = resources.find(
      (r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === outputs.redis.password.name,
    )!.inputs.stringData.password;
    const made = await evaluate({
      stack: "consumer",
      config: { "matrix-ha-consumer:homeserverStack": "acme/matrix-ha/production" },
      generator: (r) =>
        r.type === "pulumi:pulumi:StackReference" ? { name: r.inputs.name, outputs, secretOutputNames: [] } : {},
      program: async () => {
        const { podEnvironment, homeserverUrl } = await import("../../examples/consumer");
        return { podEnvironment, homeserverUrl };
      },
    });
    const variables = Object.fromEntries(made.outputs.podEnvironment.map((e: any) => [e.name, e]));
    assert.equal(variables.REDIS_URL.value, `redis://${outputs.redis.host}:6379/2`);
    assert.deepEqual(variables.REDIS_PASSWORD.valueFrom.secretKeyRef, {
      name: outputs.redis.password.name,
      key: outputs.redis.password.key,
    });
    assert.ok(!JSON.stringify(made.outputs).includes(password));
  });

  it("refuses a contract that it does not know", () => {
    // In a process of its own: a rejected output ends the program that holds it, as it should.
    const program = `
      const pulumi = require("@pulumi/pulumi");
      const outputs = { contract: 2, urls: { homeserver: "https://x" }, redis: {}, services: { router: "r" } };
      (async () => {
        await pulumi.runtime.setMocks({ newResource: (a) => ({ id: a.id || "id", state: a.type === "pulumi:pulumi:StackReference" ? { name: a.name, outputs, secretOutputNames: [] } : a.inputs }), call: (a) => a.inputs });
        const { homeserver } = require(${JSON.stringify(path.join(ROOT, "examples/consumer/homeserver.ts"))});
        homeserver("acme/matrix-ha/production").url.apply((u) => console.log("accepted " + u));
      })();`;
    const run = spawnSync(process.execPath, ["--import", "tsx", "--eval", program], { cwd: ROOT, encoding: "utf8" });
    assert.doesNotMatch(run.stdout, /accepted/);
    assert.match(run.stderr, /has version 2 of the contract, this consumer knows 1/);
    assert.notEqual(run.status, 0);
  });
});
