/** Workers against one process: the same people at the same rates, first the one, then the other. */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "./client";
import { makePeople, makeWorld, worldRandom } from "./people";
import type { Target } from "./realTarget";
import { used, type Report } from "./run";

export interface ComparePlan {
  users: number;
  /** Messages a second of all together, rising. */
  rates: readonly number[];
  /** Of each rate. */
  seconds: number;
  seed: number;
}

export interface Contender {
  name: string;
  start(say: (text: string) => void): Promise<Target>;
}

/** What came of one rate. */
export interface Point {
  rate: number;
  /** Of messages. */
  offered: number;
  served: number;
  p50: number | undefined;
  p95: number | undefined;
  /** Of their arrival at clients that wait, from when they were due. */
  delivery95: number | undefined;
  /** CPU seconds of everything for each message that was served, with all that comes with it. */
  cpu: number;
  /** Cores used. */
  cores: number;
  holds: boolean;
}

export interface Side {
  name: string;
  processes: number;
  points: Point[];
}

export interface Comparison {
  date: string;
  plan: ComparePlan;
  load: [number, number];
  rooms: { count: number; largest: number };
  sides: Side[];
}

/**
 * Holds: every message is taken, and nineteen of twenty are there within two seconds. Decided: a conversation in
 * which messages take longer is felt as broken.
 */
export const HOLDS_MS = 2000;

export function pointOf(rate: number, { kinds, delivery, cpu, seconds }: Report): Point {
  const { offered = 0, served = 0, p50, p95 } = kinds.send ?? {};
  const total = Object.values(cpu).reduce((sum, v) => sum + v, 0);
  return {
    rate,
    offered,
    served,
    p50,
    p95,
    delivery95: delivery.p95,
    cpu: served > 0 ? total / served : NaN,
    cores: total / seconds,
    holds: served === offered && (p95 ?? Infinity) <= HOLDS_MS && (delivery.p95 ?? Infinity) <= HOLDS_MS,
  };
}

/** Between two rates: what waits is done first. */
const REST_MS = 8000;

async function side(contender: Contender, plan: ComparePlan, say: (text: string) => void): Promise<[Side, Report]> {
  const target = await contender.start(say);
  try {
    const client = new Client(target.host, target.port);
    say(`${contender.name}: ${plan.users} users and their rooms`);
    const people = await makePeople(client, plan.users, (name) => target.homeserver.user(name));
    const world = await makeWorld(client, people, worldRandom(plan.seed));
    const points: Point[] = [];
    let report: Report | undefined;
    // The first requests fill caches and load code: they are not counted.
    await used(target, { client, world, plan: { ...plan, rate: plan.rates[0]!, seconds: plan.seconds / 2 } }, () => {});
    for (const rate of plan.rates) {
      await sleep(REST_MS);
      report = await used(target, { client, world, plan: { ...plan, rate } }, () => {});
      const point = pointOf(rate, report);
      points.push(point);
      say(
        `${contender.name}, ${rate} messages a second: ${point.served} of ${point.offered}, p95 ${point.p95?.toFixed(0)} ms, ` +
          `at others after ${point.delivery95?.toFixed(0)} ms, ${(1000 * point.cpu).toFixed(0)} ms of CPU each`,
      );
      // The next rate would only wait longer.
      if ((point.p95 ?? Infinity) > 5 * HOLDS_MS) break;
    }
    client.close();
    const processes = [...target.processes().values()].reduce((sum, n) => sum + n, 0);
    return [{ name: contender.name, processes, points }, report!];
  } finally {
    await target.stop();
  }
}

export async function sideBySide(
  contenders: readonly Contender[],
  plan: ComparePlan,
  say: (text: string) => void,
): Promise<Comparison> {
  const load: number[] = [],
    sides: Side[] = [];
  let rooms = { count: 0, largest: 0 };
  for (const contender of contenders) {
    load.push(loadavg()[0]!);
    const [one, report] = await side(contender, plan, say);
    sides.push(one);
    rooms = report.rooms;
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    plan,
    load: [Math.min(...load), Math.max(...load)],
    rooms,
    sides,
  };
}
