/** What people do, times what it costs: the processes that carry it, the ceiling, and what the plan says of both. */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { ANCHOR_CCU } from "../../components/domain/anchors";
import { WORKER_CLASSES } from "../../components/domain/workerClasses";
import { WORKERS } from "../../components/domain/workers";
import { plan } from "../../components/plan";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing";
import {
  activityOf,
  FIGURES,
  peakRates,
  profileOf,
  type Activity,
  type Profile,
} from "../../components/sizing/activity";
import { ceilingOf, isBelowCeiling } from "../../components/sizing/ceiling";
import { COSTS, figure } from "../../components/sizing/costs";
import {
  classCpu,
  following,
  grown,
  loadOf,
  processesFor,
  serviceCpu,
  UTILISATION,
} from "../../components/sizing/load";
import { count } from "../../components/sizing/interpolate";
import { anyCcu, invalid, pool, sized } from "./helpers";

/** So large that room on them refuses nothing. */
const roomy = (s: Settings): void => {
  for (const host of s.hosts) Object.assign(host, { cpu: 512, memoryGiB: 4096 });
};
const doing =
  (activity: Partial<Settings["activity"]>, coreSpeed = 1) =>
  (s: Settings): void => {
    roomy(s);
    Object.assign(s, { activity: { profile: "typical", ...activity }, coreSpeed });
  };
const numbers = (p: Plan): Record<string, number> =>
  Object.fromEntries([
    ...p.synapse.pools.flatMap((x) => [
      [`${x.class}`, x.replicas],
      [`${x.class}, most`, x.maxReplicas],
    ]),
    ["postgres cores", p.postgres.cpu],
    ["connections", p.postgres.maxConnections],
    ["poolers", p.postgres.pooler.replicas],
    ["routers", p.router.replicas],
    ["media", p.minio?.growthGiBPerYear ?? 0],
    ["WAL a day", p.backups?.walGiBPerDay ?? 0],
    ["calls", p.rtc?.usersInCalls ?? 0],
    ["relays", p.turn?.allocations ?? 0],
  ]);

/** Figures at or above those of the typical profile, as factors. */
const anyRise = fc.record({
  messagesPerUserHour: fc.double({ min: 1, max: 40, noNaN: true }),
  peakFactor: fc.double({ min: 1, max: 3, noNaN: true }),
  recipientsOnline: fc.double({ min: 1, max: 10, noNaN: true }),
  loginsPerUserHour: fc.double({ min: 1, max: 20, noNaN: true }),
  mediaMiBPerUserDay: fc.double({ min: 1, max: 20, noNaN: true }),
  roomsPerUser: fc.double({ min: 1, max: 10, noNaN: true }),
});
type Rise = Record<keyof typeof FIGURES, number>;
const risen = (by: Partial<Rise>): Activity => {
  const typical = profileOf("typical");
  return Object.fromEntries(
    Object.entries(typical).map(([name, value]) => [name, value * (by[name as keyof Activity] ?? 1)]),
  ) as unknown as Activity;
};

describe("load: the activity", () => {
  it("of each profile has a source for every figure, and none falls from quiet to busy", () => {
    for (const [name, { quiet, typical, busy, source }] of Object.entries(FIGURES)) {
      assert.ok(quiet <= typical && typical <= busy, name);
      assert.ok(source.length > 30, name);
    }
  });

  it("is the profile's, with what the settings replace", () => {
    const s = sized(1000, doing({ profile: "busy", peakFactor: 3 }));
    assert.deepEqual(activityOf(s), { ...profileOf("busy"), peakFactor: 3 });
  });

  it("gives the rates of the busiest minute", () => {
    const rates = peakRates({ users: 3600, activity: profileOf("typical"), presence: true });
    assert.equal(rates.send, 6 * 1.5);
    // Four others each, three tenths of them by sliding sync.
    assert.equal(Math.round(rates.wake + rates.wakeSliding), 36);
    assert.equal(Math.round(rates.wakeSliding * 10), 108);
    // A wait that ends every 30 s, and one ended by each of four notices to four people.
    assert.equal(Math.round(rates.sync), 120 + 4 * 9 * 4);
    assert.equal(rates.presence, 6);
    // 5.2 MiB a day, an eighth of it in the busiest hour.
    assert.equal(rates.upload.toFixed(3), ((profileOf("typical").mediaMiBPerUserDay / 8) * 1.5).toFixed(3));
    assert.equal(peakRates({ users: 3600, activity: profileOf("typical"), presence: false }).presence, 0);
  });
});

