/** The commands as an operator runs them: each in its own process, with its output and exit code. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.join(__dirname, "../..");

function run(command: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["--import", "tsx", `cli/${command}.ts`, ...args], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
}

describe("commands", () => {
  it("plan --json has the fields that programs read", () => {
    const { status, stdout } = run("plan", "--stack", "large", "--json");
    assert.equal(status, 0);
    const plan = JSON.parse(stdout);
    assert.equal(plan.ccu, 20_000);
    for (const n of plan.nodes)
      for (const [k, kind] of Object.entries({
        role: "string",
        count: "number",
        cpu: "number",
        memoryGiB: "number",
        diskGiB: "number",
      }))
        assert.equal(typeof n[k], kind, `nodes[].${k}`);
    assert.deepEqual(plan.nodes.map((n: any) => n.role).sort(), [
      "application",
      "call",
      "control-plane",
      "database",
      "storage",
    ]);
    for (const p of plan.synapse.pools)
      for (const k of ["replicas", "maxReplicas", "cpu", "memoryMiB", "cpMax"])
        assert.equal(typeof p[k], "number", `synapse.pools[].${k}`);
    for (const k of ["instances", "maxConnections", "connectionsAtMax"])
      assert.equal(typeof plan.postgres[k], "number", `postgres.${k}`);
    for (const k of ["instances", "quorum", "memoryMiB"]) assert.equal(typeof plan.redis[k], "number", `redis.${k}`);
    for (const k of ["minio", "turn", "rtc"]) assert.equal(typeof plan[k], "object", k);
  });

  it("plan names machines, processes, connections, storage and failures", () => {
    const { status, stdout } = run("plan", "--stack", "small");
    assert.equal(status, 0);
    for (const word of ["application", "event-persister", "connections", "Media", "lost"])
      assert.match(stdout, new RegExp(word));
  });

  it("diff --set ccu=10000 on small counts what README.md and docs/operate.md say", () => {
    const { stdout } = run("diff", "--stack", "small", "--set", "ccu=10000");
    const [, create, change, replace, remove] =
      /^(\d+) to create, (\d+) to change, (\d+) to replace, (\d+) to delete/m.exec(stdout)!;
    assert.equal(remove, "0");
    const text = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
    const [readme, operate] = [text("README.md"), text("docs/operate.md")];
    assert.ok(readme.includes(`creates ${create} objects, changes ${change}, replaces ${replace} and deletes none`));
    assert.ok(operate.includes(`${create} objects created, ${change} changed, ${replace} replaced`));
    const restarting = stdout.match(/^ {2}[A-Z]\w+ [^ /]+\/\S+: /gm)!;
    assert.ok(operate.includes(`; ${restarting.length} workloads restart`), `${restarting.length}`);
  });

  it("diff --set ccu=5000 on small: grouped by layer, with the machines that it needs and the restarts with their reasons", () => {
    const { status, stdout, stderr } = run("diff", "--stack", "small", "--set", "ccu=5000");
    assert.equal(status, 0, stderr);
    const layers = stdout.split("\n").filter((l) => /^[a-z]+$/.test(l));
    for (const layer of ["hosts", "postgres", "redis", "objectstore", "synapse", "router"])
      assert.ok(layers.includes(layer), layer);
    assert.equal(new Set(layers).size, layers.length, "each layer once");
    assert.match(stdout, /^ {2}\+ app-\d+: \d+ CPU/m);
    assert.match(stdout, /Cluster matrix\/synapse-postgres/);
    assert.match(stdout, /^ {2}StatefulSet matrix\/synapse-main: \d+ s \([^)]*\)\. Why: its\s+configuration changed/m);
    assert.match(stdout, /\d+ to create, \d+ to change, \d+ to replace, 0 to delete/);
    assert.doesNotMatch(stdout, /BEGIN .*PRIVATE KEY/);
  });

  it("policy: counts the objects that it checked, and lists rules and exceptions with their reasons", () => {
    const { status, stdout } = run("policy", "--stack", "small", "--explain");
    assert.match(stdout, /^\d{3} objects, \d\d rules, 0 violations$/m, stdout);
    assert.match(stdout, /StatefulSet matrix\/synapse-main/);
    assert.equal(status, 0);
  });

  describe("errors are explained, with exit code 2 and without a stack trace", () => {
    const CASES: Array<[string, string[], RegExp]> = [
      ["plan", ["--ccu", "many"], /--ccu many: give a whole number/],
      ["plan", ["--no-such-option"], /no-such-option/],
      ["render", ["--stack", "small"], /--out is missing/],
      ["render", ["--out", "/nowhere"], /--stack is missing/],
      ["diff", ["--stack", "small"], /nothing to compare with/],
      ["policy", ["--stack", "nobody"], /There is no stack "nobody".*small/s],
      [
        "render",
        ["--stack", "small", "--out", "/nowhere", "--set", "ccu=-5"],
        /ccu[\s\S]*given[\s\S]*allowed[\s\S]*remedy:/,
      ],
      [
        "render",
        ["--stack", "small", "--out", "/nowhere", "--set", "ccu=20000"],
        /hosts[\s\S]*application[\s\S]*remedy/,
      ],
    ];
    for (const [command, args, message] of CASES) {
      it(`${command} ${args.join(" ")}`, () => {
        const { status, stderr } = run(command, ...args);
        assert.equal(status, 2, stderr);
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /^\s+at .*\.ts:/m, "no stack trace");
      });
    }
  });
});
