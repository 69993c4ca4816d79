/**
 * What is measured, one thing at a time: each experiment raises one amount in steps, while everything else stays as it
 * is. The slope of the CPU time over that amount is the cost of one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client";
import { generate, type Figures } from "./generator";
import * as operations from "./operations";
import type { Operation } from "./operations";
import { inTurn, makeRoom, type Person, type Room } from "./people";
import { seeded } from "./random";
import { evenArrivals } from "./schedule";
import { Waiting, type Way } from "./waiting";

/** Users and rooms that the experiments need. */
export interface Stage {
  client: Client;
  people: Person[];
  /** Of two members each. */
  pairs: Room[];
  /** By number of members. */
  large: Map<number, Room>;
  files: Map<number, string[]>;
  since: Map<Person, string>;
  /** All rates are divided by it. */
  slower: number;
}

export const PEOPLE = 40;
/** Members of the larger rooms; the first `size` people are in each. */
export const SIZES = [10, 20, 40];
const PAIRS = 12;

/** One step of an experiment while it runs. */
export interface Step {
  /** Sends what is due; resolves when all is answered. */
  run(seconds: number): Promise<Map<string, Figures>>;
  /** Amount so far; its growth over the step is the amount of the step. @default what `run` served */
  amount?: () => number;
  end?(): Promise<void>;
}

export interface Experiment {
  id: string;
  /** Completes "CPU seconds per ...". */
  unit: string;
  what: string;
  steps: readonly number[];
  /** The amount is this for each request, and not one. */
  each?: (step: number) => number;
  /** Requests a second, where the amount is the size of their files. */
  mediaRate?: number;
  begin(stage: Stage, step: number): Promise<Step>;
}

export async function makeStage(client: Client, people: Person[], slower = 1): Promise<Stage> {
  const pairs: Room[] = [],
    large = new Map<number, Room>();
  await inTurn(Array.from({ length: PAIRS }), async (_, i) => {
    pairs.push(await makeRoom(client, [people[2 * i]!, people[2 * i + 1]!]));
  });
  for (const size of SIZES) large.set(size, await makeRoom(client, people.slice(0, size)));
  return { client, people, pairs, large, files: new Map(), since: new Map(), slower };
}

let runs = 0;
/** So many requests a second, at even distances. */
function atRate(
  stage: Stage,
  rate: number,
  make: (n: number) => Operation | undefined,
): (seconds: number) => Promise<Map<string, Figures>> {
  return (seconds) => {
    runs += 1;
    let n = 0;
    const due = evenArrivals(seeded(runs, "step"), rate / stage.slower, seconds).map((at) => ({ kind: "request", at }));
    return generate(stage.client, due, () => make((n += 1)));
  };
}

const rated = (
  id: string,
  unit: string,
  what: string,
  {
    steps,
    make,
    before,
  }: {
    steps: readonly number[];
    make: (stage: Stage, n: number) => Operation | undefined;
    before?: (stage: Stage) => Promise<void>;
  },
): Experiment => ({
  id,
  unit,
  what,
  steps,
  begin: async (stage, rate) => {
    await before?.(stage);
    return { run: atRate(stage, rate, (n) => make(stage, n)) };
  },
});

const turn = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
const pairOf = ({ pairs }: Stage, n: number): Room => turn(pairs, n);
/** Either member, in turn. */
const memberOf = (stage: Stage, n: number): [Room, Person] => {
  const room = pairOf(stage, n);
  return [room, turn(room.members, Math.floor(n / stage.pairs.length))];
};

const MEMBER_RATE = 3,
  WAKE_RATE = 1.5,
  MEDIA_RATE = 1.5;

/** Messages into one room in which some wait. */
const wake = (id: string, way: Way, what: string): Experiment => ({
  id,
  unit: way === "longPoll" ? "recipient woken, by long poll" : "recipient woken, by sliding sync",
  what,
  steps: [0, 5, 10, 15, 20],
  begin: async (stage, many) => {
    const room = stage.large.get(Math.max(...SIZES))!,
      waiting = new Waiting(stage.client);
    // The last, so that none of them sends.
    await waiting.start(stage.people.slice(stage.people.length - many), way);
    await sleep(1000);
    return {
      run: atRate(stage, WAKE_RATE, (n) => operations.send(room, turn(stage.people.slice(0, 10), n))),
      amount: () => waiting.answers,
      end: async () => {
        waiting.stop();
        // One more message ends what they wait for.
        await stage.client.must(operations.send(room, stage.people[0]!).asked);
        await sleep(1500);
      },
    };
  },
});

async function knowPositions(stage: Stage): Promise<void> {
  if (stage.since.size > 0) return;
  await inTurn(stage.people, async (person) => {
    const answer = await stage.client.must(operations.firstSync(person).asked);
    stage.since.set(person, answer.next_batch);
  });
}
/** Their newest position: with an older one there would be something new. */
async function renewPositions(stage: Stage): Promise<void> {
  await knowPositions(stage);
  await inTurn([...stage.since], async ([person, since]) => {
    const answer = await stage.client.must(operations.emptySync(person, since).asked);
    stage.since.set(person, answer.next_batch);
  });
}

