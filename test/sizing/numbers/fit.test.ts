/** Whether everything has room on the hosts, with any one lost; and the remedies where it has not. */
import assert from "node:assert/strict";
import type { HostRole } from "../../../components/domain/roles";
import type { HostSettings } from "../../../components/settings/types";
import { DAEMONS, floating, tied, type Demand } from "../../../components/sizing/demands";
import { LOST_NODE_TOLERATION, NODE_REPLACED, others } from "../../../components/sizing/failures";
import { applyRemedy, fitErrors } from "../../../components/sizing/fitErrors";
import { allocatable, leastMachines, missingRoom, missingWithout, roleFits } from "../../../components/sizing/hostsFit";
import { host, hosts } from "./bare";

/** Three hosts with room for 3.23 cores and 14,428.8 MiB each. */
const three = (): HostSettings[] => hosts("app", 3, "application", { cpu: 4, memoryGiB: 16 });
/** Pods of a core and a GiB each. */
const pods = (name: string, replicas: number, maxReplicas = replicas): Demand =>
  floating(name, { replicas, maxReplicas, cpu: 1, memoryMiB: 1_024 });
const wide = (name: string, cpu: number, memoryMiB: number, replicas = 1): Demand =>
  floating(name, { replicas, cpu, memoryMiB });

describe("the layers' demands", () => {
  it("are pods that any application host may carry, in as many deployments as there are", () => {
    assert.deepEqual(floating("web", { replicas: 2, cpu: 0.5, memoryMiB: 64 }), {
      name: "web",
      role: "application",
      replicas: 2,
      maxReplicas: 2,
      cpu: 0.5,
      memoryMiB: 64,
    });
    const { replicas, maxReplicas } = floating("redis", { replicas: 3, maxReplicas: 4, cpu: 1, memoryMiB: 1 }, 2);
    assert.deepEqual([replicas, maxReplicas], [6, 8]);
  });

  it("or pods that stay on their host, which never scale", () => {
    const expected = {
      name: "minio",
      role: "storage",
      replicas: 4,
      maxReplicas: 4,
      cpu: 0.5,
      memoryMiB: 64,
      tied: true,
    };
    const given = { replicas: 4, maxReplicas: 9, cpu: 0.5, memoryMiB: 64 };
    assert.deepEqual(tied("minio", "storage", given), expected);
    assert.deepEqual(tied("minio", "storage", given, "overrides.minio"), { ...expected, setting: "overrides.minio" });
  });

  it("leave what every host needs: half a core, a GiB, 5 %, and the pods that run on each", () => {
    // MetalLB's speaker and the node exporter: 0.02 + 0.05 cores, 64 + 48 MiB.
    assert.deepEqual([DAEMONS.cpu.toFixed(3), DAEMONS.memoryMiB], ["0.070", 112]);
    const of = (roles: HostRole[]): string[] => {
      const { cpu, memoryMiB } = allocatable(host("h", roles, { cpu: 10, memoryGiB: 20 }));
      return [cpu.toFixed(3), memoryMiB.toFixed(3)];
    };
    // 10 x 0.95 - 0.5 - 0.07, and (20 x 0.95 - 1) x 1,024 - 112.
    assert.deepEqual(of(["application"]), ["8.930", "18320.000"]);
    // The control plane takes 0.65 cores and a GiB from a host that it shares.
    assert.deepEqual(of(["application", "control-plane"]), ["8.280", "17296.000"]);
  });
});

