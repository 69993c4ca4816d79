/** Redis, router, entrance, web pages, monitoring and calls: sizes, and the ranges that are too small. */
import assert from "node:assert/strict";
import type { Settings } from "../../../components/settings/types";
import type { Plan } from "../../../components/sizing";
import { CONNECTIONS_PER_USER, entrances, ingressPool, planDoor } from "../../../components/sizing/door";
import { planFront } from "../../../components/sizing/front";
import { planRedis, quorumOf } from "../../../components/sizing/redis";
import { perSurvivor, planCalls } from "../../../components/sizing/turnRtc";
import { bare, hosts } from "./bare";

describe("Redis", () => {
  it("has the size of its users; a quarter of its memory is for rewrites and replicas", () => {
    assert.deepEqual(planRedis(bare(7_500)), {
      instances: 3,
      quorum: 2,
      memoryMiB: 4_096,
      maxmemoryMiB: 3_072,
      cpu: 0.75,
      proxy: { replicas: 2, cpu: 0.1, memoryMiB: 64 },
    });
    assert.deepEqual(planRedis(bare(20_000)), {
      instances: 5,
      quorum: 3,
      memoryMiB: 8_192,
      maxmemoryMiB: 6_144,
      cpu: 1,
      proxy: { replicas: 2, cpu: 0.1, memoryMiB: 64 },
    });
    assert.deepEqual([1, 3, 5, 7].map(quorumOf), [1, 2, 3, 4]);
  });

  it("has what overrides give; a small one has a small proxy", () => {
    const redis = (o: object): Plan["redis"] =>
      planRedis(
        bare(1_000, (s) => {
          s.overrides.redis = o;
        }),
      );
    assert.deepEqual(redis({ instances: 7, memoryMiB: 257, cpu: 0.05 }), {
      instances: 7,
      quorum: 4,
      memoryMiB: 257,
      maxmemoryMiB: 192,
      cpu: 0.05,
      proxy: { replicas: 2, cpu: 0.05, memoryMiB: 64 },
    });
    assert.deepEqual(
      [255, 256].map((memoryMiB) => redis({ memoryMiB }).proxy.memoryMiB),
      [32, 64],
    );
  });
});

describe("router, web pages and monitoring", () => {
  it("have the size of their users", () => {
    const { router, web, monitoring } = planFront(bare(7_500));
    // Four connections for each user, and 2,000.
    assert.deepEqual(router, { replicas: 3, cpu: 1.25, memoryMiB: 1_280, maxConnections: 32_000 });
    const page = { replicas: 2, cpu: 0.05, memoryMiB: 64 };
    assert.deepEqual(web, { elementWeb: page, admin: page, wellKnown: page });
    assert.deepEqual(monitoring, {
      // 3 GiB a day for 15 days, and a quarter more.
      prometheus: { replicas: 2, cpu: 1.5, memoryMiB: 7_168, storageGiB: 57 },
      // Three, so that two still agree on what was sent when a node is lost.
      alertmanager: { replicas: 3, cpu: 0.05, memoryMiB: 64 },
      exporters: { replicas: 1, cpu: 0.05, memoryMiB: 64 },
    });
  });

  it("have what overrides give, each value alone", () => {
    const front = (o: object): ReturnType<typeof planFront> =>
      planFront(bare(7_500, (s) => Object.assign(s.overrides, { router: o, web: o })));
    const of = ({ router, web }: ReturnType<typeof planFront>): unknown[] =>
      [router, web.admin].map((x) => [x.replicas, x.cpu, x.memoryMiB]);
    assert.deepEqual(of(front({ replicas: 9 })), [
      [9, 1.25, 1_280],
      [9, 0.05, 64],
    ]);
    assert.deepEqual(of(front({ cpu: 0.7 })), [
      [3, 0.7, 1_280],
      [2, 0.7, 64],
    ]);
    assert.deepEqual(of(front({ memoryMiB: 99 })), [
      [3, 1.25, 99],
      [2, 0.05, 99],
    ]);
  });

  it("monitoring follows its overrides: a small one has as few Alertmanagers", () => {
    const monitoring = (o: object): unknown => {
      const m = planFront(bare(7_500, (s) => Object.assign(s.overrides, { monitoring: o }))).monitoring!;
      const { prometheus: p, alertmanager: a, exporters: e } = m;
      return [p.replicas, p.cpu, p.memoryMiB, p.storageGiB, a.replicas, a.cpu, e.cpu];
    };
    assert.deepEqual(monitoring({ replicas: 1 }), [1, 1.5, 7_168, 57, 3, 0.05, 0.05]);
    assert.deepEqual(monitoring({ cpu: 0.02 }), [2, 0.02, 7_168, 57, 3, 0.02, 0.02]);
    assert.deepEqual(monitoring({ cpu: 4 }), [2, 4, 7_168, 57, 3, 0.05, 0.05]);
    assert.deepEqual(monitoring({ memoryMiB: 256 }), [2, 1.5, 256, 57, 3, 0.05, 0.05]);
    assert.deepEqual(monitoring({ memoryMiB: 256, replicas: 1 }), [1, 1.5, 256, 57, 1, 0.05, 0.05]);
    assert.deepEqual(monitoring({ memoryMiB: 256, replicas: 5 }), [5, 1.5, 256, 57, 3, 0.05, 0.05]);
    assert.deepEqual(monitoring({ storageGiB: 7 }), [2, 1.5, 7_168, 7, 3, 0.05, 0.05]);
  });

  it("is planned only where monitoring is on", () => {
    const off = bare(1_000, (s) => {
      s.monitoring.enabled = false;
    });
    assert.deepEqual(Object.keys(planFront(off)), ["router", "ingress", "web"]);
  });
});

