import * as assert from "node:assert/strict";
import { plan } from "../../components/plan";
import type { Plan } from "../../components/sizing";
import * as anchors from "../../components/sizing/anchors";
import { ANCHOR_CCU, type Anchor } from "../../components/domain/anchors";
import { WORKERS } from "../../components/domain/workers";
import { interpolate } from "../../components/sizing/interpolate";
import { pool, sized } from "./helpers";

/**
 * The earlier deployments once more, written here by hand, so that a slip in the table is noticed.
 */
const RUN: Array<[what: string, of: (p: Plan) => unknown, at: [unknown, unknown, unknown, unknown, unknown]]> = [
  ["control-plane machines", machine("control-plane"), ["3x4/8", "3x4/8", "3x8/16", "3x8/16", "3x8/16"]],
  ["application machines", machine("application"), ["3x8/16", "5x16/32", "8x16/64", "12x32/128", "21x32/128"]],
  ["database machines", machine("database"), ["3x4/16", "3x8/32", "3x16/64", "3x32/128", "5x32/128"]],
  // Those deployments had 4, 4, 4, 8 and 12: pools of six survive the loss of a zone.
  ["storage machines", machine("storage"), ["6x4/8", "6x8/16", "6x16/32", "12x16/32", "12x16/32"]],
  ["call machines", machine("call"), ["2x4/8", "4x8/16", "6x16/32", "8x16/32", "10x16/32"]],
  // Those deployments gave main up to four cores and a synchrotron two: a process keeps no more than one busy.
  ["main", (p) => shape(p, "main"), ["1x1/4", "1x1/8", "1x1/12", "1x1/16", "1x1/16"]],
  ["synchrotron", (p) => shape(p, "synchrotron"), ["2x1/1", "4x1/2", "8x1/3", "12x1/4", "16x1/4"]],
  ["generic", (p) => pool(p, "generic").replicas, [2, 4, 6, 8, 10]],
  ["event persister", (p) => pool(p, "event-persister").replicas, [2, 2, 3, 4, 4]],
  ["media", (p) => pool(p, "media").replicas, [2, 2, 3, 3, 4]],
  ["federation sender", (p) => pool(p, "federation-sender").replicas, [2, 2, 4, 4, 8]],
  ["receipts", (p) => pool(p, "receipts").replicas, [2, 2, 2, 2, 3]],
  ["messages per second", (p) => p.synapse.messagesPerSecond, [10, 50, 200, 400, 800]],
  ["connections of main", (p) => pool(p, "main").cpMax, [10, 15, 18, 20, 25]],
  [
    "shared_buffers",
    (p) => p.postgres.parameters.shared_buffers,
    ["4096MB", "8192MB", "16384MB", "32768MB", "32768MB"],
  ],
  [
    "effective_cache_size",
    (p) => p.postgres.parameters.effective_cache_size,
    ["12288MB", "24576MB", "49152MB", "98304MB", "98304MB"],
  ],
  ["event cache", (p) => p.synapse.eventCacheSize, ["5K", "10K", "20K", "30K", "50K"]],
  ["cache factor", (p) => p.synapse.globalCacheFactor, [0.5, 1, 2, 3, 4]],
  [
    "rc_message",
    (p) => `${p.synapse.rateLimits.messagesPerSecond}/${p.synapse.rateLimits.messagesBurst}`,
    ["5/25", "10/50", "15/75", "20/100", "25/150"],
  ],
  ["Redis", (p) => `${p.redis.instances}x${p.redis.memoryMiB / 1024}`, ["3x1", "3x2", "3x4", "5x4", "5x8"]],
  ["TURN allocations", (p) => p.turn?.allocations, [60, 600, 3000, 6000, 12_000]],
  ["users in calls", (p) => p.rtc?.usersInCalls, [10, 100, 500, 1000, 2000]],
  ["PostgreSQL instances", (p) => p.postgres.instances, [3, 3, 3, 3, 5]],
  // As many for each address: 2, 2, 3, 5, 7 rounded up to multiples of 1, 1, 1, 2 and 4 addresses.
  ["ingress replicas", (p) => p.ingress.replicas, [2, 2, 3, 6, 8]],
];

function machine(role: string): (p: Plan) => string {
  return (p) => {
    const m = p.nodes.find((x) => x.role === role)!;
    return `${m.count}x${m.cpu}/${m.memoryGiB}`;
  };
}
const shape = (p: Plan, cls: string): string => {
  const x = pool(p, cls);
  return `${x.replicas}x${x.cpu}/${x.memoryMiB / 1024}`;
};

describe("sizing: the sizes that were run", () => {
  const plans = ANCHOR_CCU.map((ccu) =>
    plan(
      sized(ccu, (s) => {
        s.federation.enabled = true;
      }),
    ),
  );
  for (const [what, of, at] of RUN) {
    it(`${what}: ${at.join(", ")}`, () => assert.deepEqual(plans.map(of), at));
  }

  it("max_connections without federation, which those deployments did not have", () => {
    assert.deepEqual(
      ANCHOR_CCU.map((ccu) => plan(sized(ccu)).postgres.maxConnections),
      [200, 300, 400, 500, 600],
    );
  });

  it("usable object storage is at least what was provided", () => {
    ANCHOR_CCU.forEach((_, i) =>
      assert.ok(plans[i].minio!.usableGiB >= [1, 2, 4, 8, 12][i] * 931, `${plans[i].minio!.usableGiB} GiB`),
    );
  });

  it("no row of the table ever falls, and each has its origin", () => {
    const rows = [
      ...Object.values(anchors.MACHINES).flatMap((m) => Object.values(m) as Anchor[]),
      ...Object.values(WORKERS).flatMap((w) => Object.values(w.size) as Anchor[]),
      ...[anchors.SYNAPSE, anchors.POSTGRES, anchors.REDIS, anchors.MINIO, anchors.CALLS, anchors.FRONT].flatMap(
        (t) => Object.values(t) as Anchor[],
      ),
    ];
    assert.ok(rows.length > 100);
    for (const { row, origin, unit } of rows) {
      assert.ok(origin === "run" || origin === "decision");
      row.forEach((v, i) => assert.ok(i === 0 || v >= row[i - 1], `${unit}: ${row.join(", ")}`));
    }
  });

  it("between anchors it is linear; below the first its value; beyond the last the slope goes on", () => {
    const row = [1, 10, 50, 100, 200] as const;
    assert.deepEqual(
      [1, 100, 550, 3000, 7500, 20_000, 30_000].map((c) => interpolate(row, c)),
      [1, 1, 5.5, 30, 75, 200, 300],
    );
  });
});