describe("load: the costs", () => {
  it("follow from the rows: rest, following, and a class's own work", () => {
    const load = loadOf(sized(1000));
    const { send, typing, receipt, presence } = load.rates;
    const value = (operation: string, part: string): number => figure(COSTS, operation, part).value;
    const follows =
      send * value("send", "follower") +
      (typing + receipt + presence) * value("notice", "follower") +
      value("idle", "event-persister") / 2;
    assert.ok(Math.abs(following(load, "event-persister").cores - follows) < 1e-12);
    // Of what a send costs two persisters, their following is no work of their own.
    const own = send * (value("send", "event-persister") - 2 * value("send", "follower"));
    const measured = classCpu(load, "event-persister", 2).cores - 2 * follows;
    assert.ok(measured >= own && measured < own * 1.1, `${measured}, ${own}`);
  });

  it("that were measured below nothing cost nothing", () => {
    for (const cls of WORKER_CLASSES) assert.ok(classCpu(loadOf(sized(1000)), cls, 1).cores > 0, cls);
    assert.ok(figure(COSTS, "send", "minio").value < 0);
    const idle = figure(COSTS, "idle", "minio").value;
    const nobody = { ...loadOf(sized(1000)), rates: { ...loadOf(sized(1000)).rates, upload: 0, download: 0 } };
    assert.ok(serviceCpu(nobody, "minio", 20).cores >= idle);
  });

  it("of Redis and the database grow with the number of processes", () => {
    const load = loadOf(sized(10_000));
    for (const service of ["redis", "postgres", "pgbouncer"] as const)
      assert.ok(serviceCpu(load, service, 60).cores > 1.2 * serviceCpu(load, service, 20).cores, service);
    assert.equal(serviceCpu(load, "router", 60).cores, serviceCpu(load, "router", 20).cores);
  });

  it("are half of it on cores that are twice as fast", () => {
    const [slow, fast] = [1, 2].map((speed) => loadOf(sized(5000, doing({}, speed))));
    assert.ok(Math.abs(classCpu(slow!, "main", 1).cores - 2 * classCpu(fast!, "main", 1).cores) < 1e-12);
  });
});

