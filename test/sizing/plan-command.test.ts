import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { planFor, report, sourceKind } from "../../cli/plan";
import type { SettingsInvalid } from "../../components/core/errors";
import { plan } from "../../components/plan";
import type { Plan } from "../../components/sizing";
import { RUN_SIZES } from "../../components/sizing/hostSizes";

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
      "One pod of each address works, on the host that announces it",
    ])
      assert.ok(text.includes(part), part);
    assert.ok(Math.max(...text.split("\n").map((l) => l.length)) <= 170);
  });

  it("names the ending of user ids, which never changes, and every DNS record with its addresses", () => {
    const planned = planFor({ ccu: 1000, set: ["serverName=ids.example.org"] });
    const text = report(planned);
    assert.match(text, /User ids end in :ids\.example\.org/);
    const { hostnames, hosts } = planned.settings;
    for (const name of [...Object.values(hostnames), "ids.example.org"]) assert.ok(text.includes(`  ${name} `), name);
    for (const host of hosts.filter((h) => h.roles.includes("call")))
      assert.ok(text.includes(host.publicAddress ?? host.address), host.name);
    assert.match(text, /matrix\.example\.org +203\.0\.113\.10 \(the entrances\)/);
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
      "overrides.minio.parity=7",
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

  it("refuses a number of users out of range at once, before machines are made for it", () => {
    for (const ccu of [200_001, 1_000_000, 1e12]) {
      const from = process.cpuUsage();
      assert.throws(() => planFor({ ccu }), /from 1 to 200,000: concurrent users, not registered ones/);
      assert.ok(process.cpuUsage(from).user < 100_000, `${ccu} took ${process.cpuUsage(from).user} µs`);
    }
    assert.equal(planFor({ ccu: 20_000 }).plan.ccu, 20_000);
  });

  it("names the fewest machines beside the recommended ones; with one fewer it does not fit", () => {
    for (const ccu of [100, 1000, 5000, 20_000]) {
      const { settings, plan: p } = planFor({ ccu });
      const app = p.nodes.find((m) => m.role === "application")!;
      assert.ok(app.least >= 3 && app.least <= app.count, `${app.least} of ${app.count}`);
      const on = (count: number): Plan =>
        plan({
          ...settings,
          hosts: [
            ...settings.hosts.filter((h) => !h.roles.includes("application")),
            ...settings.hosts.filter((h) => h.roles.includes("application")).slice(0, count),
          ],
        });
      const maxima = (x: Plan): number[] => x.synapse.pools.map((c) => c.maxReplicas);
      assert.deepEqual(maxima(on(app.least)), maxima(p), `${app.least} machines bound the autoscalers at ${ccu}`);
      if (app.least > 3) {
        let fewer: number[] | undefined;
        try {
          fewer = maxima(on(app.least - 1));
        } catch {
          fewer = undefined;
        }
        assert.notDeepEqual(fewer, maxima(p), `${app.least - 1} machines would do at ${ccu}`);
      }
      for (const m of p.nodes) assert.ok(m.least >= 2 && m.least <= m.count, `${m.role}: ${m.least} of ${m.count}`);
    }
    const large = planFor({ ccu: 20_000 }).plan.nodes.find((m) => m.role === "application")!;
    assert.ok(large.least < large.count / 2, "the recommendation hides that far fewer do");
  });

  it("--machines plans the smallest machines that share all roles, and the next smaller size does not do", () => {
    const zones = ["a", "b", "c"];
    for (const [ccu, machines] of [
      [100, 3],
      [1000, 6],
    ] as const) {
      const { settings, plan: p, chosen } = planFor({ ccu, choose: { machines, zones } });
      assert.equal(settings.hosts.length, machines);
      for (const role of ["control-plane", "application", "database", "storage", "call"])
        assert.ok(settings.hosts.filter((h) => (h.roles as string[]).includes(role)).length >= 2, role);
      assert.equal(p.minio!.survives, machines >= 6 ? "zone" : "host");
      const maxima = (x: Plan): number[] => x.synapse.pools.map((c) => c.maxReplicas);
      assert.deepEqual(maxima(p), maxima(planFor({ ccu }).plan), "the autoscalers are bounded");
      const { size } = chosen!.groups[0]!;
      const smaller = RUN_SIZES.sizes.filter((s) => s.cpu * 4 + s.memoryGiB < size.cpu * 4 + size.memoryGiB);
      assert.ok(smaller.length >= 4);
      for (const { cpu, memoryGiB } of smaller) {
        const hosts = settings.hosts.map((h) => ({ ...h, cpu, memoryGiB }));
        let fewer: number[] | undefined;
        try {
          fewer = maxima(plan({ ...settings, hosts }));
        } catch {
          fewer = undefined;
        }
        assert.notDeepEqual(fewer, maxima(p), `${cpu} vCPU, ${memoryGiB} GiB would do`);
      }
    }
    assert.throws(
      () => planFor({ ccu: 20_000, choose: { machines: 4 } }),
      /--machines 4: no size of the catalogue holds 20,000 users with any one lost; .* Give --machines \d+, or/,
    );
  });

  it("--users and --domain are for new stacks; --machines stands alone, or with prices of one's own", () => {
    const dir = mkdtempSync(path.join(tmpdir(), "sizes-"));
    try {
      const file = path.join(dir, "sizes.yaml");
      writeFileSync(
        file,
        "currency: EUR\nsizes:\n  - { name: big, cpu: 16, memoryGiB: 64, diskGB: 4000, pricePerMonth: 99.5 }\n",
      );
      const r = run("--users", "100", "--domain", "charity.example", "--machines", "--sizes", file);
      assert.equal(r.status, 0, r.stderr);
      for (const part of [
        /^100 concurrent users, on 3 chosen machines$/m,
        /^ {2}big +3 +16 +64 GiB +2,083 GB +99\.5 EUR +control-plane, application, database, storage, call on 2$/m,
        /^ {2}chosen +3 +48 +192 GiB +298\.5 EUR$/m,
        /^ {2}as deployments of this size had +15 +72 +168 GiB +1,492\.5 EUR$/m,
        /^ {2}saved +12 +24 +-24 GiB +1,194 EUR$/m,
        /THIN: cores and memory hold/,
        /^ {2}matrix-ha:domain: charity\.example$/m,
        /^ {4}- \{ name: host-1, address: 198\.18\.0\.1, roles: \[control-plane, application, database, storage\], cpu: 16, memoryGiB: 64,$/m,
      ])
        assert.match(r.stdout, part);
      writeFileSync(file, "sizes:\n  - { name: big, cpu: many, memoryGiB: 64 }\n  - { name: big, cpu: 8 }\n");
      const wrong = run("--users", "100", "--machines", "--sizes", file, "--json");
      assert.equal(wrong.status, 2);
      assert.deepEqual(
        JSON.parse(wrong.stdout).errors.map((e: { path: string }) => e.path),
        ["sizes[0].cpu", "sizes[1].memoryGiB", "sizes[1].name"],
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("explains concurrent users, and where little is missing names the request to lower, not machines of twice the size", () => {
    assert.match(
      report(planFor({ ccu: 100 })),
      /Concurrent users are those whose client is connected at the same moment/,
    );
    const remedy = (set: string): string => {
      try {
        planFor({ ccu: 1000, set: [set] });
      } catch (error) {
        return (error as SettingsInvalid).errors.map((e) => e.remedy).join("\n");
      }
      return assert.fail("accepted");
    };
    assert.equal(
      remedy("overrides.minio.cpu=8"),
      "set overrides.minio.cpu to 7 (it requests 8), or give every storage host at least 10 CPU / 16 GiB",
    );
    const lowered = planFor({ ccu: 1000, set: ["overrides.minio.cpu=7"] });
    assert.equal(lowered.plan.minio!.cpu, 7);
    assert.match(
      remedy("overrides.postgres.cpu=7.8"),
      /set overrides\.postgres\.cpu to [67][\d.]* .* at least 10 CPU \/ 32 GiB/,
    );
  });

  it("shows its usage when called wrongly", () => {
    for (const args of [
      [],
      ["--ccu", "1000", "--machines", "2"],
      ["--ccu", "1000", "--machines", "3", "--prefer", "cheapest"],
      ["--ccu", "1000", "--zones", "a,b"],
      ["--ccu", "1000", "--users", "1000"],
      ["--stack", "small", "--machines"],
      ["--ccu", "many"],
      ["--stack", "no-such-stack"],
      ["--nonsense"],
    ]) {
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
