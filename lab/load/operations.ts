/** The request of each kind, and what is kept of its answer. */
import { randomBytes } from "node:crypto";
import type { Answer, Asked } from "./client";
import { FILE_MIB, type Kind } from "./model";
import { PASSWORD, type Person, type Room, type World } from "./people";
import { pick, type Random } from "./random";

export interface Operation {
  asked: Asked;
  /** Told of an answer with status 200. */
  then?: (answer: Answer) => void;
}

const C = "/_matrix/client/v3";
const q = encodeURIComponent;
let last = 0;
/** Never twice in a process: transaction ids, names of keys. */
const fresh = (): string => {
  last += 1;
  return `${process.pid.toString(36)}${Date.now().toString(36)}x${last.toString(36)}`;
};
const field = (answer: Answer, name: string): string | undefined =>
  new RegExp(`"${name}":"([^"]+)"`).exec(answer.body.toString())?.[1];

/** A message says when it was due, so that its delivery can be timed. */
export const MARK = /"body":"due (\d+)\b/g;

export function send(room: Room, sender: Person): Operation {
  return {
    asked: {
      method: "PUT",
      path: `${C}/rooms/${q(room.id)}/send/m.room.message/${fresh()}`,
      token: sender.token,
      // As long as people's messages are: 60 characters or so.
      body: { msgtype: "m.text", body: `due ${Date.now()} and a few words more, as people write them` },
    },
    then: (answer) => {
      const id = field(answer, "event_id");
      if (id) room.events.push(id);
    },
  };
}

/** Each notice is another state than the one before: of the same state nothing would follow. */
const typingNow = new Set<string>();
export function typing(room: Room, { id, token }: Person): Operation {
  const key = `${room.id} ${id}`,
    starts = !typingNow.delete(key);
  if (starts) typingNow.add(key);
  return {
    asked: {
      method: "PUT",
      path: `${C}/rooms/${q(room.id)}/typing/${q(id)}`,
      token,
      body: starts ? { typing: true, timeout: 30_000 } : { typing: false },
    },
  };
}

/** For the event after the one that was acknowledged last: of older ones nothing would follow. */
export function receipt(room: Room, person: Person, newest = false): Operation | undefined {
  const read = room.read.get(person) ?? 0,
    next = newest ? room.events.length - 1 : read;
  const event = room.events[next];
  if (event === undefined || next < read) return undefined;
  room.read.set(person, next + 1);
  return {
    asked: {
      method: "POST",
      path: `${C}/rooms/${q(room.id)}/receipt/m.read/${q(event)}`,
      token: person.token,
      body: {},
    },
  };
}

const away = new Set<string>();
export function presence({ id, token }: Person): Operation {
  const returns = away.delete(id);
  if (!returns) away.add(id);
  return {
    asked: {
      method: "PUT",
      path: `${C}/presence/${q(id)}/status`,
      token,
      body: { presence: returns ? "online" : "unavailable" },
    },
  };
}

export const login = ({ id }: Person): Operation => ({
  asked: {
    method: "POST",
    path: `${C}/login`,
    body: { type: "m.login.password", identifier: { type: "m.id.user", user: id }, password: PASSWORD },
  },
});

/** Synapse keeps answers of first syncs for two minutes; another filter is another answer. */
const filter = (): string =>
  q(JSON.stringify({ presence: { limit: 1000 + (last += 1) }, room: { timeline: { limit: 20 } } }));

export const firstSync = ({ token }: Person): Operation => ({
  asked: { method: "GET", path: `${C}/sync?timeout=0&set_presence=offline&filter=${filter()}`, token },
});

export const FILTER = q(JSON.stringify({ room: { timeline: { limit: 20 }, state: { lazy_load_members: true } } }));

/** What a client that has all asks: nothing is new. */
export const emptySync = ({ token }: Person, since: string): Operation => ({
  asked: { method: "GET", path: `${C}/sync?timeout=0&set_presence=offline&filter=${FILTER}&since=${q(since)}`, token },
});

export function upload(world: World, { token }: Person, mib = FILE_MIB): Operation {
  return {
    asked: {
      method: "POST",
      path: "/_matrix/media/v3/upload?filename=file.bin",
      token,
      // What is stored of it cannot be compressed or found again.
      body: randomBytes(Math.round(mib * 2 ** 20)),
      type: "application/octet-stream",
    },
    then: (answer) => {
      const uri = field(answer, "content_uri");
      if (uri) world.files.push(uri.replace("mxc://", ""));
    },
  };
}

export const download = (file: string, { token }: Person): Operation => ({
  asked: { method: "GET", path: `/_matrix/client/v1/media/download/${file}`, token },
});

/** @param count One-time keys. */
export function keyUpload({ id, token, device }: Person, count = 50): Operation {
  const keys = Object.fromEntries(
    Array.from({ length: count }, () => [
      `signed_curve25519:${fresh()}`,
      {
        key: randomBytes(32).toString("base64").replace(/=+$/, ""),
        signatures: { [id]: { [`ed25519:${device}`]: randomBytes(64).toString("base64").replace(/=+$/, "") } },
      },
    ]),
  );
  return { asked: { method: "POST", path: `${C}/keys/upload`, token, body: { one_time_keys: keys } } };
}

export const keyClaim = ({ token }: Person, { id, device }: Person): Operation => ({
  asked: {
    method: "POST",
    path: `${C}/keys/claim`,
    token,
    body: { one_time_keys: { [id]: { [device]: "signed_curve25519" } } },
  },
});

/** A request of a kind as the model has it, by lot; undefined when there is nothing to do it with yet. */
export function drawn(kind: Exclude<Kind, "sync">, world: World, random: Random): Operation | undefined {
  const drawnPerson = pick(random, world.people),
    room = pick(random, drawnPerson.rooms.length > 0 ? drawnPerson.rooms : world.rooms),
    // A person who is in no room does nothing in one.
    person = room.members.includes(drawnPerson) ? drawnPerson : pick(random, room.members);
  switch (kind) {
    case "send":
      return send(room, person);
    case "typing":
      return typing(room, person);
    case "receipt":
      return receipt(room, person, true);
    case "presence":
      return presence(person);
    case "login":
      return login(person);
    case "firstSync":
      return firstSync(person);
    case "upload":
      return upload(world, person);
    case "download":
      return world.files.length > 0 ? download(pick(random, world.files), person) : undefined;
    case "keyUpload":
      return keyUpload(person);
    case "keyClaim":
      return keyClaim(person, pick(random, world.people));
  }
}