const STOCK = 40;
async function stockKeys({ client, people }: Stage): Promise<void> {
  await inTurn(people, async (person) => {
    await client.must(operations.keyUpload(person, STOCK).asked);
  });
}

async function stockFiles(stage: Stage, mib: number): Promise<void> {
  const world = { people: stage.people, rooms: [], files: [] as string[] };
  await inTurn(Array.from({ length: 4 }), async (_, i) => {
    const { asked, then } = operations.upload(world, stage.people[i]!, mib);
    then?.(await stage.client.ask(asked));
  });
  stage.files.set(mib, world.files);
}

export const EXPERIMENTS: readonly Experiment[] = [
  rated("send", "send", "messages into rooms of two, of whom none waits", {
    steps: [1, 2, 4, 6, 8],
    make: (stage, n) => operations.send(...memberOf(stage, n)),
  }),
  {
    id: "member",
    unit: "send and member of its room",
    what: `${MEMBER_RATE} messages a second into rooms of 2 to ${Math.max(...SIZES)} members, of whom none waits`,
    steps: [2, ...SIZES],
    each: (members) => members,
    begin: async (stage, members) => ({
      run: atRate(stage, MEMBER_RATE, (n) => {
        const room = stage.large.get(members) ?? pairOf(stage, n);
        return operations.send(room, turn(room.members, n));
      }),
    }),
  },
  wake(
    "wake",
    "longPoll",
    `${WAKE_RATE} messages a second into a room of ${Math.max(...SIZES)}; 0 to 20 members wait by long poll and ask again`,
  ),
  wake("wakeSliding", "sliding", `the same; they wait by sliding sync`),
  rated("sync", "sync without anything new", "syncs from the newest position, answered at once", {
    steps: [2, 5, 10, 15, 20],
    before: renewPositions,
    make: (stage, n) => {
      const person = turn(stage.people, n);
      return operations.emptySync(person, stage.since.get(person)!);
    },
  }),
  rated("firstSync", "first sync", "first syncs of users in three to five small rooms", {
    steps: [0.5, 1, 2, 3, 4],
    make: (stage, n) => operations.firstSync(turn(stage.people, n)),
  }),
  rated("login", "login", "logins with a password, each a new device", {
    steps: [0.3, 0.6, 0.9, 1.2],
    make: (stage, n) => operations.login(turn(stage.people, n)),
  }),
  rated("typing", "typing notice", "typing notices in rooms of two", {
    steps: [2, 5, 10, 15],
    make: (stage, n) => operations.typing(...memberOf(stage, n)),
  }),
  rated("receipt", "receipt", "read receipts in rooms of two", {
    steps: [1, 2, 4, 6],
    before: async (stage) => {
      // Each is of a message that its sender has not read: there must be enough of them.
      await inTurn(Array.from({ length: 48 }), async (_, n) => {
        const { asked, then } = operations.send(...memberOf(stage, n));
        then?.(await stage.client.ask(asked));
      });
    },
    make: (stage, n) => operations.receipt(...memberOf(stage, n)),
  }),
  rated("presence", "change of presence", "away and back, in rooms of two and three larger ones", {
    steps: [1, 2, 4, 6],
    make: (stage, n) => operations.presence(turn(stage.people, n)),
  }),
  {
    id: "upload",
    unit: "MiB uploaded",
    what: `${MEDIA_RATE} uploads a second of 0.25 to 3 MiB, not images`,
    steps: [0.25, 0.5, 1, 2, 3],
    each: (mib) => mib,
    mediaRate: MEDIA_RATE,
    begin: async (stage, mib) => {
      const world = { people: stage.people, rooms: [], files: [] };
      return { run: atRate(stage, MEDIA_RATE, (n) => operations.upload(world, turn(stage.people, n), mib)) };
    },
  },
  {
    id: "download",
    unit: "MiB downloaded",
    what: `${2 * MEDIA_RATE} downloads a second of 0.25 to 3 MiB, each file several times`,
    steps: [0.25, 0.5, 1, 2, 3],
    each: (mib) => mib,
    mediaRate: 2 * MEDIA_RATE,
    begin: async (stage, mib) => {
      await stockFiles(stage, mib);
      return {
        run: atRate(stage, 2 * MEDIA_RATE, (n) =>
          operations.download(turn(stage.files.get(mib)!, n), turn(stage.people, n)),
        ),
      };
    },
  },
  rated("keyUpload", "upload of 50 one-time keys", "uploads of 50 keys", {
    steps: [0.5, 1, 2, 3],
    make: (stage, n) => operations.keyUpload(turn(stage.people, n), 50),
  }),
  rated("keyClaim", "claim of a key", "claims of one key of one device", {
    steps: [2, 4, 6, 8],
    before: stockKeys,
    make: (stage, n) => operations.keyClaim(turn(stage.people, n + 1), turn(stage.people, n)),
  }),
];