describe("load: the processes", function () {
  // Thousands of plans.
  this.timeout(120_000);

  it("that carry it are the fewest that do", () => {
    fc.assert(
      fc.property(
        anyCcu(),
        fc.constantFrom(...WORKER_CLASSES),
        fc.double({ min: 0.1, max: 4, noNaN: true }),
        (ccu, cls, by) => {
          const load = grown(loadOf(sized(ccu)), by);
          const n = processesFor(load, cls);
          if (!Number.isFinite(n)) return assert.ok(following(load, cls).cores >= UTILISATION);
          assert.ok(classCpu(load, cls, n).cores <= n * UTILISATION + 1e-9);
          if (n > 1) assert.ok(classCpu(load, cls, n - 1).cores > (n - 1) * UTILISATION);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("with the usual activity are those of the deployments that were run, at every size of theirs", () => {
    const check = (ccu: number, profile: Profile, presence: boolean): void => {
      const p = plan(
        sized(ccu, (s) => {
          doing({ profile })(s);
          s.presence.enabled = presence;
        }),
      );
      for (const x of p.synapse.pools)
        assert.equal(x.replicas, count(WORKERS[x.class].size.replicas.row, ccu), `${x.class} at ${ccu}, ${profile}`);
      assert.equal(p.postgres.pooler.replicas, 3, `${ccu}`);
    };
    for (const profile of ["quiet", "typical"] as const)
      for (const ccu of [1, ...ANCHOR_CCU, 2_500, 12_345, 17_500])
        for (const presence of [true, false]) check(ccu, profile, presence);
  });

  it("are never fewer, and nothing else is less, where people do more", () => {
    let raised = 0;
    fc.assert(
      fc.property(anyCcu(), anyRise, anyRise, (ccu, a, b) => {
        const both = Object.fromEntries(
          Object.entries(a).map(([name, by]) => [name, by * b[name as keyof typeof b]]),
        ) as Partial<Rise>;
        const [usual, less, more] = [{}, risen(a), risen(both)].map((x) => sized(ccu, doing(x)));
        if (!isBelowCeiling(more!)) return;
        const [u, l, m] = [usual, less, more].map((s) => numbers(plan(s!)));
        for (const name of Object.keys(u!)) {
          assert.ok(l![name]! >= u![name]!, `${name}: ${u![name]} usually, ${l![name]} with more activity`);
          assert.ok(m![name]! >= l![name]!, `${name}: ${l![name]}, and ${m![name]} with still more`);
        }
        if (WORKER_CLASSES.some((cls) => m![cls]! > u![cls]!)) raised++;
      }),
      { numRuns: 150 },
    );
    assert.ok(raised >= 5, `only ${raised} of 150 needed more processes: the property proves little`);
  });

  it("carry what is accepted, within every limit", () => {
    fc.assert(
      fc.property(anyCcu(), anyRise, (ccu, by) => {
        const s = sized(ccu, doing(risen(by)));
        if (!isBelowCeiling(s)) return;
        const p = plan(s);
        assert.ok(p.load.ceiling.share <= 1.001, `${p.load.ceiling.share}`);
        for (const part of p.load.parts) {
          if (part.part !== "ingress" && part.part !== "minio")
            assert.ok(part.busy <= UTILISATION + 0.01, `${part.part} is busy for ${part.busy}`);
          assert.ok(part.least <= part.most, `${part.part}: ${part.least} of ${part.most}`);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("of a class with an override stay, and what they cannot carry is refused", () => {
    const s = sized(5_000, doing({ messagesPerUserHour: 12 }));
    s.overrides.pools = { receipts: { replicas: 2 } };
    assert.equal(pool(plan(s), "receipts").replicas, 2);
    s.overrides.pools = { synchrotron: { replicas: 2, maxReplicas: 2 } };
    const [error] = invalid(s).errors;
    assert.match(error!.allowed, /overrides\.pools\.synchrotron allows 2/);
    assert.match(error!.remedy, /raise overrides\.pools\.synchrotron/);
  });
});

describe("load: the ceiling", () => {
  it("is where the nearest limit stops holding", () => {
    for (const ccu of ANCHOR_CCU) {
      const s = sized(ccu);
      const { messagesPerSecond, share, limits } = ceilingOf(s);
      assert.ok(Math.abs(messagesPerSecond * share - loadOf(s).rates.send) < 1e-9);
      assert.deepEqual(
        limits.map((l) => l.messagesPerSecond),
        limits.map((l) => l.messagesPerSecond).sort((a, b) => a - b),
      );
      // Those of the hosts are refused as such.
      const own = limits.find((l) => !/cores$/.test(l.name))!;
      const factor = own.messagesPerSecond / loadOf(s).rates.send;
      assert.ok(isBelowCeiling(s, grown(loadOf(s), factor * 0.99)), `${ccu}: ${own.name}`);
      assert.ok(!isBelowCeiling(s, grown(loadOf(s), factor * 1.01)), `${ccu}: ${own.name}`);
    }
  });

  it("of following alone is what a process may use over what an event costs it, whatever the number of processes", () => {
    const s = sized(10_000);
    s.presence.enabled = false;
    const limit = ceilingOf(s).limits.find((l) => l.name.startsWith("every process reads"))!;
    // An event, and four notices that go with it; a little at rest.
    const event = figure(COSTS, "send", "follower").value + 4 * figure(COSTS, "notice", "follower").value;
    assert.ok(limit.messagesPerSecond < UTILISATION / event && limit.messagesPerSecond > (0.95 * UTILISATION) / event);
    // The literature's quarter of a core at 40 events a second, for comparison.
    assert.ok(Math.abs(40 * event - 0.25) < 0.01);
  });

  it("refuses a size above it, with how many users would do and what would help", () => {
    const s = sized(60_000, doing({}));
    const [error, ...others] = invalid(s).errors;
    assert.deepEqual([error!.path, others.length], ["ccu", 0]);
    assert.match(error!.given, /60,000 users who send 150 messages a second/);
    const users = Number(/of ([\d,]+) users, on cores/.exec(error!.allowed)![1]!.replace(/,/g, ""));
    assert.ok(users > 20_000 && users < 30_000, `${users}`);
    assert.match(error!.remedy, /coreSpeed.*activity\.messagesPerUserHour/);
    assert.ok(isBelowCeiling({ ...s, ccu: users }) && !isBelowCeiling({ ...s, ccu: users + 1 }));
  });

  it("refuses the rates of the tables that the sizes come from, and the plan says so", () => {
    const s = sized(20_000, doing({ messagesPerUserHour: 144, peakFactor: 1 }));
    const [error] = invalid(s).errors;
    assert.equal(error!.path, "activity");
    assert.match(error!.given, /800 messages a second/);
  });

  it("is higher on faster cores, in proportion", () => {
    const [slow, fast] = [1, 2].map((speed) => ceilingOf(sized(20_000, doing({}, speed))).messagesPerSecond);
    assert.ok(fast! > 1.5 * slow!, `${slow} and ${fast}`);
  });

  it("names one pooler where an override allows no more", () => {
    const s = sized(20_000, doing({}));
    s.overrides.postgres.poolerInstances = 1;
    assert.match(invalid(s).errors[0]!.allowed, /poolerInstances allows 1 PgBouncers/);
  });
});

describe("load: what the plan says", () => {
  it("has every part with its processes, its CPU and how it is known", () => {
    const p = plan(sized(10_000));
    const parts = p.load.parts.map((x) => x.part);
    for (const x of p.synapse.pools) assert.ok(parts.includes(x.class));
    for (const service of ["postgres", "pgbouncer", "redis", "router", "minio", "ingress"])
      assert.ok(parts.includes(service), service);
    for (const x of p.load.parts) {
      assert.ok(x.cores > 0 && x.busy > 0 && x.measured >= 0 && x.measured <= 1, x.part);
      assert.ok(x.recommended >= x.least, x.part);
    }
    // What was not measured is not said to be.
    assert.equal(p.load.parts.find((x) => x.part === "ingress")!.measured, 0);
    assert.ok(p.load.parts.find((x) => x.part === "receipts")!.measured < 0.5);
    assert.ok(p.load.parts.find((x) => x.part === "event-persister")!.measured > 0.6);
  });

  it("notes where little is left below the ceiling, and which class has less reserve than it should", () => {
    assert.ok(
      plan(sized(20_000)).notes.some((n) => /^THIN: 2\d,\d{3} users of this activity reach the ceiling/.test(n)),
    );
    assert.ok(!plan(sized(5_000)).notes.some((n) => /reach the ceiling/.test(n)));
    assert.ok(plan(sized(20_000)).notes.some((n) => /Less reserve than .*synchrotron \d+ instead of \d+/.test(n)));
  });

  it("raises media, calls and the archive with what people send and how they talk", () => {
    const [usual, more] = [
      {},
      { mediaMiBPerUserDay: 2 * profileOf("typical").mediaMiBPerUserDay, callShare: 0.2, messagesPerUserHour: 48 },
    ].map((activity) => plan(sized(1000, doing(activity))));
    assert.equal(more!.minio!.growthGiBPerYear, Math.ceil(2 * 1862.645));
    assert.ok(usual!.minio!.growthGiBPerYear === 1863);
    assert.deepEqual([usual!.rtc!.usersInCalls, more!.rtc!.usersInCalls], [100, 200]);
    assert.deepEqual([usual!.turn!.allocations, more!.turn!.allocations], [600, 1200]);
    assert.ok(more!.backups!.walGiBPerDay > usual!.backups!.walGiBPerDay);
    assert.ok(more!.load.walHours < usual!.load.walHours);
  });
});
