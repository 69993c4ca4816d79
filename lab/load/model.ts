/**
 * What people do, as data: how often a user does each thing, and the sizes of rooms. Each figure has its source; those
 * that were decided say so. Pure.
 */
import type { Random } from "./random";

/** Requests that the generator makes. */
export const KINDS = [
  "send",
  "typing",
  "receipt",
  "presence",
  "login",
  "firstSync",
  "sync",
  "upload",
  "download",
  "keyUpload",
  "keyClaim",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Habit {
  /** How many for each message that is sent, or for each user and hour. */
  value: number;
  per: "message" | "user and hour";
  source: string;
}

/** `sync` stands for what the waiting clients do, and has no rate. */
export const HABITS: Record<Exclude<Kind, "sync">, Habit> = {
  send: {
    value: 144,
    per: "user and hour",
    source: "800 messages a second at 20,000 users, in the table that the sizes come from: an upper bound",
  },
  typing: {
    value: 2,
    per: "message",
    source: "matrix-js-sdk, sendTyping: the notice is set when somebody starts, and ends with the message",
  },
  receipt: { value: 2, per: "message", source: "decided: two people have the room open when a message comes" },
  presence: {
    value: 4,
    per: "user and hour",
    source: "decided: away and back twice an hour; clients say away after some minutes without input",
  },
  login: { value: 0.02, per: "user and hour", source: "decided: a new device in two days of work; sessions last" },
  firstSync: { value: 0.02, per: "user and hour", source: "as logins: every new device begins with one" },
  upload: { value: 0.02, per: "message", source: "decided: one message in fifty is a file" },
  download: { value: 0.06, per: "message", source: "decided: three people open it" },
  keyUpload: { value: 0.02, per: "user and hour", source: "as logins; a device's 50 keys last for its new sessions" },
  keyClaim: {
    value: 0.2,
    per: "user and hour",
    source: "decided: a new device is met by the ten others that a person talks to",
  },
};

/** Requests a second of each kind, for so many users and so many messages a second in all. */
export function rates(
  users: number,
  messages = (users * HABITS.send.value) / 3600,
): Map<Exclude<Kind, "sync">, number> {
  return new Map(
    Object.entries(HABITS).map(([kind, { value, per }]) => [
      kind as Exclude<Kind, "sync">,
      kind === "send" ? messages : per === "message" ? value * messages : (value * users) / 3600,
    ]),
  );
}

/** Rooms. All decided, for no server publishes them; the tail is that of communities and company-wide rooms. */
export const ROOMS = {
  /** Rooms that a user is in, on average. */
  perUser: 6,
  /** The share of rooms with at least s members falls as (2/s) to this power: half of the rooms have two or three. */
  tail: 1.2,
  smallest: 2,
  largest: 50_000,
} as const;

/** Share of the clients that wait by sliding sync; the others by long poll. Decided: Element X beside Element Web. */
export const SLIDING_SHARE = 0.3;
/** Milliseconds that a waiting client asks the server to wait: matrix-js-sdk 37, pollTimeout. */
export const POLL_MS = 30_000;
/** MiB of a file: decided, a photo as phones send it. */
export const FILE_MIB = 0.5;

/** Sizes of rooms until the users are in `perUser` rooms on average, the largest first. */
export function roomSizes(random: Random, users: number): number[] {
  const most = Math.min(users, ROOMS.largest),
    wanted = users * ROOMS.perUser;
  const sizes: number[] = [];
  for (let sum = 0; sum < wanted;) {
    const size = Math.min(most, Math.floor(ROOMS.smallest * (1 - random()) ** (-1 / ROOMS.tail)));
    sizes.push(size);
    sum += size;
  }
  return sizes.sort((x, y) => y - x);
}
