import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { planFor, report, sourceKind } from "../../cli/plan";

const ROOT = path.resolve(__dirname, "../..");
const run = (...args: string[]): { status: number | null; stdout: string; stderr: string; seconds: number } => {
  const from = Date.now();
  const r = spawnSync(process.execPath, ["--import", "tsx", "cli/plan.ts", ...args], { cwd: ROOT, encoding: "utf8" });
  return { status: r.status, stdout: r.stdout, stderr: r.stderr, seconds: (Date.now() - from) / 1000 };
};

describe("npm run plan", () => {
  it("--ccu 5000 --json: the promised fields", () => {
    const r = run("--ccu", "5000", "--json");
    assert.equal(r.status, 0, r.stderr);
    const p = JSON.parse(r.stdout);
    assert.equal(p.ccu, 5000);
    for (const key of ["role", "count", "cpu", "memoryGiB", "diskGiB"]) assert.ok(key in p.nodes[0], key);
    for (const key of ["class", "replicas", "maxReplicas", "cpu", "memoryMiB", "cpMax"])
      assert.ok(key in p.synapse.pools[0], key);
    for (const key of ["instances", "maxConnections", "connectionsAtMax"]) assert.ok(key in p.postgres, key);
    for (const key of ["instances", "quorum", "memoryMiB"]) assert.ok(key in p.redis, key);
    assert.ok(p.minio && p.turn && p.rtc);
  });

  it("prints on one page: machines, pools, connections, storage, failures", () => {
    const text = report(planFor({ ccu: 5000 }));
    for (const part of [
      "Machines to provide",
      "synchrotron",
      "8 to 12",
      "0.85 x max_connections 400",
      "growth about",
      "PostgreSQL primary: pod",
      "32 s",
      "MetalLB announces each address from one node",
    ])
      assert.ok(text.includes(part), part);
    assert.ok(Math.max(...text.split("\n").map((l) => l.length)) <= 170);
  });

  it("says of each failure whether its seconds were measured or are a bound", () => {
    const p = planFor({ ccu: 1000 });
    const kinds = Object.fromEntries(p.plan.failures.map((f) => [f.failure, sourceKind(f)]));
    assert.deepEqual(
      [
        "PostgreSQL primary: pod",
        "Synapse main: process",
        "PostgreSQL primary: node",
        "TURN: node",
        "Host lost: storage",
      ].map((f) => kinds[f]),
      ["measured", "bound", "target", "estimate", "design"],
    );
    const text = report(p);
    assert.match(text, /PostgreSQL primary: pod +32 s +measured/);
    assert.match(text, /Synapse main: process +20 s +bound/);
  });

  it("notes an unknown ingress controller, and that ACME gives TURN no certificate", () => {
    const notes = planFor({
      ccu: 1000,
      set: ["cluster.ingressClass=strange", 'tls={"mode":"acme","email":"a@example.org"}'],
    }).plan.notes.join("\n");
    assert.match(notes, /"strange" is not one of nginx/);
    assert.match(notes, /No TURN over TLS/);
    assert.doesNotMatch(planFor({ ccu: 1000 }).plan.notes.join("\n"), /No TURN over TLS|is not one of/);
  });

  it("takes settings: federation adds its workers", () => {
    const { plan: p } = planFor({ ccu: 1000, set: ["federation.enabled=true"] });
    assert.ok(p.synapse.pools.some((x) => x.class === "federation-sender"));
  });

  it("lists every error and ends with 2", () => {
    const r = run(
      "--ccu",
      "1000",
      "--set",
      "overrides.postgres.maxConnections=60",
      "--set",
      "overrides.minio.parity=5",
      "--json",
    );
    assert.equal(r.status, 2);
    assert.deepEqual(
      JSON.parse(r.stdout)
        .errors.map((e: { path: string }) => e.path)
        .sort(),
      ["overrides.minio.parity", "overrides.postgres.maxConnections"],
    );
  });

  it("shows its usage when called wrongly", () => {
    for (const args of [[], ["--ccu", "many"], ["--stack", "no-such-stack"], ["--nonsense"]]) {
      const r = run(...args);
      assert.equal(r.status, 2, args.join(" "));
      assert.match(r.stderr, /npm run plan/);
      assert.doesNotMatch(r.stderr, /\n {4}at /);
    }
  });

  it("needs neither engine nor provider: nothing of Pulumi is loaded", () => {
    const r = spawnSync(
      process.execPath,
      [
        "--import",
        "tsx",
        "-e",
        'require("./cli/plan.ts"); console.log(Object.keys(require.cache).filter((f) => f.includes("@pulumi")).length)',
      ],
      { cwd: ROOT, encoding: "utf8" },
    );
    assert.equal(r.stdout.trim(), "0", r.stderr);
  });
});
