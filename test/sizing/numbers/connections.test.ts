/** The connection budget: what the pools may open together, and what gives way where it is too small. */
import assert from "node:assert/strict";
import type { PoolPlan } from "../../../components/sizing";
import {
  budgetConnections,
  budgetOf,
  connectionsAtMax,
  connectionsUsed,
  type ConnectionBudget,
} from "../../../components/sizing/connections";
import { bare, pool } from "./bare";

const main = (cpMax: number): PoolPlan => pool("main", { kind: "StatefulSet", replicas: 1, maxReplicas: 1, cpMax });
const budget = (
  pools: PoolPlan[],
  { ccu = 100, maxConnections, given = {} }: { ccu?: number; maxConnections?: number; given?: object } = {},
): ConnectionBudget =>
  budgetConnections(
    bare(ccu, (s) => {
      s.overrides.postgres.maxConnections = maxConnections;
      s.overrides.pools = given;
    }),
    pools,
  );
const cpMax = (b: ConnectionBudget): string => b.pools.map((p) => `${p.class} ${p.cpMax}`).join(", ");

describe("connections to PostgreSQL", () => {
  it("are counted at the autoscalers' maximum; what may exist once has a session more, in which it asks whether it may", () => {
    const pools = [main(10), pool("generic", { replicas: 2, maxReplicas: 3, cpMax: 7 })];
    assert.equal(connectionsAtMax(pools), 11 + 21);
    // Three are PostgreSQL's own, three the operator's, two the exporter's, two an administrator's.
    assert.equal(connectionsUsed(pools), 42);
    assert.equal(connectionsAtMax([]), 0);
    // 85 %, rounded down.
    assert.deepEqual([100, 200, 301].map(budgetOf), [85, 170, 255]);
  });

  it("are as many as were run where that suffices", () => {
    const pools = [pool("generic", { maxReplicas: 20, cpMax: 8 })];
    // 170 of 0.85 x 200.
    assert.deepEqual(budget(pools), { pools, maxConnections: 200, errors: [], notes: [] });
    // 200 to 300 from 100 to 1,000 users: 250 at 550, 211.1 at 200.
    assert.deepEqual(
      [200, 550].map((ccu) => budget(pools, { ccu }).maxConnections),
      [212, 250],
    );
  });

  it("are more where the pools need more, in steps of 25, with a note", () => {
    const pools = [pool("generic", { maxReplicas: 23, cpMax: 7 })];
    // 171 / 0.85 is 201.2.
    assert.deepEqual(budget(pools), {
      pools,
      maxConnections: 225,
      errors: [],
      notes: [
        "max_connections is 225 instead of 200: 171 connections can be open at the autoscaling maximum, and they stay below 0.85 of it.",
      ],
    });
  });

  it("are 2,000 at most: pools that need more are refused", () => {
    const at = (maxReplicas: number): ConnectionBudget => budget([pool("generic", { maxReplicas, cpMax: 10 })]);
    // 0.85 x 2,000 is 1,700.
    assert.deepEqual([at(169).maxConnections, at(169).errors], [2_000, []]);
    const { maxConnections, errors, notes, pools } = at(170);
    assert.deepEqual(errors, [
      {
        path: "overrides.pools",
        given: "pools that need 1710 connections at their maximum, so max_connections 2025",
        allowed: "at most 1700 connections",
        remedy: "lower replicas, maxReplicas or cpMax of the pools with overrides",
      },
    ]);
    assert.deepEqual([maxConnections, notes, pools.length], [200, [], 1]);
  });

  it("beyond the sizes that were run may be more than 2,000, where the slope says so", () => {
    // 10 more for each 1,000 users beyond 20,000.
    const b = budget([pool("generic", { maxReplicas: 200, cpMax: 10 })], { ccu: 200_000 });
    assert.deepEqual([b.maxConnections, b.errors], [2_400, []]);
  });
});

describe("a given max_connections", () => {
  const pools = [
    main(15),
    pool("generic", { maxReplicas: 6, cpMax: 7 }),
    pool("background", { kind: "StatefulSet", replicas: 1, maxReplicas: 1, cpMax: 8 }),
  ];

  it("that suffices changes no pool", () => {
    // 16 + 42 + 9 + 10 is 77, and 0.85 x 91 is 77.35.
    assert.deepEqual(budget(pools, { maxConnections: 91 }), { pools, maxConnections: 91, errors: [], notes: [] });
  });

  it("takes one connection at a time from the largest pool, main last, and says so", () => {
    const b = budget(pools, { maxConnections: 90 });
    assert.equal(cpMax(b), "main 15, generic 7, background 7");
    assert.deepEqual(b.notes, ["Connection pools were lowered to fit max_connections 90: 76 of 76 allowed."]);
    // 75 are allowed with 89: background has seven like generic, which stands before it.
    assert.equal(cpMax(budget(pools, { maxConnections: 89 })), "main 15, generic 6, background 7");
    // All workers are at four: 16 + 24 + 5 + 10 is 55.
    assert.equal(cpMax(budget(pools, { maxConnections: 65 })), "main 15, generic 4, background 4");
    // Then main gives way.
    assert.equal(cpMax(budget(pools, { maxConnections: 64 })), "main 14, generic 4, background 4");
    assert.deepEqual(
      pools.map((p) => p.cpMax),
      [15, 7, 8],
      "the pools that were given stay as they are",
    );
  });

  it("leaves each process four; below that it is refused with the least that would do", () => {
    // 5 + 24 + 5 + 10 is 44; 0.85 x 52 is 44.2.
    const least = budget(pools, { maxConnections: 52 });
    assert.deepEqual([cpMax(least), least.errors], ["main 4, generic 4, background 4", []]);
    const { errors, notes, maxConnections } = budget(pools, { maxConnections: 51 });
    assert.deepEqual(errors, [
      {
        path: "overrides.postgres.maxConnections",
        given: "51",
        allowed:
          "at least 52: 44 connections at the autoscaling maximum (10 of them reserved) must stay below 0.85 x max_connections = 43",
        remedy: "set it to 75, leave it out, or lower maxReplicas or cpMax of overridden pools",
      },
    ]);
    assert.deepEqual([notes, maxConnections], [[], 51]);
  });

  it("leaves a pool alone whose cpMax is given", () => {
    const b = budget(pools, { maxConnections: 89, given: { background: { cpMax: 8 }, generic: { replicas: 3 } } });
    assert.equal(cpMax(b), "main 15, generic 6, background 8");
    const { errors } = budget(pools, { maxConnections: 52, given: { background: { cpMax: 8 } } });
    assert.match(errors[0].allowed, /^at least 57: 48 connections/);
  });
});
