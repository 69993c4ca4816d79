/** The state in everyday operation. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { saltOf } from "../../lab/engine/project";
import { ROOT, RUN_DIR } from "../../lab/common/folders";
import { STACK } from "../../lab/local/config";
import { prepare, PROJECT } from "../../lab/local/engine";
import { measured } from "../../lab/proof/measured";
import { errorsOf, must, run, shownState, up } from "./helpers/pulumi";

describe("state, passphrase, outputs", () => {
  it("a new passphrase: the stack works with it, and the old one decrypts nothing", async () => {
    const file = prepare().PULUMI_CONFIG_PASSPHRASE_FILE!;
    const old = fs.readFileSync(file, "utf8"),
      next = crypto.randomBytes(24).toString("base64url");
    const before = saltOf(PROJECT, STACK);
    // The command asks for the new one on its input.
    const changed = spawnSync("pulumi", ["stack", "change-secrets-provider", "passphrase"], {
      cwd: PROJECT,
      env: prepare(),
      input: `${next}\n${next}\n`,
      encoding: "utf8",
    });
    assert.equal(changed.status, 0, changed.stderr);
    // At once: whatever fails from here on, the state can be opened.
    fs.writeFileSync(file, next, { mode: 0o600 });
    assert.notEqual(saltOf(PROJECT, STACK), before);
    const refused = await run(["stack", "export", "--show-secrets"], {
      env: { PULUMI_CONFIG_PASSPHRASE_FILE: undefined, PULUMI_CONFIG_PASSPHRASE: old },
      project: false,
    });
    assert.notEqual(refused.code, 0, "the old one opens nothing");
    assert.match(errorsOf(refused), /incorrect passphrase/);
    assert.ok(shownState().includes("plaintext"));
    assert.deepEqual((await up()).events.steps(), []);
    assert.notEqual(old, next);
  });

  it("another stack reads the outputs by a StackReference", async () => {
    const cwd = path.join(RUN_DIR, "pulumi", "consumer", "examples", "consumer");
    fs.rmSync(path.join(RUN_DIR, "pulumi", "consumer"), { recursive: true, force: true });
    fs.mkdirSync(path.dirname(cwd), { recursive: true });
    // Beside links to the checkout, as in it: the stack's file with its salt stays out of the repository.
    for (const entry of ["node_modules", "components", "package.json", "tsconfig.json", "index.ts"])
      fs.symlinkSync(path.join(ROOT, entry), path.join(RUN_DIR, "pulumi", "consumer", entry));
    fs.cpSync(path.join(ROOT, "examples", "consumer"), cwd, { recursive: true });
    const options = { cwd, project: false };
    await must(["stack", "select", "--create", "consumer"], options);
    await must(["config", "set", "homeserverStack", `organization/matrix-ha/${STACK}`], options);
    await must(["up", "--yes", "--skip-preview"], options);
    const outputs = JSON.parse((await must(["stack", "output", "--json"], options)).text);
    assert.equal(outputs.homeserverUrl, "https://matrix.local.test");
    assert.deepEqual(
      outputs.podEnvironment.map((e: any) => e.name),
      ["HOMESERVER_URL", "REDIS_URL", "REDIS_PASSWORD"],
    );
    assert.equal(outputs.podEnvironment[2].valueFrom.secretKeyRef.name, "redis-synapse");
    measured(JSON.stringify(outputs));
    await must(["destroy", "--yes", "--skip-preview"], options);
    await must(["stack", "rm", "--yes", "consumer"], options);
  });

  it("the project's configuration asks for no file of the machine: a preview from elsewhere shows nothing", async () => {
    // Another path of the same kubeconfig, as on a colleague's machine.
    const copy = path.join(RUN_DIR, "pulumi", "kubeconfig-elsewhere");
    fs.copyFileSync(prepare().KUBECONFIG!, copy);
    const done = await must(["preview", "--expect-no-changes"], { env: { KUBECONFIG: copy } });
    assert.deepEqual(done.events.steps(), []);
  });
});
