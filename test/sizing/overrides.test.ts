import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Settings } from "../../components/settings/types";
import { exampleConfig } from "../../cli/exampleStack";
import type { SettingsError } from "../../components/core/errors";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { applySets } from "../../components/settings/stackFile";
import { erasureSetSize, layoutFor } from "../../components/sizing/minio";
import { invalid, pool, sized, FOURS } from "./helpers";

/** Four storage hosts with one pool of four, which survives the loss of a host. */
const FOUR = ['objectStore={"kind":"minio"}', "-store-5", "-store-6"];

/** Settings over those of 1,000 users (`-NAME`: without that host), where the error is, and a word of it. */
const BAD: Array<[what: string, sets: string[], path: string, says: RegExp]> = [
  [
    "a second writer of typing",
    ["overrides.pools.ephemeral.replicas=2"],
    "overrides.pools.ephemeral.replicas",
    /^2 1:/,
  ],
  ["a second main", ["overrides.pools.main.replicas=2"], "overrides.pools.main.replicas", /^2 1:/],
  ["an unknown class", ["overrides.pools.sync.replicas=2"], "overrides.pools.sync", /synchrotron/],
  [
    "a class that does not exist",
    ["overrides.pools.federation-sender.replicas=2"],
    "overrides.pools.federation-sender",
    /federation.enabled/,
  ],
  [
    "a maximum for what does not scale",
    ["overrides.pools.media.maxReplicas=9"],
    "overrides.pools.media.maxReplicas",
    /autoscaled/,
  ],
  [
    "a maximum below the replicas",
    ["overrides.pools.generic={replicas: 5, maxReplicas: 4}"],
    "overrides.pools.generic.maxReplicas",
    /at least replicas \(5\)/,
  ],
  ["half a process", ["overrides.pools.generic.replicas=2.5"], "overrides.pools.generic.replicas", /whole number/],
  ["too few connections", ["overrides.postgres.maxConnections=60"], "overrides.postgres.maxConnections", /0\.85/],
  [
    "max_connections as a parameter",
    ["overrides.postgres.parameters.max_connections=500"],
    "overrides.postgres.parameters.max_connections",
    /overrides.postgres.maxConnections/,
  ],
  [
    "shared_buffers above the memory",
    ["overrides.postgres.parameters.shared_buffers=64GB"],
    "overrides.postgres.parameters.shared_buffers",
    /refuses/,
  ],
  [
    "shared_buffers that is no size",
    ["overrides.postgres.parameters.shared_buffers=much"],
    "overrides.postgres.parameters.shared_buffers",
    /512MB/,
  ],
  ["two PostgreSQL instances", ["overrides.postgres.instances=2"], "overrides.postgres.instances", /from 3/],
  ["more PostgreSQL instances than hosts", ["overrides.postgres.instances=5"], "hosts", /add 2 database hosts/],
  ["four Redis instances", ["overrides.redis.instances=4"], "overrides.redis.instances", /odd/],
  [
    "parity above half of the set",
    [...FOUR, "overrides.minio.parity=5"],
    "overrides.minio.parity",
    /at most half of the set/,
  ],
  [
    "parity that a node's drives exceed",
    [...FOUR, "overrides.minio.parity=1"],
    "overrides.minio.parity",
    /parity 2 or 3 or 4/,
  ],
  ["drives that do not exist", ["overrides.minio.driveGiB=9999"], "overrides.minio.driveGiB", /at most \d+ GiB/],
  ["more MinIO nodes than storage hosts", [...FOUR, "overrides.minio.nodes=6"], "overrides.minio.nodes", /at most 4/],
  ["two storage hosts", [...FOUR, "-store-1", "-store-2"], "hosts", /objectStore.kind: s3/],
  ["a storage host without a drive", ["hosts[12].disks=[]"], "hosts[12].disks", /store-2/],
  ["one call host", ["-call-1", "-call-2", "-call-3"], "hosts", /add 1 call host/],
  ["one router", ["overrides.router.replicas=1"], "overrides.router.replicas", /from 2/],
  ["overlapping UDP ranges", ["rtc.udpPortMin=54000"], "rtc.udpPortMin", /share no port/],
  ["a relay range that is too small", ["turn.minPort=54900"], "turn.minPort", /400 ports/],
  [
    "a range that ends before it begins",
    ["turn.minPort=55001", "turn.maxPort=55000", "rtc.enabled=false"],
    "turn.maxPort",
    /not smaller than the first/,
  ],
  ["no users", ["ccu=0"], "ccu", /from 1/],
];

