/** The table of the sizes that were run: each row has its unit and its origin, in words. */
import assert from "node:assert/strict";
import type { Anchor } from "../../../components/domain/anchors";
import {
  BACKUPS,
  CALLS,
  FRONT,
  GIB_PER_TB,
  MACHINES,
  MINIO,
  POSTGRES,
  REDIS,
  SYNAPSE,
} from "../../../components/sizing/anchors";

const rows = (table: object): Array<[name: string, row: Anchor]> =>
  Object.entries(table).filter((e): e is [string, Anchor] => typeof e[1] === "object");
/** `name: origin, unit` of each row. */
const kinds = (table: object): string[] => rows(table).map(([name, a]) => `${name}: ${a.origin}, ${a.unit}`);

describe("the table of the sizes that were run", () => {
  it("has the machines of each role, the drives of two of them as they were", () => {
    const machines = (unit: string, disk: "run" | "decision"): string[] => [
      `count: run, ${unit}`,
      "cpu: run, vCPU",
      "memoryGiB: run, GB",
      `diskTB: ${disk}, TB`,
    ];
    assert.deepEqual(Object.fromEntries(Object.entries(MACHINES).map(([role, m]) => [role, kinds(m)])), {
      "control-plane": machines("machines", "decision"),
      application: machines("machines", "decision"),
      database: machines("machines (NVMe)", "run"),
      storage: machines("machines", "run"),
      call: machines("machines (TURN + SFU)", "decision"),
    });
    // 4 TB, as sold, are 3,725 GiB.
    assert.equal(Math.floor(4 * GIB_PER_TB), 3_725);
  });

  it("has the unit of each row, and whether it was run or decided", () => {
    assert.deepEqual(kinds(SYNAPSE), [
      "messagesPerSecond: run, events/s",
      "eventCacheThousands: run, K events",
      "globalCacheFactor: run, factor",
      "rateMessagesPerSecond: run, rc_message.per_second",
      "rateMessagesBurst: run, rc_message.burst_count",
    ]);
    assert.deepEqual(kinds(POSTGRES), [
      "instances: run, instances",
      "maxConnections: run, connections",
      "sharedBuffersGB: run, GB",
      "effectiveCacheGB: run, GB",
      "cpu: decision, vCPU",
      "memoryGiB: decision, GB",
      "storageTB: decision, TB",
      "walTB: decision, TB",
      "workMemMB: decision, MB",
      "maintenanceWorkMemMB: decision, MB",
      "minWalGB: decision, GB",
      "maxWalGB: decision, GB",
    ]);
    assert.deepEqual(kinds(BACKUPS), ["walParallel: decision, processes", "baseJobs: decision, processes"]);
    assert.deepEqual(kinds(REDIS), [
      "instances: run, instances with Sentinel",
      "memoryGiB: run, Gi",
      "cpu: decision, vCPU",
    ]);
    assert.deepEqual(kinds(MINIO), [
      "usableTB: run, TB",
      "growthTBPerYear: run, TB in year 1",
      "cpu: decision, vCPU",
      "memoryGiB: decision, GB",
    ]);
    assert.deepEqual(kinds(CALLS), [
      "livekitCpu: run, vCPU",
      "livekitGiB: run, GB",
      "coturnCpu: run, vCPU",
      "coturnGiB: run, GB",
      "allocations: run, TURN allocations",
      "usersInCalls: run, users",
    ]);
    assert.deepEqual(kinds(FRONT), [
      "ingressReplicas: run, replicas",
      "ingressCpu: decision, vCPU",
      "ingressGiB: decision, GB",
      "routerReplicas: decision, replicas",
      "routerCpu: decision, vCPU",
      "routerGiB: decision, GB",
      "prometheusCpu: decision, vCPU",
      "prometheusGiB: decision, GB",
      "prometheusStorageGiBPerDay: decision, GiB a day",
    ]);
  });

  it("gives the reason of each decision, and five values that never fall", () => {
    const all = [...Object.values(MACHINES), SYNAPSE, POSTGRES, BACKUPS, REDIS, MINIO, CALLS, FRONT].flatMap(rows);
    assert.equal(all.length, 61);
    for (const [name, { row, origin, why }] of all) {
      assert.equal(row.length, 5, name);
      row.forEach((v, i) => assert.ok(v > 0 && (i === 0 || v >= row[i - 1]), `${name}: ${row.join(", ")}`));
      assert.equal(origin === "decision", (why ?? "").length > 2, name);
    }
  });
});
