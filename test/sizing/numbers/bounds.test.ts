/** Where two answers meet: which host, which order, which remedy. */
import assert from "node:assert/strict";
import type { HostSettings } from "../../../components/settings/types";
import { basesPerDay } from "../../../components/sizing/backups";
import { budgetConnections } from "../../../components/sizing/connections";
import { floating, tied, type Demand } from "../../../components/sizing/demands";
import { CONNECTIONS_PER_USER } from "../../../components/sizing/door";
import { MEASURED } from "../../../components/sizing/failures";
import { fitErrors } from "../../../components/sizing/fitErrors";
import { missingRoom, missingWithout } from "../../../components/sizing/hostsFit";
import { planMinio } from "../../../components/sizing/minio";
import { bare, disks, host, hosts, pool } from "./bare";

/** Three hosts with room for 3.23 cores and 14,428.8 MiB each. */
const three = (): HostSettings[] => hosts("app", 3, "application", { cpu: 4, memoryGiB: 16 });
const pods = (name: string, replicas: number, cpu: number, memoryMiB: number): Demand =>
  floating(name, { replicas, cpu, memoryMiB });

describe("pods on the hosts", () => {
  it("are placed largest first, where 4 GiB count like a core", () => {
    // The small ones would take a core of both hosts that are left, and leave no three.
    const demands = [pods("small", 2, 1, 2_048), pods("large", 1, 3, 64)];
    assert.equal(missingRoom(three(), demands, "maximum"), undefined);
    const app = three();
    assert.equal(missingWithout(app, [app[0]], demands), undefined);
  });

  it("are spread: each goes where most room is, although one host could hold both", () => {
    // 7 GiB and a core weigh more than 2.5 cores, so these two are placed first.
    const demands = [pods("wide", 2, 1, 7 * 1_024), pods("busy", 1, 2.5, 64)];
    const missing = missingRoom(three(), demands, "maximum");
    assert.deepEqual([missing?.names, missing?.lost], [["busy"], "app-1"]);
  });
});

describe("remedies", () => {
  const data = (cpu: number, memoryMiB: number): Demand =>
    tied("postgres", "database", { replicas: 3, cpu, memoryMiB }, "overrides.postgres");
  const remedies = (list: HostSettings[], ...demands: Demand[]): unknown =>
    fitErrors({ hosts: list, demands, load: "maximum" }).remedies;
  const small = (): HostSettings[] => hosts("db", 3, "database", { cpu: 4, memoryGiB: 8 });

  it("enlarge from the size of the host that lacks room", () => {
    const list = [host("large", ["database"], { cpu: 16, memoryGiB: 64 }), ...small().slice(1)];
    assert.deepEqual(remedies(list, data(3.5, 1_000)), [
      { kind: "enlarge", role: "database", count: 0, cpu: 6, memoryGiB: 8 },
    ]);
  });

  it("enlarge memory step by step, because the system's share grows with it", () => {
    // 120 GiB would be what is there and what is missing; 5 % and a GiB are the system's.
    assert.deepEqual(remedies(small(), data(1, 120_000)), [
      { kind: "enlarge", role: "database", count: 0, cpu: 4, memoryGiB: 128 },
    ]);
  });

  it("do not lower a pod by more than a quarter of its cores", () => {
    const [error] = fitErrors({ hosts: small(), demands: [data(5, 1_000)], load: "maximum" }).errors;
    assert.match(error.remedy, /^give every database host at least 6 CPU \/ 8 GiB, take other roles from it, /);
  });

  it("are for one role each: another role's shortage is not the same", () => {
    const list = [...hosts("db", 2, "database"), ...hosts("store", 2, "storage")];
    const store = tied("minio", "storage", { replicas: 3, cpu: 1.5, memoryMiB: 64 });
    assert.deepEqual(remedies(list, data(2, 1_024), store), [
      { kind: "add", role: "database", count: 1, cpu: 4, memoryGiB: 8 },
      { kind: "add", role: "storage", count: 1, cpu: 4, memoryGiB: 8 },
    ]);
  });

  it("for tied pods do not count what others of the same role lack", () => {
    const agent = tied("agent", "application", { replicas: 3, cpu: 0.5, memoryMiB: 64 });
    const list = hosts("app", 2, "application", { cpu: 4, memoryGiB: 16 });
    const { errors, remedies: found } = fitErrors({
      hosts: list,
      demands: [agent, pods("web", 9, 1, 1_024)],
      load: "maximum",
    });
    assert.match(errors[0].allowed, /^one application host for each instance of agent: 1 more$/);
    assert.match(errors[1].allowed, /^room for everything with any one host lost: /);
    assert.deepEqual(found[0], { kind: "add", role: "application", count: 1, cpu: 2, memoryGiB: 4 });
  });
});

describe("MinIO's hosts", () => {
  const planned = (storage: HostSettings[], survives: "host" | "zone" = "host"): ReturnType<typeof planMinio> =>
    planMinio(
      bare(1_000, (s) => {
        s.hosts = storage;
        s.objectStore = { kind: "minio", survives };
      }),
    );
  const full = disks("object-store", 100, 100);

  it("are checked from the first on", () => {
    const rest = hosts("s", 3, "storage", { disks: full });
    const given = (first: HostSettings["disks"]): string[] =>
      planned([host("first", ["storage"], { disks: first }), ...rest]).errors.map((e) => `${e.path}: ${e.given}`);
    assert.deepEqual(given([]), ['hosts[0].disks: no disk with use "object-store" on first']);
    assert.deepEqual(given(disks("object-store", 100)), [
      'hosts[0].disks: 1 with use "object-store" on first, others have 2',
    ]);
    assert.deepEqual(given(full), []);
  });

  it("make as many pools as the zone with the fewest allows", () => {
    // Eight in one zone, two in each of the others.
    const list = [..."abcabcaaaaaa"].map((zone, i) => host(`s-${i}`, ["storage"], { zone, disks: full }));
    assert.deepEqual(planned(list, "zone").minio?.pools, [6]);
  });
});

describe("other figures", () => {
  it("are what they are made of", () => {
    // Three of clients, two to the router.
    assert.equal(CONNECTIONS_PER_USER, 5);
    assert.equal(MEASURED, "measured");
    // A question mark names every value, like a star.
    assert.equal(basesPerDay("0 0 ? * * *"), 24);
  });

  it("of max_connections beyond 2,000 are right up to the slope's own", () => {
    // 2,040 of 0.85 x 2,400, which is what the slope gives at 200,000 users.
    const { maxConnections, errors } = budgetConnections(bare(200_000), [
      pool("generic", { maxReplicas: 203, cpMax: 10 }),
    ]);
    assert.deepEqual([maxConnections, errors], [2_400, []]);
  });
});