describe("the entrance's addresses", () => {
  const at = (ccu: number, change: (s: Settings) => void = () => undefined): string[][] =>
    entrances(
      bare(ccu, (s) => {
        s.hosts = hosts("app", 12, "application");
        change(s);
      }),
    );
  const pools =
    (...addresses: string[]) =>
    (s: Settings): void => {
      s.addressPools[0].addresses = addresses;
    };
  const dual = (s: Settings): void => {
    s.cluster.ipFamilies = ["IPv6", "IPv4"];
  };

  it("are one for every 5,000 users, the pool's first", () => {
    assert.deepEqual(at(5_000), [["203.0.113.10"]]);
    assert.deepEqual(at(5_001), [["203.0.113.10"], ["203.0.113.11"]]);
    assert.deepEqual(at(15_000), [["203.0.113.10"], ["203.0.113.11"], ["203.0.113.12"]]);
  });

  it("are no more than application hosts, and one even without", () => {
    const app =
      (n: number) =>
      (s: Settings): void => {
        s.hosts = [...hosts("app", n, "application"), ...hosts("db", 5, "database")];
      };
    assert.deepEqual(at(20_000, app(2)), [["203.0.113.10"], ["203.0.113.11"]]);
    assert.deepEqual(at(20_000, app(0)), [["203.0.113.10"]]);
  });

  it("are those that are left where the pool has fewer, over all of its blocks", () => {
    assert.deepEqual(at(20_000, pools("203.0.113.7/32", "203.0.113.20-203.0.113.21")), [
      ["203.0.113.7"],
      ["203.0.113.20"],
      ["203.0.113.21"],
    ]);
    assert.deepEqual(at(20_000, pools("no address", "203.0.113.7")), [["203.0.113.7"]]);
  });

  it("are of each family of the cluster that the pool has, as many of one as of the other", () => {
    const both = pools("203.0.113.8/30", "2001:db8::1-2001:db8::2");
    assert.deepEqual(at(20_000, both), [["203.0.113.8"], ["203.0.113.9"], ["203.0.113.10"], ["203.0.113.11"]]);
    assert.deepEqual(
      at(20_000, (s) => {
        both(s);
        dual(s);
      }).map((x) => x.map((a) => a.replace(/(:0)+:/, "::"))),
      [
        ["2001:db8::1", "203.0.113.8"],
        ["2001:db8::2", "203.0.113.9"],
      ],
    );
    assert.deepEqual(at(1_000, dual), [["203.0.113.10"]], "the pool has no IPv6");
  });

  it("are those that are given, all of them", () => {
    const given = (s: Settings): void => {
      s.ingress.addresses = ["192.0.2.1", "2001:db8::5", "192.0.2.2"];
    };
    assert.deepEqual(at(100, given), [["192.0.2.1"], ["192.0.2.2"]]);
  });

  it("are unknown without a pool, and none where another's controller is used", () => {
    assert.deepEqual(
      at(1_000, (s) => (s.addressPools = [])),
      [[]],
    );
    assert.deepEqual(
      at(1_000, (s) => (s.cluster.install.ingressController = false)),
      [],
    );
  });

  it("come from the pool for the entrance, else from one for anything, else from the first", () => {
    const named = (...uses: string[]): string | undefined =>
      ingressPool(uses.map((use, i) => ({ name: `${i}`, addresses: [], use: use.split("+"), create: true })) as never)
        ?.name;
    assert.equal(named("turn", "any", "turn+ingress", "ingress"), "2");
    assert.equal(named("turn", "any", "any"), "1");
    assert.equal(named("turn", "turn"), "0");
    assert.equal(named(), undefined);
  });
});

