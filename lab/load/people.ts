/** Users and rooms on the homeserver, made before anything is measured. */
import type { Client } from "./client";
import { roomSizes } from "./model";
import { seeded, shuffled, type Random } from "./random";

export interface Person {
  id: string;
  token: string;
  device: string;
  rooms: Room[];
}
export interface Room {
  id: string;
  members: Person[];
  /** Its messages, in order. */
  events: string[];
  /** How many of them each member has acknowledged. */
  read: Map<Person, number>;
}
export interface World {
  people: Person[];
  rooms: Room[];
  /** Uploaded files, as server/id. */
  files: string[];
}

const q = encodeURIComponent;
/** So many requests at a time: as many as two cores can work on. */
const AT_ONCE = 4;

export async function inTurn<T>(list: readonly T[], one: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, list.length) }, async () => {
      while (next < list.length) {
        const i = next;
        next += 1;
        await one(list[i]!, i);
      }
    }),
  );
}

export const PASSWORD = "a-long-password";

/** @param register Makes a user with PASSWORD. */
export async function makePeople(
  client: Client,
  count: number,
  register: (name: string) => Promise<{ id: string; token: string }>,
): Promise<Person[]> {
  const people: Person[] = [];
  await inTurn(Array.from({ length: count }), async (_, i) => {
    const { id, token } = await register(`u${i}`);
    const { device_id: device } = await client.must({
      method: "GET",
      path: "/_matrix/client/v3/account/whoami",
      token,
    });
    people[i] = { id, token, device, rooms: [] };
  });
  return people;
}

/** The first makes it, the others join. */
export async function makeRoom(client: Client, members: readonly Person[]): Promise<Room> {
  const [first, ...others] = members;
  const { room_id: id } = await client.must({
    method: "POST",
    path: "/_matrix/client/v3/createRoom",
    token: first!.token,
    body: { preset: "public_chat" },
  });
  await inTurn(others, async ({ token }) => {
    await client.must({ method: "POST", path: `/_matrix/client/v3/join/${q(id)}`, token, body: {} });
  });
  const room: Room = { id, members: [...members], events: [], read: new Map() };
  for (const person of members) person.rooms.push(room);
  return room;
}

/** Rooms of the model's sizes, with members by lot. */
export async function makeWorld(client: Client, people: Person[], random: Random): Promise<World> {
  const rooms: Room[] = [];
  for (const size of roomSizes(random, people.length))
    rooms.push(await makeRoom(client, shuffled(random, people).slice(0, size)));
  return { people, rooms, files: [] };
}

export const worldRandom = (seed: number): Random => seeded(seed, "world");
