/**
 * Changed settings under a steady load: the engine updates what the program says, replaces no running object, and no
 * send fails for it.
 */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { access, adminRequest } from "../../lab/local/access";
import { beginMeasuring } from "../../lab/local/priority";
import { healthy } from "../../lab/scenarios/cluster";
import { Client, Load } from "../../lab/scenarios/load";
import { measured } from "../../lab/proof/measured";
import { changedNames, evaluation, NEVER_REPLACED } from "./helpers/changed";
import { up } from "./helpers/pulumi";

/**
 * One of each kind: a web page, the router's memory, one class of Synapse, what only an operator reads; and a name, for
 * which certificate, ingress and every process of Synapse change.
 */
const SETTINGS = [
  "web.elementWeb.brand=Proof",
  "overrides.router.memoryMiB=72",
  "overrides.pools.pusher.memoryMiB=200",
  "backups.retentionDays=21",
  "hostnames.web=talk.local.test",
];
const HEAL_SECONDS = 300;

describe("five settings changed, one after the other, under load", () => {
  let load: Load;
  before(async () => {
    const a = await access();
    const user = await adminRequest(
      a,
      `engine-${Date.now().toString(36)}`,
      crypto.randomBytes(12).toString("base64url"),
      true,
    );
    beginMeasuring();
    load = await Load.make(a, new Client(a, user.user_id, user.access_token, false));
    load.start();
  });

  const sets: string[] = [];
  const step = async (change: () => void): Promise<void> => {
    const before = await evaluation(sets);
    change();
    const expected = changedNames(before, await evaluation(sets));
    const done = await up(sets);
    const steps = done.events.steps();
    const replaced = steps.filter((s) => s.op === "replace" || s.op === "delete");
    measured(
      `${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}; ${replaced.length ? `replaced: ${replaced.map((s) => s.urn.split("::").at(-1)).join(", ")}` : "nothing replaced"}`,
    );
    assert.deepEqual(
      steps.map((s) => s.urn.split("::").at(-1)).sort(),
      [...expected.keys()].sort(),
      "the engine changes what the program changed, no less and no more",
    );
    assert.deepEqual(
      replaced.filter((s) => NEVER_REPLACED.test(s.type)),
      [],
    );
  };
  for (const set of SETTINGS) it(set, () => step(() => sets.push(set)));
  it("all taken back at once", () => step(() => sets.splice(0)));

  it("no send failed after one retry, none was lost", async () => {
    const f = await load.finish(Date.now());
    measured(
      `${f.sends} sends, ${f.failedFirst} failed at first, ${f.failedAfterRetry} after one retry; ${f.lost} lost, ${f.doubled} doubled`,
    );
    assert.deepEqual([f.failedAfterRetry, f.lost, f.undelivered], [0, 0, 0], JSON.stringify(f));
    await healthy(HEAL_SECONDS);
  });
});