describe("the entrance's pods", () => {
  const door = (ccu: number, app: number, change: (s: Settings) => void = () => undefined): Plan["ingress"] =>
    planDoor(
      bare(ccu, (s) => {
        s.hosts = [...hosts("app", app, "application"), ...hosts("db", 9, "database")];
        change(s);
      }),
      { replicas: 3, cpu: 2.5, memoryMiB: 256 },
    );

  it("hold what their users open, in each worker, twice while a reload is under way", () => {
    assert.deepEqual(door(7_500, 12), {
      // Three replicas for two addresses: two each.
      replicas: 4,
      cpu: 2.5,
      // 160 MiB; three workers x 29,696 slots of 0.5 KiB; twice 3,750 users x (3 x 26 + 2 x 32) KiB: 1,244 MiB.
      memoryMiB: 1_280,
      replicasEach: 2,
      hostsApart: true,
      addresses: [["203.0.113.10"], ["203.0.113.11"]],
      usersEach: 3_750,
      // Three and two for each user, and half as many more for an uneven choice of addresses.
      clientConnections: 16_875,
      proxiedConnections: 11_250,
      workers: 3,
      // 28,125 and 1,024 for others, in steps of 1,024.
      workerConnections: 29_696,
      openFiles: 30_720,
    });
  });

  it("are two for each address at least, with two workers at least", () => {
    const { replicas, replicasEach, workers } = door(5_000, 12);
    assert.deepEqual([replicas, replicasEach, workers], [3, 3, 3]);
    const small = door(5_000, 12, (s) => {
      s.overrides.ingress = { replicas: 1, cpu: 0.1 };
    });
    assert.deepEqual([small.replicas, small.replicasEach, small.workers, small.cpu], [2, 2, 2, 0.1]);
    const more = door(7_500, 12, (s) => {
      s.overrides.ingress = { replicas: 9 };
    });
    assert.deepEqual([more.replicas, more.replicasEach], [10, 5]);
  });

  it("share the users, rounded up", () => {
    assert.equal(door(7_501, 12).usersEach, 3_751);
    assert.deepEqual(
      door(7_501, 12, (s) => (s.cluster.install.ingressController = false)).usersEach,
      7_501,
      "another's controller has an address",
    );
  });

  it("have the size of their users: three at 5,000, with a core and what the connections take", () => {
    const { replicas, cpu, memoryMiB, workers } = planFront(
      bare(5_000, (s) => (s.hosts = hosts("app", 8, "application"))),
    ).ingress;
    // 160 MiB; two workers x 38,912 slots of 0.5 KiB; twice 5,000 users x 142 KiB: 1,585 MiB in steps of 64.
    assert.deepEqual([replicas, cpu, memoryMiB, workers], [3, 1, 1_600, 2]);
    assert.equal(CONNECTIONS_PER_USER, 5, "three of clients, two to the router");
  });

  it("have the memory that is given, else what they need, else the anchor's", () => {
    const given = door(100, 12, (s) => {
      s.overrides.ingress = { memoryMiB: 99 };
    });
    assert.equal(given.memoryMiB, 99);
    // 160 + 3 + 28 MiB are needed.
    assert.equal(door(100, 12).memoryMiB, 256);
  });

  it("are kept apart where the hosts suffice, with one lost and a pod more of each address during a rollout", () => {
    // Two addresses with two pods: six pods and a lost host.
    assert.deepEqual(
      [6, 7].map((app) => door(7_500, app).hostsApart),
      [false, true],
    );
  });
});

