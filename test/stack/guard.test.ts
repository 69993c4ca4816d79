/** A destroy reaches the guard before anything else, and the guard can be deleted only if the keys can. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { DESTROY_GUARD } from "../../components/keys/DestroyGuard";
import { applySets } from "../../components/settings/stackFile";
import { evaluated, tier, TIERS, WITHOUT_OPERATORS } from "../../lab/common/tiers";

const ROOT = path.join(__dirname, "../..");
const SMALL = tier(1000, { more: WITHOUT_OPERATORS }).config;
const guardIn = (resources: RegisteredResource[]): RegisteredResource =>
  resources.find((r) => r.name === DESTROY_GUARD)!;
/**
 * Values that cannot be generated again: the server's identity, the key of its users' sessions, and the CA that clients
 * trust.
 */
const FATAL = ["secrets-signing-key", "secrets-macaroon", "secrets-database", "cluster-tls-ca-key", "cluster-tls-ca"];

describe("the guard of a destroy", () => {
  for (const t of TIERS) {
    it(`${t.name}: comes after every resource, so that it is the only one in the first wave`, async () => {
      const { resources } = (await evaluated(t.config)).evaluation;
      const guard = guardIn(resources);
      // The provider goes last anyway: every object names it.
      const others = resources.filter(
        (r) => r.custom && r.urn !== guard.urn && !r.type.startsWith("pulumi:providers:"),
      );
      assert.ok(others.length > 300);
      const byUrn = new Map(resources.map((r) => [r.urn, r])),
        before = new Set<string>();
      const walk = (r: RegisteredResource): void => {
        for (const d of r.named)
          if (!before.has(d)) {
            before.add(d);
            walk(byUrn.get(d)!);
          }
      };
      walk(guard);
      const free = others.filter((r) => !before.has(r.urn)).map((r) => r.urn);
      assert.deepEqual(free, []);
      assert.deepEqual(
        resources.filter((r) => r.dependencies.includes(guard.urn)).map((r) => r.urn),
        [],
        "and nothing on it",
      );
    });
  }

  it("never changes: its inputs are the same in every stack", async () => {
    for (const t of [tier(100), tier(20_000, { federation: true, s3: true })])
      assert.deepEqual(guardIn((await evaluated(t.config)).evaluation.resources).inputs, { byteLength: 4 });
  });

  it("its name says what is to be done, for the engine shows no more", () => {
    assert.match(DESTROY_GUARD, /destroy.*deletionProtection.*false.*savedKeys/);
  });

  const SAVED = "0123-4567-89ab-cdef";
  for (const [deletionProtection, savedKeys, kept] of [
    [true, undefined, true],
    [true, SAVED, true],
    [false, undefined, true],
    [false, SAVED, false],
    [false, "disposable", false],
  ] as const) {
    it(`deletionProtection ${deletionProtection}, savedKeys ${savedKeys ?? "absent"}: it and the keys are ${kept ? "protected" : "free"}`, async () => {
      const { resources } = await evaluate({
        stack: "test",
        config: { ...SMALL, deletionProtection, ...(savedKeys ? { savedKeys } : {}) },
      });
      for (const name of [DESTROY_GUARD, ...FATAL])
        assert.equal(resources.find((r) => r.name === name)?.protect, kept, name);
      assert.equal(
        resources.find((r) => r.inputs?.kind === "Cluster")?.protect,
        deletionProtection,
        "the database goes by deletionProtection alone",
      );
    });
  }
});

/** The program in a process of its own: one that fails ends it, as under the engine. */
function run(
  config: Record<string, unknown>,
  values: "known" | "unknown" = "known",
): { status: number | null; stdout: string; stderr: string } {
  const from = (file: string): string => JSON.stringify(path.join(ROOT, file));
  const preamble = `
    const { program } = require(${from("components/program.ts")}), { evaluate } = require(${from("cli/evaluate.ts")}), { deterministic } = require(${from("cli/generated.ts")});
    const config = ${JSON.stringify(config)}, done = () => console.log("done");
    const seen = (r) => { if (/RandomId/.test(r.type)) console.log("guard registered"); };`;
  // With a program of its own, an evaluation holds the settings against its keys.
  const known =
    "evaluate({ stack: 'test', config, program, generator: (r) => { seen(r); return deterministic(r); } }).then(done);";
  // A preview of a new stack knows no value that is yet to be made.
  const unknown = `
    const pulumi = require("@pulumi/pulumi");
    (async () => {
      await pulumi.runtime.setMocks({ newResource: (a) => { seen(a); return { id: a.name, state: a.inputs }; }, call: (a) => a.inputs }, "matrix-ha", "test", true, "organization");
      pulumi.runtime.setAllConfig(Object.fromEntries(Object.entries(config).map(([k, v]) => ["matrix-ha:" + k, typeof v === "string" ? v : JSON.stringify(v)])));
      await pulumi.runtime.runInPulumiStack(program);
      await pulumi.runtime.disconnect();
    })().then(done);`;
  return spawnSync(process.execPath, ["--import", "tsx", "--eval", preamble + (values === "known" ? known : unknown)], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

describe("savedKeys", function () {
  this.timeout(180_000); // a process each
  const base = applySets(SMALL, ["deletionProtection=false"]);
  const WRONG = "0000-0000-0000-0000";

  it("that are the stack's pass, and are what it gives out as its fingerprint", async () => {
    const { fingerprint } = (await evaluated(SMALL)).evaluation.outputs.signingKey;
    const done = run({ ...base, savedKeys: fingerprint });
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /guard registered[\s\S]*done/);
  });

  it("that are others fail the deployment, say what to do, and leave the guard as it was", () => {
    const done = run({ ...base, savedKeys: WRONG });
    assert.notEqual(done.status, 0);
    assert.match(
      done.stderr,
      /savedKeys\s+given: +0000-0000-0000-0000, while the keys of this stack are [0-9a-f-]{19}[\s\S]*npm run keys -- save --stack test/,
    );
    assert.doesNotMatch(done.stdout, /done|guard registered/);
  });

  it("of a stack that does not exist yet pass: nothing is known in its first preview", () => {
    const done = run({ ...base, savedKeys: WRONG }, "unknown");
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /done/);
  });

  it("are not held against the made-up keys of the tools", async () => {
    await evaluate({ stack: "test", config: { ...base, savedKeys: WRONG } });
  });

  it("an old signing key that is the present one fails the deployment too", async () => {
    const { id, verifyKey } = (await evaluated(SMALL)).evaluation.outputs.signingKey;
    const done = run({ ...base, oldSigningKeys: [{ id, key: verifyKey, expiredAt: "2026-11-20T14:30:00Z" }] });
    assert.notEqual(done.status, 0);
    assert.match(done.stderr, /oldSigningKeys\[0\]\.id\s+given: .*which the server signs with now/);
  });
});

describe("the identity among the outputs", () => {
  it("is public, and is not there in words where only the engine can decrypt the key", async () => {
    const { outputs } = await evaluate({
      stack: "test",
      config: { ...SMALL, importSecrets: { signingKey: "[encrypted by pulumi]" } },
    });
    assert.deepEqual(outputs.signingKey, { id: "(encrypted)", verifyKey: "(encrypted)", fingerprint: "(encrypted)" });
  });
});
