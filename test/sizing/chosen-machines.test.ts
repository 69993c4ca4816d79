/** The machines that the plan chooses: its promises, with a scheduler of the test's own. */
import * as assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { evaluate } from "../../cli/evaluate";
import { chooseMachines, chosenTotals, machineNotes, stackText, type ChosenMachines } from "../../cli/machines";
import { planFor } from "../../cli/plan";
import type { Plan } from "../../components/sizing";
import { partitions } from "../../components/sizing/chooseHosts";
import { hostSizes } from "../../components/sizing/hostSizes";
import { readStackConfig } from "../../components/settings/stackFile";
import { renderedPods, unplaced, type Pods } from "./packing";

const choose = (ccu: number, options: Parameters<typeof chooseMachines>[1] = {}): ChosenMachines =>
  chooseMachines(ccu, options, (config) => config);

/** Machines of the deployments that were run, by the tables of those deployments. */
const RUN: Array<[ccu: number, machines: number]> = [
  [100, 15],
  [1_000, 19],
  [5_000, 24],
  [10_000, 34],
  [20_000, 51],
];

/** A stack file with what the plan prints, and the settings that are not about machines. */
function withStackFile<T>(chosen: ChosenMachines, use: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "chosen-"));
  try {
    writeFileSync(
      join(dir, "Pulumi.chosen.yaml"),
      `config:
  matrix-ha:tls: { mode: own-ca }
  matrix-ha:backups: { acceptNoOffsite: true }
  matrix-ha:addressPools:
    - { name: public, addresses: [203.0.113.10-203.0.113.20] }
${stackText(chosen)}
`,
    );
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The pods of a plan, counted here again; operators and the pods of every host left out. */
function plannedPods(p: Plan): Pods[] {
  const floating = (
    name: string,
    s: { replicas: number; cpu: number; memoryMiB: number },
    replicas = s.replicas,
  ): Pods => ({
    name,
    role: "application",
    replicas,
    cpu: s.cpu,
    memoryMiB: s.memoryMiB,
  });
  const tied = (name: string, role: string, replicas: number, s: { cpu: number; memoryMiB: number }): Pods => ({
    name,
    role,
    replicas,
    cpu: s.cpu,
    memoryMiB: s.memoryMiB,
    tied: true,
  });
  return [
    tied("postgres", "database", p.postgres.instances, p.postgres),
    ...(p.minio ? [tied("minio", "storage", p.minio.nodes, p.minio)] : []),
    ...(p.turn ? [tied("coturn", "call", p.turn.nodes, p.turn)] : []),
    ...(p.rtc ? [tied("livekit", "call", p.rtc.nodes, p.rtc)] : []),
    tied("redis-synapse", "application", p.redis.instances, p.redis),
    ...(p.rtc ? [tied("redis-livekit", "application", p.redis.instances, p.redis)] : []),
    ...p.synapse.pools.map((pool) => floating(pool.class, pool, pool.maxReplicas)),
    floating("pooler", p.postgres.pooler),
    floating("router", p.router),
    floating("ingress", p.ingress),
    ...(p.monitoring ? [floating("prometheus", p.monitoring.prometheus)] : []),
  ];
}

describe("chosen machines", () => {
  it("for 100 users are three that share all roles, not fifteen", () => {
    const chosen = choose(100);
    assert.deepEqual(
      chosen.groups.map((g) => [g.size.name, g.hosts.length, g.roles]),
      [["16-64", 3, ["control-plane", "application", "database", "storage", "call"]]],
    );
    assert.deepEqual(choose(100, { machines: 3 }).section, chosen.section);
    for (const role of ["control-plane", "application", "database", "storage"])
      assert.equal(chosen.section.hosts.filter((h) => (h.roles as string[]).includes(role)).length, 3, role);
    assert.deepEqual(chosen.section.minioPools, [3]);
  });

  for (const [ccu, most] of RUN) {
    for (const zones of [undefined, ["a", "b", "c"]])
      it(`for ${ccu} users${zones ? " in zones" : ""}: the printed stack file is accepted, without a warning`, function () {
        this.timeout(120_000);
        const chosen = choose(ccu, { zones });
        assert.ok(chosen.section.hosts.length <= most, `${chosen.section.hosts.length} of ${most}`);
        withStackFile(chosen, (dir) => {
          const { settings, plan } = planFor({ stack: "chosen", cwd: dir });
          assert.deepEqual(settings.hosts, chosen.settings.hosts);
          assert.deepEqual(
            plan.notes.filter((note) => /WARNING|no room|further storage hosts|overrides\.minio\.pools: \[/.test(note)),
            [],
          );
          assert.deepEqual(
            plan.zones.flatMap((zone) => zone.effects.filter((e) => e.outcome === "stops")),
            [],
          );
          assert.equal(plan.zones.length, zones ? 3 : 0);
        });
      });

    it(`for ${ccu} users: the rendered pods find room, with any one host lost`, async function () {
      this.timeout(600_000);
      const chosen = choose(ccu);
      const config = withStackFile(chosen, (dir) => readStackConfig("chosen", dir));
      const { resources } = await evaluate({ stack: "chosen", config });
      const pods = renderedPods(resources.map((r) => r.inputs).filter((o) => o?.kind !== undefined));
      assert.ok(pods.length > 35, `${pods.length} workloads`);
      assert.ok(
        pods.reduce((all, p) => all + p.cpu * (p.replicas === "all" ? 2 : p.replicas), 0) > 15,
        "hardly anything is requested",
      );
      assert.equal(unplaced(chosen.settings.hosts, pods), undefined);
      // With two machines fewer it is no question of order any more.
      assert.notEqual(unplaced(chosen.settings.hosts.slice(0, -2), pods), undefined);
    });
  }

  it("hold everything with any one lost, have no role that may not be shared, and never are more than were run", function () {
    this.timeout(600_000);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.constantFrom("fewest" as const, "cheapest" as const),
        fc.boolean(),
        (ccu, prefer, zoned) => {
          const zones = zoned ? ["a", "b", "c"] : undefined;
          const chosen = choose(ccu, { prefer, zones });
          const { hosts } = chosen.section;
          const p = chosen.plan;
          assert.equal(unplaced(hosts, plannedPods(p)), undefined);
          const of = (role: string): number => hosts.filter((h) => (h.roles as string[]).includes(role)).length;
          assert.equal(of("control-plane"), 3);
          assert.equal(of("database"), p.postgres.instances);
          assert.equal(of("storage"), p.minio!.nodes);
          assert.ok(of("application") >= p.redis.instances && of("call") >= 2);
          for (const h of hosts) assert.ok(h.roles.length > 0, h.name);
          assert.equal(new Set(hosts.map((h) => h.name)).size, hosts.length);
          assert.equal(new Set(hosts.map((h) => h.address)).size, hosts.length);
          const [, above] = RUN.find(([size]) => size >= ccu)!;
          assert.ok(hosts.length <= above, `${hosts.length} machines for ${ccu}`);
          // A drive of MinIO and the database never share a disk, and parity covers the drives of a host.
          assert.ok(p.minio!.parity >= p.minio!.drivesPerNode);
          assert.deepEqual(
            choose(ccu, { prefer, zones }).section,
            chosen.section,
            "another answer to the same question",
          );
        },
      ),
      { numRuns: 12 },
    );
  });

  it("never become fewer, or cheaper, with more users", function () {
    this.timeout(600_000);
    for (const prefer of ["fewest", "cheapest"] as const) {
      const measure = (ccu: number): number => {
        const t = chosenTotals(choose(ccu, { prefer }));
        return prefer === "fewest" ? t.machines : t.cpu + t.memoryGiB / 4;
      };
      let [last, lastCcu] = [0, 0];
      for (const ccu of [1, 100, 150, 400, 1_000, 1_700, 3_000, 5_000, 7_500, 10_000, 14_000, 19_999, 20_000]) {
        const now = measure(ccu);
        assert.ok(now >= last, `${prefer}: ${last} for ${lastCcu} users, ${now} for ${ccu}`);
        [last, lastCcu] = [now, ccu];
      }
    }
  });

  it("say where they are thin", () => {
    const three = machineNotes(choose(100, { machines: 3 })).join("\n");
    assert.match(three, /^THIN: cores and memory hold 1\d\d users, \d+ % more than planned/m);
    assert.match(three, /^THIN: 3 storage hosts, where deployments of this size had 4/m);
    const roomy = machineNotes(choose(100, { machines: 12 })).join("\n");
    assert.doesNotMatch(roomy, /THIN: cores/);
    assert.match(machineNotes(choose(1_000, { machines: 4 })).join("\n"), /no prices/);
    // As many users as it says fit, and no more.
    const { holdsUpTo } = choose(1_000);
    assert.ok(holdsUpTo! >= 1_000);
    const fits = (ccu: number): boolean => {
      const chosen = choose(ccu, {
        machines: choose(1_000).section.hosts.length,
        sizes: { sizes: [choose(1_000).groups[0]!.size] },
      });
      return chosen.section.hosts.length > 0;
    };
    assert.ok(fits(holdsUpTo!));
    assert.throws(() => fits(holdsUpTo! + 1), /no size of the catalogue holds/);
  });

  it("leave out roles that nothing needs", () => {
    const s3 =
      "objectStore={kind: s3, endpoint: https://s3.example.com, bucket: media, accessKey: AKIAEXAMPLE, secretKey: 0123456789abcdef}";
    const { chosen, settings } = planFor({
      ccu: 100,
      choose: {},
      set: [s3, "turn.enabled=false", "rtc.enabled=false"],
    });
    const roles = new Set(settings.hosts.flatMap((h) => h.roles));
    assert.deepEqual([...roles].sort(), ["application", "control-plane", "database"]);
    assert.doesNotMatch(stackText(chosen!), /objectStore|object-store/);
  });

  it("are not blamed for a wrong setting", () => {
    const wrong = { ccu: 1_000, choose: {}, set: ["overrides.postgres.maxConnections=60"] };
    assert.throws(() => planFor(wrong), /overrides\.postgres\.maxConnections/);
  });

  it("divide five roles in 52 ways", () => {
    const roles = ["control-plane", "application", "database", "storage", "call"] as const;
    const all = partitions(roles).map((sets) => JSON.stringify(sets.map((set) => [...set].sort()).sort()));
    assert.equal(new Set(all).size, 52);
    assert.equal(partitions(roles)[0]!.length, 1);
  });
});

