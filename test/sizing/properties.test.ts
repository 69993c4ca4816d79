import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { STREAMS } from "../../components/domain/workerClasses";
import { plan } from "../../components/plan";
import { quorumOf, type Plan } from "../../components/sizing";
import { RESERVED_CONNECTIONS } from "../../components/sizing/connections";
import { scaleAtPercent } from "../../components/sizing/synapsePools";
import { setDrivesOfNode, writeQuorum } from "../../components/sizing/minio";
import { anyCcu, anyOptions, FOURS, sized, withOptions } from "./helpers";

/** Every number that may not fall while users grow, by a name that says which fell. */
function numbers(p: Plan): Record<string, number> {
  const { postgres: pg, redis, minio, turn, rtc, monitoring, synapse } = p;
  const of = (prefix: string, o: object | undefined, keys: string[]): Array<[string, number]> =>
    o ? keys.map((k) => [`${prefix}.${k}`, (o as Record<string, number>)[k]]) : [];
  const sized3 = ["replicas", "cpu", "memoryMiB"];
  return Object.fromEntries([
    ...p.nodes.flatMap((m) => of(`nodes.${m.role}`, m, ["count", "cpu", "memoryGiB", "diskGiB"])),
    ...synapse.pools.flatMap((x) => of(`pools.${x.class}`, x, [...sized3, "maxReplicas", "cpMax", "cpMin"])),
    ...of("synapse", synapse, ["globalCacheFactor", "messagesPerSecond"]),
    ...of("rates", synapse.rateLimits, ["messagesPerSecond", "messagesBurst"]),
    ["eventCache", parseInt(synapse.eventCacheSize, 10)],
    ...of("postgres", pg, [
      "instances",
      "cpu",
      "memoryMiB",
      "storageGiB",
      "walStorageGiB",
      "maxConnections",
      "connectionsAtMax",
    ]),
    ...["shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size"].map(
      (k): [string, number] => [k, parseInt(pg.parameters[k], 10)],
    ),
    ...of("pooler", pg.pooler, [...sized3, "maxClientConnections", "defaultPoolSize"]),
    ...of("redis", redis, ["instances", "quorum", "memoryMiB", "maxmemoryMiB", "cpu"]),
    ...of("minio", minio, ["nodes", "usableGiB", "growthGiBPerYear", "cpu", "memoryMiB"]),
    ...of("router", p.router, [...sized3, "maxConnections"]),
    // More addresses share the users, and one pod of each works: a pod may have less, those that work have not.
    ["ingress.replicas", p.ingress.replicas],
    ["ingress.cpu, together", p.ingress.addresses.length * p.ingress.cpu],
    ["ingress.memoryMiB, together", p.ingress.addresses.length * p.ingress.memoryMiB],
    ...of("turn", turn, ["nodes", "cpu", "memoryMiB", "allocations"]),
    ...of("rtc", rtc, ["nodes", "cpu", "memoryMiB", "usersInCalls"]),
    ...of("prometheus", monitoring?.prometheus, [...sized3, "storageGiB"]),
  ]);
}

