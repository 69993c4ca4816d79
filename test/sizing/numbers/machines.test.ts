/** The machines to provide: by role, as host settings, and shared between roles. */
import assert from "node:assert/strict";
import { exampleHostKey } from "../../../components/schema/syntax/keys";
import { machinesFor } from "../../../components/sizing/machines";
import { RECOMMENDED_STORE, recommendedHosts } from "../../../components/sizing/recommendedHosts";
import { chooseHosts, runMachines, type Chosen, type Wish } from "../../../components/sizing/chooseHosts";
import type { HostRole } from "../../../components/domain/roles";
import { tied, type Demand } from "../../../components/sizing/demands";
import { RUN_SIZES } from "../../../components/sizing/hostSizes";

describe("machines to provide", () => {
  it("between two sizes are more and larger, in even cores, steps of 4 GiB and whole pools of storage", () => {
    assert.deepEqual(machinesFor(7_500), [
      { role: "control-plane", count: 3, cpu: 8, memoryGiB: 16, diskGiB: 93 },
      { role: "application", count: 10, cpu: 24, memoryGiB: 96, diskGiB: 465 },
      // PostgreSQL's instances are a quorum: their number changes at an anchor only.
      { role: "database", count: 3, cpu: 24, memoryGiB: 96, diskGiB: 2_793 },
      // The row says 6 of 4 to 8 machines; 4 TB are 3,725 GiB.
      { role: "storage", count: 6, cpu: 16, memoryGiB: 32, diskGiB: 3_725 },
      { role: "call", count: 7, cpu: 16, memoryGiB: 32, diskGiB: 93 },
    ]);
  });

  it("of PostgreSQL change in steps: an instance more would make an even number", () => {
    const count = (ccu: number): number => machinesFor(ccu, ["database"])[0].count;
    assert.deepEqual([10_000, 15_000, 19_999, 20_000].map(count), [3, 3, 3, 5]);
  });

  it("are rounded up: no size in between is sold", () => {
    // 4 to 8 cores and 16 to 32 GiB from 100 to 1,000 users: 4.4 and 17.8 at 200.
    const [database] = machinesFor(200, ["database"]);
    assert.deepEqual([database.cpu, database.memoryGiB], [6, 20]);
  });

  it("of storage come in multiples of a pool, whatever its size; no others do", () => {
    const counts = (ccu: number, poolNodes: number): number[] =>
      machinesFor(ccu, ["storage", "application"], poolNodes).map((m) => m.count);
    assert.deepEqual(counts(1_000, 4), [4, 5]);
    assert.deepEqual(counts(1_000, 6), [6, 5]);
    assert.deepEqual(counts(20_000, 5), [15, 21]);
  });
});

describe("the recommended hosts", () => {
  it("are the machines of each role, in three zones in turn, with the drives of their role", () => {
    const of = recommendedHosts(100).map((h) => `${h.name} ${h.address} ${h.roles.join()} ${h.zone}`);
    assert.deepEqual(of, [
      "cp-1 198.18.0.1 control-plane a",
      "cp-2 198.18.0.2 control-plane b",
      "cp-3 198.18.0.3 control-plane c",
      "app-1 198.18.16.1 application a",
      "app-2 198.18.16.2 application b",
      "app-3 198.18.16.3 application c",
      "db-1 198.18.32.1 database a",
      "db-2 198.18.32.2 database b",
      "db-3 198.18.32.3 database c",
      "store-1 198.18.48.1 storage a",
      "store-2 198.18.48.2 storage b",
      "store-3 198.18.48.3 storage c",
      "store-4 198.18.48.4 storage a",
      "store-5 198.18.48.5 storage b",
      "store-6 198.18.48.6 storage c",
      "call-1 198.18.64.1 call a",
      "call-2 198.18.64.2 call b",
    ]);
    assert.deepEqual(RECOMMENDED_STORE, { kind: "minio", survives: "zone" });
  });

  it("have PostgreSQL's one drive, or two halves of the storage machine's", () => {
    const host = (name: string): unknown => recommendedHosts(100).find((h) => h.name === name);
    const ssh = (name: string): object => ({ user: "root", port: 22, hostKey: exampleHostKey(name) });
    assert.deepEqual(host("db-2"), {
      name: "db-2",
      address: "198.18.32.2",
      roles: ["database"],
      zone: "b",
      cpu: 4,
      memoryGiB: 16,
      disks: [{ id: "/dev/disk/by-id/nvme-db-2", use: "database", sizeGiB: 465 }],
      ssh: ssh("db-2"),
    });
    assert.deepEqual(host("store-6"), {
      name: "store-6",
      address: "198.18.48.6",
      roles: ["storage"],
      zone: "c",
      cpu: 4,
      memoryGiB: 8,
      disks: [
        { id: "/dev/disk/by-id/nvme-store-6-1", use: "object-store", sizeGiB: 465 },
        { id: "/dev/disk/by-id/nvme-store-6-2", use: "object-store", sizeGiB: 465 },
      ],
      ssh: ssh("store-6"),
    });
    assert.deepEqual((host("call-1") as { disks: unknown }).disks, []);
  });

  it("have an address each, also where a role has more than 250", () => {
    const hosts = recommendedHosts(300_000, ["application"]);
    assert.ok(hosts.length > 251);
    assert.deepEqual(
      [0, 249, 250, 251].map((i) => hosts[i].address),
      ["198.18.0.1", "198.18.0.250", "198.18.1.1", "198.18.1.2"],
    );
    assert.equal(new Set(hosts.map((h) => h.address)).size, hosts.length);
  });
});

