/** The state is lost while the cluster runs: recovery as in docs/operate.md, "A lost state", step by step. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { stackFileOf } from "../../lab/engine/project";
import { localConfig, STACK } from "../../lab/local/config";
import { isNew, prepare, PROJECT, selectStack, STATE } from "../../lab/local/engine";
import { RUN_DIR } from "../../lab/common/folders";
import { healthy } from "../../lab/scenarios/cluster";
import { measured } from "../../lab/proof/measured";
import { keepKeys, keysCommand } from "./helpers/keysCommand";
import { must, up, UP } from "./helpers/pulumi";
import { Witness } from "./helpers/witness";

const HEAL_SECONDS = 600,
  LOST = `${STATE}.lost`;

describe("a lost state", () => {
  const file = path.join(RUN_DIR, "pulumi", `lost-${Date.now()}.json`);
  let witness: Witness;
  after(() => fs.rmSync(file, { force: true }));
  before(async () => {
    witness = await Witness.make("lost");
  });

  it("the keys are read from the cluster, and set in a new stack", () => {
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
    assert.match(
      keysCommand(["restore", "--stack", STACK, file], env, PROJECT),
      /Set as encrypted importSecrets of local: .*signingKey/,
    );
  });

  it("up takes over the existing objects", async () => {
    const done = await must(UP, { project: false });
    measured(`${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}`);
    keepKeys(file);
    assert.deepEqual((await up()).events.steps(), [], "nothing is left to do, and the settings are the same");
  });

  it("the server is the same as before", async () => {
    measured(`all healthy ${(await healthy(HEAL_SECONDS)).toFixed(0)} s later`);
    // By another CA now, since the old one's key was in the state alone.
    measured(`signed as before: ${await witness.findsAllAgain()}`);
    fs.rmSync(LOST, { recursive: true });
  });
});