describe("room on the hosts", () => {
  it("is enough where every pod has some with any one host lost", () => {
    // Three on each of two.
    assert.equal(missingRoom(three(), [pods("web", 6)], "maximum"), undefined);
    assert.deepEqual(missingRoom(three(), [pods("web", 7), wide("tiny", 0, 1)], "maximum"), {
      role: "application",
      pods: 1,
      cpu: 1,
      memoryMiB: 1_024,
      largest: { cpu: 1, memoryMiB: 1_024 },
      names: ["web"],
      lost: "app-1",
    });
  });

  it("is counted with the autoscalers at their minimum, or at their maximum", () => {
    assert.equal(missingRoom(three(), [pods("web", 6, 7)], "minimum"), undefined);
    assert.equal(missingRoom(three(), [pods("web", 6, 7)], "maximum")?.lost, "app-1");
  });

  it("lacks without any host lost: then none is named", () => {
    const missing = missingRoom(
      three(),
      [pods("web", 9), wide("large", 3.5, 2_000, 2), wide("huge", 1, 20_000)],
      "maximum",
    );
    assert.deepEqual(missing, {
      role: "application",
      pods: 3,
      cpu: 8,
      memoryMiB: 24_000,
      largest: { cpu: 3.5, memoryMiB: 20_000 },
      names: ["huge", "large"],
    });
  });

  it("is where cores and memory are on one host, to the last bit of both", () => {
    const room = { cpu: 0.95 * 4 - 0.5 - 0.07, memoryMiB: 14_428.8 };
    const fits = (cpu: number, memoryMiB: number): boolean =>
      missingRoom(three(), [wide("pod", cpu, memoryMiB)], "maximum") === undefined;
    assert.ok(fits(room.cpu, room.memoryMiB));
    assert.ok(!fits(room.cpu + 0.001, 1));
    assert.ok(!fits(0.1, room.memoryMiB + 0.1));
  });

  it("is taken by the largest first: a small pod finds a gap, a large one does not", () => {
    // 3 + 3 on two hosts, and 0.2 beside each.
    const demands = [wide("small", 0.2, 64, 2), wide("large", 3, 64, 2)];
    assert.equal(missingRoom(three(), demands, "maximum"), undefined);
    // Memory counts as well: 4 GiB like a core.
    const mixed = [wide("cores", 1, 64, 6), wide("memory", 0.1, 13_000, 2)];
    assert.equal(missingRoom(three(), mixed, "maximum"), undefined);
  });

  it("is that of application hosts alone, and of the host with most of it first", () => {
    const others = [...hosts("db", 2, "database"), ...hosts("app", 1, "application")];
    assert.deepEqual(missingRoom(others, [pods("web", 1)], "maximum")?.lost, "app-1");
    // 3, 7 and 7 pods have room; 10 of them do without a large host.
    const sizes = [...hosts("small", 1, "application", { cpu: 4 }), ...hosts("large", 2, "application", { cpu: 8 })];
    assert.equal(missingRoom(sizes, [pods("web", 10)], "maximum"), undefined);
    assert.deepEqual(missingRoom(sizes, [pods("web", 11)], "maximum")?.lost, "large-1");
  });

  it("is counted with each kind of host lost once: the first of its roles and size", () => {
    const mixed = [
      host("a", ["application", "database"], { cpu: 8 }),
      host("b", ["database", "application"], { cpu: 8 }),
      host("c", ["application"], { cpu: 16 }),
    ];
    // 7.03 and 7.03 cores remain without c.
    assert.equal(missingRoom(mixed, [pods("web", 15)], "maximum")?.lost, "c");
    assert.equal(missingRoom(mixed, [pods("web", 14)], "maximum"), undefined);
    // A host whose tied pod takes its room costs less when lost.
    const data = tied("postgres", "database", { replicas: 1, cpu: 5, memoryMiB: 64 });
    const two = [host("x", ["application", "database"], { cpu: 8 }), host("y", ["application"], { cpu: 8 })];
    assert.equal(missingRoom(two, [data, pods("web", 2)], "maximum"), undefined);
    assert.equal(missingRoom(two, [data, pods("web", 3)], "maximum")?.lost, "y");
  });

  it("of tied pods is on a host of the role each, the largest first, and others have what is left", () => {
    const databases = hosts("db", 3, "database", { cpu: 4, memoryGiB: 16 });
    const data = (cpu: number, memoryMiB: number, replicas = 3): Demand =>
      tied("postgres", "database", { replicas, cpu, memoryMiB }, "overrides.postgres");
    assert.equal(missingRoom(databases, [data(3.2, 14_000)], "maximum"), undefined);
    assert.deepEqual(missingRoom(databases, [data(3.5, 14_000)], "maximum"), {
      role: "database",
      largest: data(3.5, 14_000),
      names: ["postgres"],
      setting: "overrides.postgres",
      pods: 1,
      cpu: 3.5 - allocatable(databases[0]).cpu,
      memoryMiB: 0,
      onto: "db-1",
    });
    const memory = missingRoom(databases, [data(3, 14_500)], "maximum")!;
    assert.deepEqual([memory.cpu, memory.memoryMiB.toFixed(1)], [0, "71.2"]);
    assert.deepEqual(missingRoom(databases, [data(3, 1_000, 5)], "maximum"), {
      role: "database",
      largest: data(3, 1_000, 5),
      names: ["postgres"],
      setting: "overrides.postgres",
      pods: 2,
      cpu: 6,
      memoryMiB: 2_000,
      short: 2,
    });
    assert.ok(
      !(
        "setting" in missingRoom(databases, [tied("x", "database", { replicas: 1, cpu: 9, memoryMiB: 1 })], "maximum")!
      ),
    );
    // The second takes what the first has left.
    const second = tied("second", "database", { replicas: 3, cpu: 0.3, memoryMiB: 64 });
    const missing = missingRoom(databases, [second, data(3, 1_000)], "maximum")!;
    assert.deepEqual([missing.names, missing.cpu.toFixed(2), missing.onto], [["second"], "0.07", "db-1"]);
    // One pod: it goes where most room is.
    const sizes = [host("s", ["call"], { cpu: 2 }), host("l", ["call"], { cpu: 32 })];
    assert.equal(missingRoom(sizes, [tied("x", "call", { replicas: 1, cpu: 20, memoryMiB: 1 })], "maximum"), undefined);
  });

  it("without several hosts at once is that for the autoscalers' minimum; tied pods stay where they are", () => {
    const app = three();
    assert.equal(missingWithout(app, [app[0]], [pods("web", 6, 9)]), undefined);
    const two = missingWithout(app, app.slice(0, 2), [pods("web", 6, 9)]);
    assert.deepEqual([two?.pods, two?.names, two?.lost], [3, ["web"], undefined]);
    const both = hosts("h", 3, "application", { cpu: 4, roles: ["application", "database"] });
    const data = tied("postgres", "database", { replicas: 3, cpu: 2, memoryMiB: 64 });
    assert.equal(missingWithout(both, [both[0]], [data, pods("web", 2)]), undefined);
    assert.equal(missingWithout(both, [both[0]], [data, pods("web", 3)])?.pods, 1);
    // The largest is placed first here as well.
    assert.equal(missingWithout(app, [app[0]], [wide("small", 0.2, 64, 2), wide("large", 3, 64, 2)]), undefined);
  });
});

