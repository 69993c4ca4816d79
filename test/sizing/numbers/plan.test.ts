/** The plan as a whole, with layers of a few lines: what it puts together, in which order, and when it is refused. */
import assert from "node:assert/strict";
import { SettingsInvalid } from "../../../components/core/errors";
import type { HostSettings, Settings } from "../../../components/settings/types";
import { planWith, type FromLayers, type Plan } from "../../../components/sizing";
import { floating, tied } from "../../../components/sizing/demands";
import { isBounded } from "../../../components/sizing/plan";
import { bare, disks, hosts, refused } from "./bare";

/** The largest parts alone need room. */
const LAYERS: FromLayers = {
  demands: (_, parts) => [
    ...parts.pools.map((p) => floating(`synapse-${p.class}`, p)),
    floating("router", parts.router),
    tied("postgres", "database", { ...parts.postgres, replicas: parts.postgres.instances }),
  ],
  roles: () => [
    { role: "control-plane", least: 3 },
    { role: "application", least: 2 },
    { role: "database", least: 3 },
    { role: "storage", least: 3 },
    { role: "call", least: 2 },
  ],
  failures: ({ plan }) => [
    { failure: `PostgreSQL: one of ${plan.postgres.instances}`, effect: "none", seconds: 0, source: "measured" },
  ],
  zoneLoss: ({ plan }, zone) => [
    {
      part: "router",
      outcome: zone.name === "a" ? "stops" : "goes on",
      effect: `${plan.router.replicas} of them`,
      seconds: 0,
      source: `${zone.lost.length} lost, ${zone.left.length} left`,
    },
  ],
  notes: ({ plan }) => [`a layer's note for ${plan.ccu} users`],
};

const zoned = (list: HostSettings[]): HostSettings[] => list.map((h, i) => ({ ...h, zone: "abc"[i % 3] }));
/** Hosts of 1,000 users. */
const enough = (apps = 5): HostSettings[] => [
  ...zoned(hosts("app", apps, "application", { cpu: 16, memoryGiB: 32 })),
  ...zoned(hosts("db", 3, "database", { cpu: 8, memoryGiB: 32, disks: disks("database", 1_000) })),
  ...zoned(hosts("store", 4, "storage", { disks: disks("object-store", 1_000, 1_000) })),
  ...zoned(hosts("call", 4, "call")),
];
const settings = (change: (s: Settings) => void = () => undefined, apps = 5): Settings =>
  bare(1_000, (s) => {
    s.hosts = enough(apps);
    change(s);
  });
const planned = (change?: (s: Settings) => void, apps?: number, layers: Partial<FromLayers> = {}): Plan =>
  planWith(settings(change, apps), { ...LAYERS, ...layers });