describe("calls", () => {
  const calls = (
    ccu: number,
    change: (s: Settings) => void = () => undefined,
    call = 4,
  ): ReturnType<typeof planCalls> =>
    planCalls(
      bare(ccu, (s) => {
        s.hosts = [...hosts("call", call, "call"), ...hosts("app", 5, "application")];
        change(s);
      }),
    );

  it("have coturn and LiveKit on each call host: a quarter and half of a machine's size", () => {
    assert.deepEqual(calls(7_500), {
      errors: [],
      turn: { nodes: 4, allocations: 4_500, minPort: 49_152, maxPort: 55_000, cpu: 4, memoryMiB: 4_096 },
      rtc: {
        nodes: 4,
        usersInCalls: 750,
        cpu: 8,
        memoryMiB: 8_192,
        jwt: { replicas: 2, cpu: 0.05, memoryMiB: 64 },
      },
    });
  });

  it("have only what is on", () => {
    const off = (...parts: Array<"turn" | "rtc">): string[] =>
      Object.keys(calls(100, (s) => parts.forEach((part) => (s[part].enabled = false)))).sort();
    assert.deepEqual(off("turn"), ["errors", "rtc"]);
    assert.deepEqual(off("rtc"), ["errors", "turn"]);
    assert.deepEqual(
      calls(100, (s) => ((s.turn.enabled = false), (s.rtc.enabled = false))),
      { errors: [] },
    );
  });

  it("have what overrides give; the token service is no larger than LiveKit", () => {
    const { turn, rtc, errors } = calls(1_000, (s) => {
      s.overrides.turn = { cpu: 0.3, memoryMiB: 77 };
      s.overrides.rtc = { cpu: 0.02, memoryMiB: 88, replicas: 3 };
    });
    assert.deepEqual(errors, []);
    assert.deepEqual([turn!.cpu, turn!.memoryMiB, turn!.nodes], [0.3, 77, 4]);
    assert.deepEqual([rtc!.cpu, rtc!.memoryMiB, rtc!.nodes, rtc!.jwt.cpu], [0.02, 88, 3, 0.02]);
    assert.equal(calls(1_000, (s) => (s.overrides.rtc = { cpu: 3 })).rtc!.jwt.cpu, 0.05);
  });

  it("have no more SFUs than call hosts", () => {
    const replicas = (n: number): unknown =>
      calls(1_000, (s) => {
        s.overrides.rtc = { replicas: n };
      }).errors;
    assert.deepEqual(replicas(4), []);
    assert.deepEqual(replicas(6), [
      {
        path: "overrides.rtc.replicas",
        given: "6",
        allowed: "at most 4, the hosts with the role call: each carries one",
        remedy: "add 2 call hosts, or lower it",
      },
    ]);
  });

  it("have two ports for each relay and each user in a call, with one host lost", () => {
    const relays = (maxPort: number): unknown =>
      calls(7_500, (s) => {
        s.turn.maxPort = maxPort;
      }).errors;
    // 4,500 allocations on three hosts: 1,500 each, 3,000 ports.
    assert.deepEqual(relays(49_151 + 3_000), []);
    assert.deepEqual(relays(49_151 + 2_999), [
      {
        path: "turn.minPort",
        given: "49152 to 52150: 2,999 ports on each of 4 nodes",
        allowed: "at least 3,000 ports: 4,500 TURN allocations on 3 nodes (one lost), 2 ports each",
        remedy: "widen the range to 3,000 ports, or add call hosts",
      },
    ]);
    const users = (max: number): unknown =>
      calls(7_500, (s) => {
        s.rtc.udpPortMax = max;
      }).errors;
    // 750 users on three hosts: 250 each, 500 ports.
    assert.deepEqual(users(55_500), []);
    assert.deepEqual(users(55_499), [
      {
        path: "rtc.udpPortMin",
        given: "55001 to 55499: 499 ports on each of 4 nodes",
        allowed: "at least 500 ports: 750 users in calls on 3 nodes (one lost), 2 ports each",
        remedy: "widen the range to 500 ports, or add call hosts",
      },
    ]);
  });

  it("of a single host are all on it: nothing is planned for its loss", () => {
    assert.deepEqual(
      [1, 2, 3].map((nodes) => perSurvivor(100, nodes)),
      [100, 100, 50],
    );
    const [error] = calls(7_500, (s) => (s.turn.maxPort = 49_152), 1).errors;
    assert.equal(error.allowed, "at least 9,000 ports: 4,500 TURN allocations on 1 nodes (one lost), 2 ports each");
  });
});