describe("requests and room by role", () => {
  it("are sums with the largest host lost, less what other roles' pods take on the same hosts", () => {
    const list = [
      ...three(),
      ...hosts("both", 2, "application", { roles: ["application", "database"], cpu: 8, memoryGiB: 32 }),
    ];
    const demands = [
      floating("web", { replicas: 2, maxReplicas: 4, cpu: 0.5, memoryMiB: 512 }),
      tied("postgres", "database", { replicas: 2, cpu: 2, memoryMiB: 2_048 }),
    ];
    assert.deepEqual(roleFits(list, demands), [
      {
        role: "application",
        hosts: 5,
        requestedCpu: 2,
        requestedMemoryGiB: 2,
        // 3 x 3.23 and 7.03 cores, without the database on the host that is left.
        availableCpu: 14.72,
        availableMemoryGiB: 69.56,
      },
      {
        role: "database",
        hosts: 2,
        // A tied pod is lost with its host.
        requestedCpu: 2,
        requestedMemoryGiB: 2,
        // 7.03 cores, less a quarter of web's two: one of the four hosts that may carry it.
        availableCpu: 6.53,
        availableMemoryGiB: 28.79,
      },
    ]);
  });

  it("leave out roles without hosts, and lose the host with the most memory", () => {
    const list = [
      host("small", ["call"], { cpu: 32, memoryGiB: 8 }),
      host("large", ["call"], { cpu: 8, memoryGiB: 32 }),
      host("middle", ["call"], { cpu: 8, memoryGiB: 16 }),
    ];
    const [call, ...more] = roleFits(list, [
      tied("turn", "call", { replicas: 3, cpu: 1, memoryMiB: 512 }),
      pods("web", 9),
    ]);
    assert.deepEqual(more, []);
    assert.deepEqual(call, {
      role: "call",
      hosts: 3,
      requestedCpu: 2,
      requestedMemoryGiB: 1,
      // 29.83 + 7.03, and 6.49 + 14.09.
      availableCpu: 36.86,
      availableMemoryGiB: 20.58,
    });
  });
});

