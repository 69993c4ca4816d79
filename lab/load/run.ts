/** A run of the model: people use the homeserver for a while, and what it took is reported. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "./client";
import { generate, type Figures } from "./generator";
import { rates, SLIDING_SHARE, type Kind } from "./model";
import { drawn } from "./operations";
import { makePeople, makeWorld, worldRandom, type World } from "./people";
import { seeded } from "./random";
import type { Target } from "./realTarget";
import { arrivals, merged } from "./schedule";
import { percentile } from "./statistics";
import { Waiting } from "./waiting";

export interface RunPlan {
  users: number;
  /** Messages a second of all. @default the model's */
  rate?: number;
  seconds: number;
  seed: number;
}

export interface Report {
  plan: RunPlan;
  /** From the first request to the last answer. */
  seconds: number;
  kinds: Record<string, Figures>;
  /** Answers to waiting clients, by way; and the milliseconds from a message's time to its arrival. */
  woken: { longPoll: number; sliding: number; failed: number; messages: number };
  delivery: { p50: number | undefined; p95: number | undefined; p99: number | undefined };
  /** CPU seconds by part. */
  cpu: Record<string, number>;
  /** CPU seconds of the generator: not among them. */
  own: number;
  rooms: { count: number; largest: number };
  /** Members of the rooms that messages were sent to, of each message. */
  members: number;
}

type Drawn = Exclude<Kind, "sync">;

/** When each request of a run is due: the same for the same seed. */
export const scheduled = ({ users, rate, seconds, seed }: RunPlan): Array<{ kind: Drawn; at: number }> =>
  merged(
    new Map(
      [...rates(users, rate)].map(([kind, perSecond]) => [kind, arrivals(seeded(seed, kind), perSecond, seconds)]),
    ),
  );

export async function run(target: Target, plan: RunPlan, say: (text: string) => void): Promise<Report> {
  const client = new Client(target.host, target.port),
    random = worldRandom(plan.seed);
  say(`${plan.users} users and their rooms`);
  const people = await makePeople(client, plan.users, (name) => target.homeserver.user(name));
  const report = await used(target, { client, world: await makeWorld(client, people, random), plan }, say);
  client.close();
  return report;
}

export interface Use {
  client: Client;
  world: World;
  plan: RunPlan;
}

/** People who are there use the homeserver. */
export async function used(target: Target, { client, world, plan }: Use, say: (text: string) => void): Promise<Report> {
  const { people } = world;
  const longPoll = new Waiting(client, "online"),
    sliding = new Waiting(client),
    slidingCount = Math.round(people.length * SLIDING_SHARE);
  await longPoll.start(people.slice(slidingCount), "longPoll");
  await sliding.start(people.slice(0, slidingCount), "sliding");
  await sleep(2000);
  say(`${plan.seconds} seconds of load`);
  const sent = new Map(world.rooms.map((room) => [room, room.events.length]));
  const own = process.cpuUsage(),
    started = performance.now(),
    before = target.cpu();
  const woken = { longPoll: longPoll.answers, sliding: sliding.answers };
  const lot = seeded(plan.seed, "lot");
  const kinds = await generate(client, scheduled(plan), (kind) => drawn(kind, world, lot));
  await sleep(2000);
  const after = target.cpu(),
    spent = process.cpuUsage(own),
    deliveries = [...longPoll.deliveries, ...sliding.deliveries];
  const report: Report = {
    plan,
    seconds: (performance.now() - started) / 1000,
    kinds: Object.fromEntries(kinds),
    woken: {
      longPoll: longPoll.answers - woken.longPoll,
      sliding: sliding.answers - woken.sliding,
      failed: longPoll.failed + sliding.failed,
      messages: longPoll.messages + sliding.messages,
    },
    delivery: {
      p50: percentile(deliveries, 0.5),
      p95: percentile(deliveries, 0.95),
      p99: percentile(deliveries, 0.99),
    },
    cpu: Object.fromEntries([...after].map(([part, used]) => [part, used - (before.get(part) ?? 0)])),
    own: (spent.user + spent.system) / 1e6,
    members: world.rooms.reduce((sum, r) => sum + (r.events.length - sent.get(r)!) * r.members.length, 0),
    rooms: { count: world.rooms.length, largest: Math.max(...world.rooms.map((r) => r.members.length)) },
  };
  longPoll.stop();
  sliding.stop();
  return report;
}