describe("sizing: properties of every plan", () => {
  it("more users never get less of anything", () => {
    fc.assert(
      fc.property(anyCcu(40_000), anyCcu(40_000), anyOptions, (a, b, o) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const less = numbers(plan(sized(low, withOptions(o))));
        const more = numbers(plan(sized(high, withOptions(o))));
        for (const [name, value] of Object.entries(less)) {
          assert.ok(Number.isFinite(value), `${name} is ${value}`);
          assert.ok(more[name] >= value, `${name}: ${value} at ${low} users, ${more[name]} at ${high}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("step by step from 100 to 20,000, nothing falls", () => {
    let before = numbers(plan(sized(100)));
    for (let ccu = 350; ccu <= 20_000; ccu += 250) {
      const now = numbers(plan(sized(ccu)));
      for (const [name, value] of Object.entries(before))
        assert.ok(now[name] >= value, `${name} falls at ${ccu}: ${value} to ${now[name]}`);
      before = now;
    }
  });

  it("connections at every autoscaler's maximum, and the reserve, stay within 0.85 x max_connections", () => {
    fc.assert(
      fc.property(anyCcu(60_000), anyOptions, (ccu, o) => {
        const p = plan(sized(ccu, withOptions(o)));
        // A process that may exist once has one more session, in which it asks whether it still may.
        const sessions = (x: (typeof p.synapse.pools)[number]): number => x.cpMax + (x.kind === "StatefulSet" ? 1 : 0);
        const open = p.synapse.pools.reduce((sum, x) => sum + x.maxReplicas * sessions(x), 0);
        assert.equal(p.postgres.connectionsAtMax, open);
        assert.ok(
          open + RESERVED_CONNECTIONS <= 0.85 * p.postgres.maxConnections,
          `${open} of ${p.postgres.maxConnections}`,
        );
        assert.equal(p.postgres.parameters.max_connections, String(p.postgres.maxConnections));
        for (const x of p.synapse.pools)
          assert.ok(x.cpMin <= x.cpMax && x.cpMax >= 4, `${x.class}: ${x.cpMin} to ${x.cpMax}`);
        // Session pooling: one pooler alone must carry every session while the others are replaced.
        assert.ok(p.postgres.pooler.maxClientConnections >= open && p.postgres.pooler.defaultPoolSize >= open);
      }),
      { numRuns: 100 },
    );
  });

  it("one process where Synapse takes one, two or more where the loss of a node must not be felt", () => {
    fc.assert(
      fc.property(anyCcu(), anyOptions, (ccu, o) => {
        const p = plan(sized(ccu, withOptions(o)));
        for (const stream of STREAMS) {
          const writer = p.synapse.pools.find((x) => x.class === p.synapse.streamWriters[stream]);
          assert.ok(writer, `${stream} has no writer`);
          assert.equal(writer.kind, "StatefulSet", `${stream}: others find its writer by the pod's name`);
          if (["typing", "to_device", "account_data", "presence", "push_rules"].includes(stream))
            assert.equal(writer.maxReplicas, 1, stream);
        }
        for (const x of p.synapse.pools) {
          assert.ok(x.maxReplicas >= x.replicas);
          if (x.recoverySeconds === undefined)
            assert.ok(x.replicas >= 2, `${x.class} has one process and no recovery time`);
        }
        assert.equal(
          p.synapse.pools.some((x) => x.class.startsWith("federation")),
          o.federation,
        );
        assert.equal(
          p.synapse.pools.some((x) => x.class === "presence"),
          o.presence && ccu >= 5000,
        );
        assert.ok(p.router.replicas >= 2 && p.ingress.replicas >= 2);
      }),
      { numRuns: 100 },
    );
  });

  it("no process requests more than the core that it can keep busy, so that its autoscaler can act", () => {
    fc.assert(
      fc.property(anyCcu(60_000), anyOptions, (ccu, o) => {
        const p = plan(sized(ccu, withOptions(o)));
        assert.ok(p.synapse.pools.length >= 13);
        for (const x of p.synapse.pools) assert.ok(x.cpu <= 1, `${x.class} requests ${x.cpu} cores at ${ccu}`);
      }),
      { numRuns: 60 },
    );
    // Where an override requests more, the target still is what one core can reach.
    for (const requested of [0.1, 0.25, 1, 1.5, 2, 4, 16]) {
      const target = (requested * scaleAtPercent(requested)) / 100;
      assert.ok(target > 0 && target <= Math.min(requested, 1) * 0.7 + 1e-9, `${requested}: scales out at ${target}`);
      assert.ok(target >= Math.min(requested, 1) * 0.7 - 0.01 * requested);
    }
  });

  it("quorums are majorities, and odd", () => {
    fc.assert(
      fc.property(anyCcu(60_000), (ccu) => {
        const { redis, postgres } = plan(sized(ccu));
        assert.equal(redis.quorum, Math.floor(redis.instances / 2) + 1);
        assert.ok(
          2 * redis.quorum > redis.instances && redis.instances % 2 === 1 && redis.maxmemoryMiB < redis.memoryMiB,
        );
        assert.ok(postgres.instances >= 3 && postgres.instances % 2 === 1);
      }),
    );
    assert.deepEqual([3, 5, 7].map(quorumOf), [2, 3, 4]);
  });

  it("the operator accepts the memory: shared_buffers stays below the request", () => {
    fc.assert(
      fc.property(anyCcu(), fc.option(fc.integer({ min: 192, max: 200_000 }), { nil: undefined }), (ccu, memoryMiB) => {
        const p = plan(
          sized(ccu, (s) => {
            s.hosts.forEach((h) => {
              h.memoryGiB = 256;
            });
            s.overrides.postgres.memoryMiB = memoryMiB;
          }),
        );
        const buffers = parseInt(p.postgres.parameters.shared_buffers, 10);
        assert.ok(buffers < p.postgres.memoryMiB);
        if (memoryMiB !== undefined)
          assert.ok(Math.abs(buffers - memoryMiB / 4) <= 1, `${buffers} MB of ${memoryMiB} MiB`);
        const [least, most] = [p.postgres.parameters.min_wal_size, p.postgres.parameters.max_wal_size].map((v) =>
          parseInt(v, 10),
        );
        assert.ok(least <= most && most < p.postgres.walStorageGiB * 1024);
      }),
    );
  });

  it("MinIO writes on with any one node lost", () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        anyCcu(40_000),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 3, max: 24 }),
        (ccu, drives, nodes) => {
          const s = sized(ccu);
          const storage = s.hosts.filter((h) => h.roles.includes("storage"));
          s.objectStore = { ...FOURS };
          s.hosts = [
            ...s.hosts.filter((h) => !h.roles.includes("storage")),
            ...Array.from({ length: nodes }, (_, i) => ({
              ...storage[0],
              name: `store-${i}`,
              address: `198.18.99.${i}`,
              disks: Array.from({ length: drives }, (_d, d) => ({
                id: `/dev/disk/by-id/x-${i}-${d}`,
                use: "object-store" as const,
                sizeGiB: 1000,
              })),
            })),
          ];
          let m: Plan["minio"];
          try {
            m = plan(s).minio;
          } catch (error) {
            // Refused is allowed, as long as it says so with numbers and a remedy.
            const e = (error as { errors: Array<{ given: string; allowed: string; remedy: string }> }).errors[0];
            assert.match(e.given + e.allowed, /\d/);
            assert.ok(e.remedy.length > 10);
            return;
          }
          accepted++;
          assert.ok(m && m.nodes <= nodes);
          assert.ok(m.parity <= m.erasureSetDrives / 2, "MinIO refuses more parity than half of the set");
          assert.ok(
            m.erasureSetDrives >= 2 &&
              m.erasureSetDrives <= 16 &&
              (m.nodes * m.drivesPerNode) % m.erasureSetDrives === 0,
          );
          assert.ok(m.parity >= m.drivesPerNode);
          assert.ok(
            m.erasureSetDrives - setDrivesOfNode(m) >= writeQuorum(m),
            `${m.erasureSetDrives} - ${setDrivesOfNode(m)} < ${writeQuorum(m)}`,
          );
          assert.ok(m.usableGiB <= m.nodes * m.drivesPerNode * m.driveGiB);
        },
      ),
      { numRuns: 200 },
    );
    assert.ok(accepted > 60, `only ${accepted} of 200 were accepted: the property proves little`);
  });

  it("says where it extrapolates, and only there", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60_000 }), (ccu) => {
        const p = plan(sized(ccu));
        assert.equal(p.extrapolated, ccu > 20_000);
        assert.equal(
          p.notes.some((n) => n.includes("Nothing was measured beyond 20,000")),
          ccu > 20_000,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("below 100 users the plan is that of 100", () => {
    assert.deepEqual(
      { ...numbers(plan(sized(1))), "router.maxConnections": 0 },
      { ...numbers(plan(sized(100))), "router.maxConnections": 0 },
    );
  });

  it("the same settings give the same plan", () => {
    fc.assert(
      fc.property(anyCcu(), anyOptions, (ccu, o) =>
        assert.deepEqual(plan(sized(ccu, withOptions(o))), plan(sized(ccu, withOptions(o)))),
      ),
      { numRuns: 20 },
    );
  });
});