describe("the fewest machines", () => {
  const least = (n: number, { fewest = 2, most = 8, cpu = 4 } = {}): number | undefined =>
    leastMachines(
      "application",
      { cpu, memoryGiB: 16 },
      [pods("web", n), tied("pg", "database", { replicas: 3, cpu: 1, memoryMiB: 1 })],
      {
        fewest,
        most,
      },
    );

  it("hold the pods of the role with any one lost", () => {
    // Three pods on each, and one machine more.
    assert.deepEqual(
      [1, 3, 4, 6, 7, 12, 13, 21].map((n) => least(n)),
      [2, 2, 3, 3, 4, 5, 6, 8],
    );
  });

  it("are within the given bounds, or unknown", () => {
    assert.equal(least(3, { fewest: 4 }), 4);
    assert.equal(least(22), undefined);
    assert.equal(least(1, { cpu: 1 }), undefined);
    assert.deepEqual([least(1, { fewest: 3, most: 3 }), least(1, { fewest: 4, most: 3 })], [3, undefined]);
  });
});

describe("hosts that do not suffice", () => {
  const OTHERWISE = "or lower requests in overrides";
  const data = (cpu: number, memoryMiB: number, setting?: string): Demand =>
    tied("postgres", "database", { replicas: 3, cpu, memoryMiB }, setting);
  const databases = (): HostSettings[] => hosts("db", 3, "database", { cpu: 4, memoryGiB: 8 });
  const CASES: Array<
    [what: string, hosts: HostSettings[], demands: Demand[], allowed: string, remedy: string, given?: string]
  > = [
    [
      "with one of them lost: the smallest machine that helps is added",
      three(),
      [pods("web", 9)],
      "room for everything with any one host lost: without app-1, 3 pods (web) of the role application lack 3 cores and 3 GiB",
      `add 1 application host of 4 CPU / 8 GiB, give the role application to hosts that have as much to spare, ${OTHERWISE}`,
    ],
    [
      "with all of them: two are added, because one may be lost",
      [],
      [pods("web", 1)],
      "room for everything with any one host lost: even with every host there, 1 pod (web) of the role application lack 1 cores and 1 GiB",
      `add 2 application hosts of 2 CPU / 4 GiB, give the role application to hosts that have as much to spare, ${OTHERWISE}`,
      "0 application hosts",
    ],
    [
      "for many kinds of pods: four are named; what is lacking is rounded up",
      three(),
      [0, 1, 2, 3, 4].map((i) => wide(`pod-${i}`, 2.5 + i / 1_000, 1_000, 2)),
      "room for everything with any one host lost: even with every host there, 7 pods (pod-3, pod-2, pod-1, pod-0) of the role application lack 17.51 cores and 6.84 GiB",
      `add 2 application hosts of 32 CPU / 64 GiB, give the role application to hosts that have as much to spare, ${OTHERWISE}`,
    ],
    [
      "for five kinds: the others are left out",
      hosts("app", 1, "application", { cpu: 2 }),
      [0, 1, 2, 3, 4].map((i) => wide(`pod-${i}`, 1.5, 1_000 - i)),
      "room for everything with any one host lost: even with every host there, 5 pods (pod-0, pod-1, pod-2, pod-3, ...) of the role application lack 7.5 cores and 4.88 GiB",
      `add 2 application hosts of 16 CPU / 32 GiB, give the role application to hosts that have as much to spare, ${OTHERWISE}`,
      "1 application host (2 CPU / 64 GiB)",
    ],
    [
      "for memory alone",
      three(),
      [wide("cache", 0, 14_000, 3)],
      "room for everything with any one host lost: without app-1, 1 pod (cache) of the role application lack 13.68 GiB",
      `add 1 application host of 4 CPU / 16 GiB, give the role application to hosts that have as much to spare, ${OTHERWISE}`,
    ],
    [
      "where a tied pod has no host",
      [...hosts("db", 1, "database"), host("db-2", ["database"], { cpu: 8, memoryGiB: 32 })],
      [data(2, 1_024)],
      "one database host for each instance of postgres: 1 more",
      `add 1 database host of 4 CPU / 8 GiB, give the role database to hosts that have as much to spare, ${OTHERWISE}`,
      "2 database hosts (16 CPU / 64 GiB, 8 CPU / 32 GiB)",
    ],
    [
      "where a tied pod is too large for its host: all of the role become larger",
      databases(),
      [data(5, 9_000, "overrides.postgres")],
      "room for the pods that are tied to a database host: on db-1, postgres (5 cores, 8.79 GiB) lacks 1.77 cores and 2.3 GiB, after the system's reserve and the other tied pods",
      `give every database host at least 6 CPU / 12 GiB, take other roles from it, ${OTHERWISE}`,
    ],
    [
      "where a tied pod is little too large: its requests may be lowered",
      databases(),
      [data(3.5, 7_000, "overrides.postgres")],
      "room for the pods that are tied to a database host: on db-1, postgres (3.5 cores, 6.84 GiB) lacks 0.27 cores and 0.35 GiB, after the system's reserve and the other tied pods",
      "set overrides.postgres.cpu to 3.2 (it requests 3.5) and overrides.postgres.memoryMiB to 6592 (it requests 7000), or give every database host at least 6 CPU / 12 GiB",
    ],
    [
      "the same for cores alone: memory stays as it is",
      databases(),
      [data(3.5, 1_000, "overrides.postgres")],
      "room for the pods that are tied to a database host: on db-1, postgres (3.5 cores, 0.98 GiB) lacks 0.27 cores, after the system's reserve and the other tied pods",
      "set overrides.postgres.cpu to 3.2 (it requests 3.5), or give every database host at least 6 CPU / 8 GiB",
    ],
    [
      "the same for memory alone: cores stay as they are",
      databases(),
      [data(1, 7_000, "overrides.postgres")],
      "room for the pods that are tied to a database host: on db-1, postgres (1 cores, 6.84 GiB) lacks 0.35 GiB, after the system's reserve and the other tied pods",
      "set overrides.postgres.memoryMiB to 6592 (it requests 7000), or give every database host at least 4 CPU / 12 GiB",
    ],
    [
      "the same where no setting lowers them",
      databases(),
      [data(3.5, 1_000)],
      "room for the pods that are tied to a database host: on db-1, postgres (3.5 cores, 0.98 GiB) lacks 0.27 cores, after the system's reserve and the other tied pods",
      `give every database host at least 6 CPU / 8 GiB, take other roles from it, ${OTHERWISE}`,
    ],
    [
      "where more than a quarter of a tied pod's memory is missing: it is not to be lowered",
      databases(),
      // 6,646 MiB are there; a quarter of 8,900 is 2,225.
      [data(1, 8_900, "overrides.postgres")],
      "room for the pods that are tied to a database host: on db-1, postgres (1 cores, 8.7 GiB) lacks 2.21 GiB, after the system's reserve and the other tied pods",
      `give every database host at least 4 CPU / 12 GiB, take other roles from it, ${OTHERWISE}`,
    ],
  ];
  for (const [what, list, demands, allowed, remedy, given] of CASES)
    it(what, () => {
      assert.deepEqual(fitErrors({ hosts: list, demands, load: "maximum" }).errors, [
        {
          path: "hosts",
          given:
            given ??
            (demands[0].role === "application"
              ? "3 application hosts (4 CPU / 16 GiB)"
              : "3 database hosts (4 CPU / 8 GiB)"),
          allowed,
          remedy,
        },
      ]);
    });

  it("are no error where everything has room", () => {
    assert.deepEqual(fitErrors({ hosts: three(), demands: [pods("web", 6)], load: "maximum" }), {
      errors: [],
      remedies: [],
    });
  });

  it("for several reasons are several errors; the remedies together suffice", () => {
    const demands = [pods("web", 9), data(5, 1_000)];
    const list = [...three(), ...hosts("db", 2, "database", { cpu: 4, memoryGiB: 8 })];
    const { errors, remedies } = fitErrors({ hosts: list, demands, load: "maximum" });
    assert.deepEqual(remedies, [
      // Three: those that are there are too small for what is tied to one each.
      { kind: "add", role: "database", count: 3, cpu: 8, memoryGiB: 16 },
      { kind: "add", role: "application", count: 1, cpu: 4, memoryGiB: 8 },
    ]);
    assert.deepEqual(
      errors.map((e) => e.given),
      // What is given stays what the settings say.
      ["2 database hosts (4 CPU / 8 GiB)", "3 application hosts (4 CPU / 16 GiB)"],
    );
    assert.equal(missingRoom(remedies.reduce(applyRemedy, list), demands, "maximum"), undefined);
  });

  it("for a pod that is larger than any machine have no remedy but larger ones", () => {
    assert.deepEqual(fitErrors({ hosts: three(), demands: [wide("web", 300, 1_024)], load: "maximum" }), {
      errors: [
        {
          path: "hosts",
          given: "3 application hosts (4 CPU / 16 GiB)",
          allowed:
            "room for everything with any one host lost: even with every host there, 1 pod (web) of the role application lack 300 cores and 1 GiB",
          remedy: `use larger application hosts, ${OTHERWISE}`,
        },
      ],
      remedies: [],
    });
  });

  it("get machines no larger than 32 cores, unless there are larger ones already", () => {
    const remedy = (list: HostSettings[]): unknown =>
      fitErrors({ hosts: list, demands: [wide("web", 40, 1_024)], load: "maximum" }).remedies;
    const large = hosts("app", 1, "application", { cpu: 64, memoryGiB: 256 });
    assert.deepEqual(remedy(large), [{ kind: "add", role: "application", count: 1, cpu: 64, memoryGiB: 256 }]);
    assert.deepEqual(remedy(hosts("db", 1, "database", { cpu: 64, memoryGiB: 256 })), []);
  });

  it("are enlarged step by step, and by a usual size where that is not enough", () => {
    const remedy = (cpu: number, memoryMiB: number): unknown =>
      fitErrors({ hosts: databases(), demands: [data(cpu, memoryMiB)], load: "maximum" }).remedies;
    // The system takes 5 % of what is added, too: a step more than what is missing.
    assert.deepEqual(remedy(30.9, 1_000), [{ kind: "enlarge", role: "database", count: 0, cpu: 34, memoryGiB: 8 }]);
    assert.deepEqual(remedy(1, 60_000), [{ kind: "enlarge", role: "database", count: 0, cpu: 4, memoryGiB: 64 }]);
    assert.deepEqual(remedy(700, 1_000), []);
  });
});

