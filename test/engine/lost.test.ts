/** The state is lost, the cluster runs on: the way back of docs/operate.md, "A lost state", step by step. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { stackFileOf } from "../../lab/engine/project";
import { access, adminRequest } from "../../lab/local/access";
import { localConfig, STACK } from "../../lab/local/config";
import { isNew, prepare, PROJECT, selectStack, STATE } from "../../lab/local/engine";
import { RUN_DIR } from "../../lab/local/folders";
import { healthy } from "../failures/cluster";
import { Client } from "../failures/load";
import { measured } from "../local/helpers/proof";
import { signerOf } from "./helpers/identity";
import { keepKeys, keysCommand } from "./helpers/keysCommand";
import { must, up, UP } from "./helpers/pulumi";

const HEAL_SECONDS = 600, LOST = `${STATE}.lost`;

describe("a lost state", () => {
  const file = path.join(RUN_DIR, "pulumi", `lost-${Date.now()}.json`);
  let client: Client, room: string, event: string, signer: string;
  after(() => fs.rmSync(file, { force: true }));

  before(async () => {
    const a = await access();
    const user = await adminRequest(a, `lost-${Date.now().toString(36)}`, crypto.randomBytes(12).toString("base64url"), true);
    client = new Client(a, user.user_id, user.access_token, false);
    room = (await client.must("POST", "/_matrix/client/v3/createRoom", {})).room_id;
    event = (await client.must("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/1`, { msgtype: "m.text", body: "before the loss" })).event_id;
    signer = await signerOf(event);
  });

  it("the keys are had from the cluster, and go into a new stack", () => {
    const env = prepare();
    // Kept until the test is over, beside what the engine reads.
    fs.rmSync(LOST, { recursive: true, force: true });
    fs.renameSync(STATE, LOST);
    fs.mkdirSync(STATE, { mode: 0o700 });
    fs.rmSync(path.join(PROJECT, stackFileOf(STACK)));
    assert.ok(isNew());
    const said = keysCommand(["save", "--from-cluster", "--out", file], env, PROJECT);
    measured(said.split("\n").slice(0, 2).join("; ").replace(file, "FILE"));
    const { importSecrets: _kept, ...config } = localConfig([]);
    selectStack(config);
    assert.match(keysCommand(["restore", "--stack", STACK, file], env, PROJECT), /Set as encrypted importSecrets of local: .*signingKey/);
  });

  it("up takes over what is there", async () => {
    const done = await must(UP, { project: false });
    measured(`${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}`);
    keepKeys(file);
    assert.deepEqual((await up()).events.steps(), [], "nothing is left to do, and the settings are the same");
  });

  it("the server is the one that it was", async () => {
    measured(`all healthy ${(await healthy(HEAL_SECONDS)).toFixed(0)} s later`);
    const a = await access();
    // By another CA now, since the old one's key was in the state alone.
    client = new Client(a, client.userId, client.token, false);
    assert.equal((await client.must("GET", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(event)}`)).content.body, "before the loss");
    const { event_id: next } = await client.must("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/2`, { msgtype: "m.text", body: "after" });
    assert.equal(await signerOf(next), signer);
    measured(`signed as before: ${signer}`);
    fs.rmSync(LOST, { recursive: true });
  });
});