/** What is said of a configuration, whether the settings find it or the plan does. */
function errorsOf(sets: string[]): readonly SettingsError[] {
  const { hosts, ...config } = exampleConfig(1000) as { hosts: Array<{ name: string }> };
  const kept = hosts.filter((h) => !sets.includes(`-${h.name}`));
  const written = sets.filter((s) => !s.startsWith("-"));
  const { settings, errors } = resolveSettings(applySets({ ...config, hosts: kept }, written), "test");
  return settings ? invalid(settings).errors : errors;
}

describe("sizing: overrides", () => {
  for (const [what, sets, path, says] of BAD) {
    it(`refuses ${what}, once`, () => {
      const errors = errorsOf(sets);
      const [error, ...more] = errors.filter((e) => e.path === path);
      assert.ok(error, `no error at ${path}: ${JSON.stringify(errors)}`);
      assert.deepEqual(more, []);
      assert.match(`${error.given} ${error.allowed} ${error.remedy}`, says);
      assert.ok(error.given !== "" && error.allowed !== "" && error.remedy !== "");
    });
  }

  it("lists everything that is wrong at once, what the settings find and what only the plan does", () => {
    const found = errorsOf(["overrides.redis.instances=2", "overrides.router.replicas=1", "rtc.udpPortMin=54000"]);
    assert.deepEqual(found.map((e) => e.path).sort(), [
      "overrides.redis.instances",
      "overrides.router.replicas",
      "rtc.udpPortMin",
    ]);
    const planned = errorsOf([
      "overrides.postgres.maxConnections=60",
      "overrides.minio.driveGiB=9999",
      "turn.minPort=54900",
    ]);
    assert.deepEqual(planned.map((e) => e.path).sort(), [
      "overrides.minio.driveGiB",
      "overrides.postgres.maxConnections",
      "turn.minPort",
    ]);
  });

  it("applies given values, and computes the budget again", () => {
    const p = plan(
      sized(1000, (s) => {
        s.overrides.pools.synchrotron = { replicas: 5, maxReplicas: 20, cpu: 0.5, memoryMiB: 1024, cpMax: 10 };
        s.overrides.redis.instances = 5;
        s.overrides.synapse = { globalCacheFactor: 7, eventCacheSize: "99K" };
      }),
    );
    const { replicas, maxReplicas, cpu, memoryMiB, cpMax } = pool(p, "synchrotron");
    assert.deepEqual([replicas, maxReplicas, cpu, memoryMiB, cpMax], [5, 20, 0.5, 1024, 10]);
    assert.ok(p.postgres.maxConnections > 300 && p.postgres.connectionsAtMax + 10 <= 0.85 * p.postgres.maxConnections);
    assert.ok(p.notes.some((n) => n.startsWith("max_connections is")));
    assert.deepEqual([p.redis.quorum, p.synapse.globalCacheFactor, p.synapse.eventCacheSize], [3, 7, "99K"]);
  });

  it("lowers pools to a given max_connections, those with a given cpMax excepted, and holds the budget", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 400 }), (maxConnections) => {
        const p = plan(
          sized(1000, (s) => {
            s.overrides.postgres.maxConnections = maxConnections;
            s.overrides.pools.media = { cpMax: 6 };
          }),
        );
        assert.equal(p.postgres.maxConnections, maxConnections);
        assert.ok(p.postgres.connectionsAtMax + 10 <= 0.85 * maxConnections);
        assert.equal(pool(p, "media").cpMax, 6);
        p.synapse.pools.forEach((x) => assert.ok(x.cpMax >= 4));
      }),
    );
  });

  it("erasure sets: largest that divides and holds equally many of each node", () => {
    assert.deepEqual(
      [
        [4, 2],
        [3, 1],
        [4, 1],
        [8, 2],
        [12, 2],
        [5, 2],
        [16, 4],
        [17, 1],
      ].map(([n, d]) => erasureSetSize(n, d)),
      [8, 3, 4, 16, 12, 10, 16, undefined],
    );
    assert.deepEqual(layoutFor(4, 2), { nodes: 4, drivesPerNode: 2, erasureSetDrives: 8, parity: 4 });
  });

  it("leaves hosts out rather than make unequal sets, and says so", () => {
    const p = plan(
      sized(1000, (s) => {
        const store = s.hosts.find((h) => h.name === "store-1")!;
        s.objectStore = { ...FOURS };
        s.hosts = [
          ...s.hosts.filter((h) => !/^store-[56]$/.test(h.name)),
          ...Array.from({ length: 13 }, (_, i) => ({ ...store, name: `more-${i}`, address: `198.18.77.${i}` })),
        ];
      }),
    );
    assert.equal(p.minio!.nodes, 16);
    assert.ok(p.notes.some((n) => n.startsWith("1 of 17 storage hosts carry no MinIO pod")));
  });

  it("MinIO grows by appended pools: the first one, its sets and parity stay", () => {
    const stores = (n: number, change: (s: Settings) => void = () => undefined): ReturnType<typeof plan> =>
      plan(
        sized(1000, (s) => {
          const store = s.hosts.find((h) => h.name === "store-1")!;
          s.objectStore = { ...FOURS };
          s.hosts = [
            ...s.hosts.filter((h) => !h.roles.includes("storage")),
            ...Array.from({ length: n }, (_, i) => ({ ...store, name: `s-${i}`, address: `198.18.78.${i}` })),
          ];
          change(s);
        }),
      );
    const before = stores(4).minio!;
    for (const [hosts, pools] of [
      [5, [4]],
      [7, [4]],
      [8, [4, 4]],
      [12, [4, 4, 4]],
    ] as Array<[number, number[]]>) {
      const m = stores(hosts).minio!;
      assert.deepEqual([m.pools, m.nodes], [pools, 4 * pools.length]);
      assert.deepEqual(
        [m.drivesPerNode, m.erasureSetDrives, m.parity, m.driveGiB, m.usableGiB],
        [
          before.drivesPerNode,
          before.erasureSetDrives,
          before.parity,
          before.driveGiB,
          before.usableGiB * pools.length,
        ],
      );
    }
    assert.deepEqual(
      stores(9, (s) => {
        s.overrides.minio = { pools: [3, 6], drivesPerNode: 1 };
      }).minio!.pools,
      [3, 6],
    );
    const bad = (pools: number[]): string => {
      try {
        stores(8, (s) => {
          s.overrides.minio.pools = pools;
        });
        return "accepted";
      } catch (e) {
        return (e as Error).message;
      }
    };
    assert.match(bad([4, 3]), /overrides\.minio\.pools[^]*multiple of 4/);
    assert.match(bad([4, 4, 4]), /at most 8/);
    const three = stores(3);
    assert.deepEqual(three.minio!.pools, [3]);
    assert.ok(
      three.notes.some((n) => n.includes("overrides.minio.pools: [3]")),
      "a pool of three must be written down before a fourth host comes",
    );
    assert.ok(three.failures.some((f) => f.failure === "MinIO: a pool added" && f.seconds >= 50));
  });

  it("refuses storage hosts with unequal disks: the smaller would shrink every pod", () => {
    const { errors } = invalid(
      sized(1000, (s) => {
        const h = s.hosts.find((x) => x.name === "store-3")!;
        h.disks = h.disks.slice(0, 1);
      }),
    );
    assert.match(errors[0].given, /store-3, others have 2/);
  });

  it("an external S3 needs no storage hosts", () => {
    const p = plan(
      sized(1000, (s) => {
        s.hosts = s.hosts.filter((h) => !h.roles.includes("storage"));
        s.objectStore = {
          kind: "s3",
          endpoint: "https://s3.example.net",
          region: "x",
          bucket: "b",
          accessKey: "a",
          secretKey: "k",
        };
      }),
    );
    assert.equal(p.minio, undefined);
    assert.ok(!p.nodes.some((n) => n.role === "storage"));
  });
});
