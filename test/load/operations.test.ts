/** Requests are made by those who may make them, and none is made twice. */
import assert from "node:assert/strict";
import { drawn, receipt, typing } from "../../lab/load/operations";
import type { Person, Room } from "../../lab/load/people";
import { seeded } from "../../lab/load/random";

const person = (name: string): Person => ({ id: `@${name}:x`, token: `token-${name}`, device: "D", rooms: [] });
const alice = person("alice"),
  bob = person("bob"),
  alone = person("alone");
const room = (): Room => ({ id: "!r:x", members: [alice, bob], events: [], read: new Map() });

describe("load: operations", () => {
  it("messages come from members only, also where most people are in no room", () => {
    const r = room(),
      random = seeded(1);
    alice.rooms = [r];
    bob.rooms = [r];
    const world = { people: [alone, alone, alone, alice, bob], rooms: [r], files: [] };
    const senders = new Set(Array.from({ length: 60 }, () => drawn("send", world, random)!.asked.token));
    assert.deepEqual([...senders].sort(), ["token-alice", "token-bob"]);
  });

  it("no two messages have the same transaction", () => {
    const r = room();
    const world = { people: [alice], rooms: [r], files: [] },
      random = seeded(2);
    const paths = Array.from({ length: 50 }, () => drawn("send", world, random)!.asked.path);
    assert.equal(new Set(paths).size, 50);
  });

  it("a receipt is for a message that its sender has not acknowledged; without one there is none", () => {
    const r = room();
    assert.equal(receipt(r, alice), undefined);
    r.events.push("$1", "$2", "$3");
    assert.match(receipt(r, alice)!.asked.path, /receipt\/m\.read\/%241$/);
    assert.match(receipt(r, alice, true)!.asked.path, /%243$/);
    assert.equal(receipt(r, alice, true), undefined);
    assert.equal(receipt(r, alice), undefined);
    assert.match(receipt(r, bob)!.asked.path, /%241$/);
  });

  it("each typing notice changes something", () => {
    const r = room();
    assert.deepEqual(typing(r, bob).asked.body, { typing: true, timeout: 30_000 });
    assert.deepEqual(typing(r, bob).asked.body, { typing: false });
    assert.deepEqual(typing(r, bob).asked.body, { typing: true, timeout: 30_000 });
  });

  it("nothing is downloaded before something was uploaded", () => {
    assert.equal(drawn("download", { people: [alice], rooms: [room()], files: [] }, seeded(3)), undefined);
  });
});