describe("a catalogue of machines", () => {
  const PRICED = {
    currency: "EUR",
    sizes: [
      { name: "small", cpu: 8, memoryGiB: 32, diskGB: 2_000, pricePerMonth: 40 },
      { name: "large", cpu: 16, memoryGiB: 64, diskGB: 4_000, pricePerMonth: 100 },
      { name: "huge", cpu: 48, memoryGiB: 256, diskGB: 8_000, pricePerMonth: 400.5 },
    ],
  };

  it("with prices: the cheapest costs less than the fewest, and each shows its price beside what was run", () => {
    const sizes = hostSizes(PRICED);
    const [fewest, cheapest] = (["fewest", "cheapest"] as const).map((prefer) => choose(100, { sizes, prefer }));
    assert.deepEqual([fewest!.groups[0]!.size.name, fewest!.section.hosts.length], ["large", 3]);
    assert.equal(chosenTotals(fewest!).price, 300);
    assert.ok(chosenTotals(cheapest!).price! < 300, `${chosenTotals(cheapest!).price}`);
    const { plan, settings } = cheapest!;
    assert.equal(unplaced(settings.hosts, plannedPods(plan)), undefined);
  });

  it("with small drives: more machines hold them", () => {
    const sizes = hostSizes({ sizes: [{ name: "short", cpu: 16, memoryGiB: 64, diskGB: 1_800 }] });
    const { groups, section } = choose(100, { sizes });
    assert.equal(section.hosts.length, 4);
    assert.ok(groups.every((g) => g.diskGB <= 1_800));
    assert.throws(
      () => choose(100, { sizes, machines: 3 }),
      /--machines 3: no size of the catalogue holds 100 users with any one lost; the largest has 16 vCPU, 64 GiB, 1,800 GB of drives\. Give --machines 4, or a catalogue/,
    );
  });

  it("with every mistake at once", () => {
    const errors = (raw: unknown): string[] => {
      try {
        hostSizes(raw);
      } catch (error) {
        return (error as { errors: Array<{ path: string; given: string }> }).errors
          .map((e) => `${e.path}: ${e.given}`)
          .sort();
      }
      return assert.fail("accepted");
    };
    assert.deepEqual(
      errors({
        sizes: [
          { name: "a", cpu: 0, memoryGiB: "much", pricePerMonth: 1 },
          { name: "a", cpu: 4, memoryGib: 8 },
        ],
      }),
      [
        "currency: nothing, while sizes have prices",
        "sizes[0].cpu: 0",
        'sizes[0].memoryGiB: "much"',
        "sizes[1].memoryGiB: nothing",
        "sizes[1].memoryGib: a field that does not exist",
        'sizes[1].name: "a", the same as sizes[0].name',
        "sizes[1].pricePerMonth: nothing, while 1 of 2 sizes have a price",
      ],
    );
    assert.deepEqual(errors({ sizes: [] }), ["sizes: an empty list"]);
    assert.deepEqual(errors("text"), ["the catalogue: a text"]);
  });
});
