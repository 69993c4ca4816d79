/** The machines to provide: by role, as host settings, and shared between roles. */
import assert from "node:assert/strict";
import { exampleHostKey } from "../../../components/schema/syntax/keys";
import { machinesFor } from "../../../components/sizing/machines";
import { RECOMMENDED_STORE, recommendedHosts } from "../../../components/sizing/recommendedHosts";
import { FEWEST_SHARED, MOST_SHARED, SHARED_SIZES, sharedHosts } from "../../../components/sizing/sharedHosts";

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
  const shape = (ccu: number, machines: number): string[] =>
    sharedHosts(ccu, machines, { cpu: 16, memoryGiB: 64 }).hosts.map(
      (h) => `${h.name} ${h.zone} ${h.roles.join()}: ${h.disks.map((d) => `${d.use} ${d.sizeGiB}`).join(", ")}`,
    );

  it("are three to 64, in sizes from 4 cores with 8 GiB to 256 with 2 TiB", () => {
    assert.deepEqual([FEWEST_SHARED, MOST_SHARED], [3, 64]);
    assert.deepEqual(SHARED_SIZES.slice(0, 4), [
      { cpu: 4, memoryGiB: 8 },
      { cpu: 4, memoryGiB: 16 },
      { cpu: 4, memoryGiB: 32 },
      { cpu: 6, memoryGiB: 12 },
    ]);
    assert.deepEqual(SHARED_SIZES.at(-1), { cpu: 256, memoryGiB: 2_048 });
    assert.equal(SHARED_SIZES.length, 63);
  });

  it("carry everything where there are three", () => {
    const each = "application,control-plane,database,storage,call: database 931, object-store 1862, object-store 1862";
    // The space of six machines with 1,862 GiB, on two drives in each of three.
    assert.deepEqual(shape(1_000, 3), [`host-1 a ${each}`, `host-2 b ${each}`, `host-3 c ${each}`]);
  });

  it("share as little as their number allows: databases from the first on, storage and calls from the last", () => {
    // A pool of four below six machines; the space of 6 x 1,862 GiB on eight drives.
    assert.deepEqual(shape(1_000, 5), [
      "host-1 a application,control-plane,database: database 931",
      "host-2 b application,control-plane,database,storage,call: database 931, object-store 1397, object-store 1397",
      "host-3 c application,control-plane,database,storage,call: database 931, object-store 1397, object-store 1397",
      "host-4 a application,storage,call: object-store 1397, object-store 1397",
      "host-5 b application,storage,call: object-store 1397, object-store 1397",
    ]);
    assert.deepEqual(shape(1_000, 7), [
      "host-1 a application,control-plane,database: database 931",
      "host-2 b application,control-plane,database,storage: database 931, object-store 931, object-store 931",
      "host-3 c application,control-plane,database,storage: database 931, object-store 931, object-store 931",
      "host-4 a application,storage,call: object-store 931, object-store 931",
      "host-5 b application,storage,call: object-store 931, object-store 931",
      "host-6 c application,storage,call: object-store 931, object-store 931",
      "host-7 a application,storage,call: object-store 931, object-store 931",
    ]);
  });

  it("have a store that survives the loss of a zone from six on, when each zone has two", () => {
    const store = (machines: number): unknown => sharedHosts(1_000, machines, { cpu: 16, memoryGiB: 64 }).objectStore;
    assert.deepEqual(store(5), { kind: "minio", survives: "host" });
    assert.deepEqual(store(6), { kind: "minio", survives: "zone" });
  });

  it("have the size that is asked for, and a host key each", () => {
    const [first] = sharedHosts(20_000, 12, { cpu: 10, memoryGiB: 40 }).hosts;
    assert.deepEqual(first, {
      name: "host-1",
      address: "198.18.0.1",
      roles: ["application", "control-plane", "database"],
      zone: "a",
      cpu: 10,
      memoryGiB: 40,
      disks: [{ id: "/dev/disk/by-id/nvme-host-1", use: "database", sizeGiB: 3_725 }],
      ssh: { user: "root", port: 22, hostKey: exampleHostKey("host-1") },
    });
    // PostgreSQL has five instances at 20,000 users.
    const { hosts } = sharedHosts(20_000, 12, { cpu: 10, memoryGiB: 40 });
    assert.equal(hosts.filter((h) => h.roles.includes("database")).length, 5);
  });
});