describe("machines that share all roles", () => {
  // Nothing requests room here: the number is given, the size is the smallest.
  const shared = (ccu: number, machines: number, more: Partial<Wish> = {}): Chosen =>
    chooseHosts({ ccu, machines, sizes: RUN_SIZES, prefer: "fewest", ...more }, () => [])[0]!;
  const shape = (ccu: number, machines: number, zones?: string[]): string[] =>
    shared(ccu, machines, { zones }).section.hosts.map(
      (h) => `${h.name} ${h.zone ?? "-"} ${h.roles.join()}: ${h.disks.map((d) => `${d.use} ${d.sizeGiB}`).join(", ")}`,
    );
  const ABC = ["a", "b", "c"];

  it("carry everything where there are three", () => {
    const each = "control-plane,application,database,storage,call: database 931, object-store 1242, object-store 1242";
    // The usable space of four machines with 1,862 GiB, half of which is parity, on two drives in each of three.
    assert.deepEqual(shape(1_000, 3), [`host-1 - ${each}`, `host-2 - ${each}`, `host-3 - ${each}`]);
    assert.deepEqual(shared(1_000, 3).section.minioPools, [3]);
    assert.deepEqual(shared(1_000, 3).section.objectStore, { kind: "minio", survives: "host" });
  });

  it("share as little as their number allows: databases from the first on, storage and calls from the last", () => {
    assert.deepEqual(shape(1_000, 5), [
      "host-1 - control-plane,application,database: database 931",
      "host-2 - control-plane,application,database,storage,call: database 931, object-store 931, object-store 931",
      "host-3 - control-plane,application,database,storage,call: database 931, object-store 931, object-store 931",
      "host-4 - application,storage,call: object-store 931, object-store 931",
      "host-5 - application,storage,call: object-store 931, object-store 931",
    ]);
    assert.equal(shared(1_000, 5).section.minioPools, undefined);
  });

  it("in zones have a store that survives the loss of one: two hosts in each from six on, before that one", () => {
    assert.deepEqual(
      shape(1_000, 5, ABC).map((line) => line.replace(/:.*/, "")),
      [
        "host-1 a control-plane,application,database",
        "host-2 b control-plane,application,database,call",
        "host-3 c control-plane,application,database,storage,call",
        "host-4 a application,storage,call",
        "host-5 b application,storage,call",
      ],
    );
    assert.deepEqual(shared(1_000, 5, { zones: ABC }).section.objectStore, { kind: "minio", survives: "host" });
    const six = shared(1_000, 6, { zones: ABC }).section;
    assert.deepEqual(six.objectStore, { kind: "minio", survives: "zone" });
    // A third of these drives is parity: 3,724 GiB usable are 5,586 on twelve.
    assert.deepEqual(
      six.hosts[5]!.disks.map((d) => d.sizeGiB),
      [466, 466],
    );
  });

  it("are of the smallest size with which nothing is missing, with a host key each", () => {
    const [first] = shared(20_000, 12).section.hosts;
    assert.deepEqual(first, {
      name: "host-1",
      address: "198.18.0.1",
      roles: ["control-plane", "application", "database", "storage"],
      cpu: 4,
      memoryGiB: 8,
      disks: [
        { id: "/dev/disk/by-id/nvme-host-1", use: "database", sizeGiB: 3_725 },
        { id: "/dev/disk/by-id/nvme-host-1-media-1", use: "object-store", sizeGiB: 1_863 },
        { id: "/dev/disk/by-id/nvme-host-1-media-2", use: "object-store", sizeGiB: 1_863 },
      ],
      ssh: { user: "root", port: 22, hostKey: exampleHostKey("host-1") },
    });
    // PostgreSQL has five instances at 20,000 users.
    assert.equal(shared(20_000, 12).section.hosts.filter((h) => h.roles.includes("database")).length, 5);
  });

  it("are compared with the machines that were run", () => {
    const sum = (ccu: number): number[] => {
      const machines = runMachines(ccu);
      const of = (x: (m: (typeof machines)[number]) => number): number =>
        machines.reduce((all, m) => all + m.count * x(m), 0);
      return [of(() => 1), of((m) => m.cpu), of((m) => m.memoryGiB)];
    };
    assert.deepEqual([100, 1_000, 5_000, 10_000, 20_000].map(sum), [
      [15, 72, 168],
      [19, 180, 408],
      [24, 360, 1_072],
      [34, 760, 2_480],
      [51, 1_208, 4_080],
    ]);
  });

  it("are put on kinds of machines in the way that costs least, where the number is free", () => {
    // A database needs 12 cores, a call host 3, everything else nothing. Together they are too much for 16.
    const pods = (name: string, role: HostRole, replicas: number, cpu: number): Demand =>
      tied(name, role, { replicas, cpu, memoryMiB: 1024 });
    const demands = [pods("postgres", "database", 3, 12), pods("calls", "call", 4, 3)];
    const kinds = (prefer: Wish["prefer"]): string[] =>
      chooseHosts({ ccu: 1_000, sizes: RUN_SIZES, prefer }, () => demands)[0]!
        .groups.map((g) => `${g.hosts.length} x ${g.size.name}`)
        .sort();
    assert.deepEqual(kinds("cheapest"), ["3 x 16-32", "4 x 4-8"]);
    assert.deepEqual(kinds("fewest"), ["4 x 32-128"]);
  });
});