describe("the plan", () => {
  it("puts all parts together", () => {
    const p = planned();
    assert.deepEqual(Object.keys(p), [
      "ccu",
      "extrapolated",
      "notes",
      "nodes",
      "fit",
      "failures",
      "zones",
      "load",
      "synapse",
      "postgres",
      "backups",
      "redis",
      "minio",
      "router",
      "ingress",
      "turn",
      "rtc",
      "web",
      "monitoring",
    ]);
    assert.deepEqual([p.ccu, p.extrapolated], [1_000, false]);
    assert.deepEqual(Object.keys(p.synapse), [
      "pools",
      "streamWriters",
      "eventCacheSize",
      "globalCacheFactor",
      "messagesPerSecond",
      "rateLimits",
    ]);
    assert.deepEqual(
      [p.synapse.pools.length, p.synapse.streamWriters.typing, p.synapse.eventCacheSize],
      [13, "ephemeral", "10K"],
    );
    assert.deepEqual([p.postgres.maxConnections, p.postgres.parameters.max_connections], [300, "300"]);
    assert.deepEqual(
      [p.minio!.nodes, p.redis.instances, p.router.replicas, p.turn!.nodes, p.rtc!.nodes],
      [4, 3, 2, 4, 4],
    );
    assert.equal(p.backups!.databaseGiB, 368);
  });

  it("has no part that is off", () => {
    const p = planned((s) => {
      s.backups.enabled = false;
      s.objectStore = { kind: "s3" } as never;
      s.turn.enabled = false;
      s.rtc.enabled = false;
      s.monitoring.enabled = false;
    });
    for (const part of ["backups", "minio", "turn", "rtc", "monitoring"]) assert.ok(!(part in p), part);
  });

  it("has the layers' failures before those of zones, and the zones' effects", () => {
    const p = planned();
    assert.deepEqual(p.zones, [
      {
        zone: "a",
        hosts: 7,
        effects: [{ part: "router", outcome: "stops", effect: "2 of them", seconds: 0, source: "7 lost, 9 left" }],
      },
      {
        zone: "b",
        hosts: 5,
        effects: [{ part: "router", outcome: "goes on", effect: "2 of them", seconds: 0, source: "5 lost, 11 left" }],
      },
      {
        zone: "c",
        hosts: 4,
        effects: [{ part: "router", outcome: "goes on", effect: "2 of them", seconds: 0, source: "4 lost, 12 left" }],
      },
    ]);
    assert.deepEqual(
      p.failures.map((f) => f.failure),
      ["PostgreSQL: one of 3", "Zone a lost: router", "Zone b or c lost: router"],
    );
  });

  it("says first what concerns all of it, then what the layers and each part say", () => {
    const p = planned((s) => {
      s.ccu = 99;
      s.hosts = [
        ...enough().filter((h) => !/^(store|db)-/.test(h.name)),
        ...hosts("s", 3, "storage"),
        ...hosts("d", 3, "database", { disks: disks("database", 40) }),
      ];
      s.overrides.pools = { media: { replicas: 20, cpu: 0.1, memoryMiB: 64, cpMax: 8 } };
    });
    assert.deepEqual(
      p.notes.map((n) => n.split(/[:(]| instead/)[0]),
      [
        "Planned as for 100 users, the smallest size that was run.",
        "WARNING",
        "6 of 15 hosts have no zone ",
        "a layer's note for 99 users",
        "max_connections is 400",
        "Object store",
        "No object-store disks are listed on the storage hosts",
        "The database volumes are 28 + 6 GiB",
      ],
    );
  });

  it("beyond 20,000 users says that it extrapolates", () => {
    const p = planned((s) => {
      s.ccu = 21_000;
      s.hosts = [
        ...hosts("app", 12, "application", { cpu: 64, memoryGiB: 256 }),
        ...hosts("db", 5, "database", { cpu: 64, memoryGiB: 256 }),
        ...hosts("store", 4, "storage"),
        ...hosts("call", 12, "call"),
      ];
    });
    assert.equal(p.extrapolated, true);
    assert.match(p.notes[0], /^Nothing was measured beyond 20,000 users/);
  });

  it("asks for the role's room with the demands of the plan itself", () => {
    const fit = planned().fit.find((f) => f.role === "database")!;
    // 6 cores and 24 GiB for each instance, one of three lost.
    assert.deepEqual([fit.hosts, fit.requestedCpu, fit.requestedMemoryGiB], [3, 12, 48]);
  });
});

describe("the machines of the plan", () => {
  const least = (p: Plan): Record<string, string> =>
    Object.fromEntries(p.nodes.map((n) => [n.role, `${n.least} of ${n.count}`]));

  it("are the recommended ones, and the fewest that would do", () => {
    const p = planned();
    assert.deepEqual(p.nodes[1], { role: "application", count: 5, cpu: 16, memoryGiB: 32, diskGiB: 232, least: 3 });
    assert.deepEqual(least(p), {
      "control-plane": "3 of 3",
      application: "3 of 5",
      // One for each instance.
      database: "3 of 3",
      storage: "3 of 4",
      call: "2 of 4",
    });
  });

  it("of the database are as many as its instances; those of a store that survives a zone are a pool", () => {
    const five = planned((s) => {
      s.overrides.postgres.instances = 5;
      s.hosts.push(...hosts("more", 2, "database", { cpu: 8, memoryGiB: 32 }));
    });
    assert.equal(least(five).database, "5 of 3");
    const zonal = planned((s) => {
      s.objectStore = { kind: "minio", survives: "zone" };
      s.hosts.push(...zoned(hosts("more", 6, "storage", { disks: disks("object-store", 1_000, 1_000) })));
    });
    assert.equal(least(zonal).storage, "6 of 6");
    const roles: FromLayers["roles"] = () => [
      { role: "database", least: 4 },
      { role: "storage", least: 9 },
      { role: "call", least: 9 },
    ];
    // No more than are recommended.
    assert.deepEqual(least(planned(undefined, 5, { roles })), {
      database: "4 of 3",
      storage: "4 of 4",
      call: "4 of 4",
    });
  });

  it("of the application are those that are recommended where a pod is larger than a machine", () => {
    const p = planned((s) => {
      s.overrides.pools = { media: { cpu: 20 } };
      s.hosts.push(...hosts("large", 3, "application", { cpu: 64, memoryGiB: 64 }));
    });
    assert.equal(least(p).application, "5 of 5");
    const roles: FromLayers["roles"] = () => [{ role: "application", least: 4 }];
    assert.equal(least(planned(undefined, 5, { roles })).application, "4 of 5");
  });
});

describe("autoscalers on few hosts", () => {
  /** Two hosts of a size with which the minimum fits on one. */
  const two = (cpu: number, pools: Settings["overrides"]["pools"] = {}): Settings =>
    settings((s) => {
      s.hosts = [
        ...s.hosts.filter((h) => !h.roles.includes("application")),
        ...hosts("app", 2, "application", { cpu, memoryGiB: 128 }),
      ];
      s.overrides.pools = pools;
    });
  const maxima = (p: Plan): string =>
    p.synapse.pools
      .filter((x) => x.kind === "Deployment")
      .map((x) => `${x.class} ${x.replicas}-${x.maxReplicas}`)
      .join(", ");
  const bounds = (s: Settings): [string, string | undefined, boolean] => {
    const p = planWith(s, LAYERS);
    return [maxima(p), p.notes.find((n) => n.startsWith("The hosts")), isBounded(s, p)];
  };

  it("go as far as there is room, and the plan says where they stop", () => {
    const full = "synchrotron 4-6, initial-sync 2-3, generic 4-6";
    // 24 cores at the maximum; a host of 26 leaves 24.13 of them, one of 23 leaves 21.28.
    assert.deepEqual(bounds(two(26)), [full, undefined, false]);
    const [lowered, note, bounded] = bounds(two(23));
    assert.equal(lowered, "synchrotron 4-5, initial-sync 2-2, generic 4-5");
    assert.equal(
      note,
      "The hosts have no room for the full autoscaling range with one of them lost: synchrotron stops at 5, initial-sync stops at 2, generic stops at 5. Another application host would allow more.",
    );
    assert.equal(bounded, true);
  });

  it("keep a maximum that is given; what does not fit is an error then", () => {
    const given = { synchrotron: { maxReplicas: 6 }, "initial-sync": { maxReplicas: 3 } };
    assert.equal(bounds(two(25, given))[0], "synchrotron 4-6, initial-sync 2-3, generic 4-5");
    const errors = refused(() => planWith(two(21, { ...given, generic: { maxReplicas: 6 } }), LAYERS));
    assert.deepEqual(
      errors.map((e) => e.path),
      ["hosts"],
    );
    assert.match(errors[0].allowed, /^room for everything with any one host lost: without app-1, /);
  });

  it("are not lowered where not even the minimum fits: that is the error", () => {
    const errors = refused(() => planWith(two(12), LAYERS));
    assert.equal(errors.length, 1);
    // 19 cores at the minimum.
    assert.match(errors[0].allowed, /without app-1, 14 pods .* lack 8.5 cores/);
  });
});

describe("a plan that is not feasible", () => {
  it("is refused with the errors of every part at once, and the remedies of the hosts", () => {
    const wrong = settings((s) => {
      s.overrides.minio = { driveGiB: 9_999 };
      s.turn.maxPort = 49_160;
      s.overrides.postgres = { maxConnections: 60, parameters: { shared_buffers: "64GB" } };
      s.hosts = s.hosts.filter((h) => h.name !== "db-3");
    });
    let error: unknown;
    try {
      planWith(wrong, LAYERS);
    } catch (e) {
      error = e;
    }
    assert.ok(error instanceof SettingsInvalid);
    assert.deepEqual(
      error.errors.map((e) => e.path),
      [
        "overrides.minio.driveGiB",
        "turn.minPort",
        "overrides.postgres.maxConnections",
        "overrides.postgres.parameters.shared_buffers",
        "hosts",
      ],
    );
    assert.equal(error.of, "plan");
    assert.deepEqual(error.remedies, [{ kind: "add", role: "database", count: 1, cpu: 8, memoryGiB: 32 }]);
  });
});