describe("a remedy", () => {
  const list = [host("a", ["call"], { cpu: 8, memoryGiB: 8 }), host("b", ["storage"], { cpu: 2, memoryGiB: 2 })];

  it("adds hosts that can be told apart", () => {
    const added = applyRemedy(list, { kind: "add", role: "call", count: 2, cpu: 4, memoryGiB: 16 });
    assert.deepEqual(added.slice(0, 2), list);
    const expected = (n: number): HostSettings => ({
      name: `added-call-${n}`,
      address: `198.19.0.${n + 1}`,
      roles: ["call"],
      cpu: 4,
      memoryGiB: 16,
      disks: [],
      ssh: { user: "root", port: 22 },
    });
    assert.deepEqual(added.slice(2), [expected(2), expected(3)]);
    const many = applyRemedy(hosts("h", 249, "call"), { kind: "add", role: "call", count: 2, cpu: 4, memoryGiB: 16 });
    assert.deepEqual(
      many.slice(-2).map((h) => h.address),
      ["198.19.0.250", "198.19.1.1"],
    );
  });

  it("enlarges the hosts of the role, and makes none smaller", () => {
    const larger = applyRemedy(list, { kind: "enlarge", role: "call", count: 0, cpu: 4, memoryGiB: 16 });
    assert.deepEqual(
      larger.map((h) => [h.name, h.cpu, h.memoryGiB]),
      [
        ["a", 8, 16],
        ["b", 2, 2],
      ],
    );
  });
});

describe("figures that the costs of failures share", () => {
  it("are Kubernetes' own times and what was measured on top", () => {
    // 40 s until a node is lost, 10 s more from 1.32 on, 70 s for the start of all that it carried.
    assert.deepEqual([LOST_NODE_TOLERATION, NODE_REPLACED], [30, 120]);
    assert.deepEqual([2, 3, 5].map(others), ["the other takes", "the other 2 take", "the other 4 take"]);
  });
});
