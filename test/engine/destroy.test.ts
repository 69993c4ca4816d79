/**
 * The stack is taken down and comes up again: protected, it refuses before anything is deleted; allowed, it leaves
 * everything that holds data; and with the saved keys, an `up` that is killed at ten moments finds users, messages and
 * media again.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { identityOfKeys, readSaved } from "../../cli/keys/saved";
import { access, request } from "../../lab/local/access";
import { localConfig } from "../../lab/local/config";
import { prepare, PROJECT, selectStack } from "../../lab/local/engine";
import { RUN_DIR } from "../../lab/common/folders";
import { kubectl } from "../../lab/local/kubectl";
import { until } from "../../lab/common/until";
import { cable, get, healthy, mend } from "../../lab/scenarios/cluster";
import { measured } from "../../lab/proof/measured";
import { holdDeletedNamespace, releaseNamespace } from "./helpers/heldNamespace";
import {
  endLeftPlugins,
  errorsOf,
  must,
  orphanedPrograms,
  run,
  start,
  UP,
  up,
  type Done,
  type Running,
} from "./helpers/pulumi";
import { keepKeys, keysCommand } from "./helpers/keysCommand";
import { restartApiServer } from "./helpers/apiServer";
import { Witness } from "./helpers/witness";

const HEAL_SECONDS = 600;
const KILLS = 10;
/** The five minutes of a deletion (DELETED_WITHIN), and the time that it takes to come so far. */
const GIVES_UP_SECONDS = 480;
const DESTROY = ["destroy", "--yes", "--skip-preview"] as const;
const items = (...args: string[]): any[] => JSON.parse(kubectl(["get", ...args, "-o", "json"])).items;
const claims = (): Map<string, string> =>
  new Map(
    items("persistentvolumeclaims", "-A").map((c) => [`${c.metadata.namespace}/${c.metadata.name}`, c.spec.volumeName]),
  );
const scaleOperator = (replicas: number): string =>
  kubectl(["-n", "cnpg-system", "scale", "deployment/cnpg-controller-manager", `--replicas=${replicas}`]);
/** Protection and keys as in production, in place of what Pulumi.local.yaml says. */
const PRODUCTION = ["deletionProtection=true", "savedKeys="];

describe("taken down, and up again", () => {
  const file = path.join(RUN_DIR, "pulumi", `keys-${Date.now()}.json`);
  let witness: Witness, bound: Map<string, string>;
  let fingerprint = "";

  before(async () => {
    witness = await Witness.make("kept");
    bound = claims();
  });
  after(async () => {
    fs.rmSync(file, { force: true });
    await mend();
  });

  async function refused(why: string): Promise<void> {
    for (const args of [DESTROY, ["destroy", "--yes"]]) {
      const done = await run(args, { project: false });
      assert.notEqual(done.code, 0, why);
      assert.equal(
        done.events.events.filter((e) => e.resOutputsEvent?.metadata.op === "delete").length,
        0,
        `${why}: nothing was deleted`,
      );
      assert.match(errorsOf(done), /destroy-needs-deletionProtection-false-and-savedKeys/);
      measured(`${args.slice(1).join(" ") || "plain"}: refused after ${done.seconds.toFixed(0)} s, nothing deleted`);
    }
    await witness.readsMessage();
  }

  it("protected: destroy refuses before anything is deleted, also without a preview", async () => {
    await up(PRODUCTION);
    await refused("protected");
  });

  it("protection off, keys not saved: refused as well", async () => {
    await up(["deletionProtection=false", "savedKeys="]);
    await refused("keys not saved");
  });

  it("a fingerprint of other keys is refused by up, and nothing is freed", async () => {
    const done = await run(UP, { sets: ["deletionProtection=false", "savedKeys=0123-4567-89ab-cdef"] });
    assert.notEqual(done.code, 0);
    assert.match(errorsOf(done), /savedKeys/);
    await refused("wrong fingerprint");
  });

  it("keys saved: destroy begins; a killed one is cancelled", async () => {
    const said = keysCommand(["save", "--stack", "local", "--out", file], prepare(), PROJECT);
    fingerprint = identityOfKeys(readSaved(fs.readFileSync(file, "utf8")).keys).fingerprint;
    assert.ok(said.includes(fingerprint));
    await up(["deletionProtection=false", `savedKeys=${fingerprint}`]);
    const first = start(DESTROY, { project: false });
    await first.reached(() => first.finished("delete") >= 40);
    first.kill(true);
    await first.done;
    await must(["cancel", "--yes"], { project: false });
  });

  it("with a node cut off, it fails after five minutes and names the object; once the node is back, it continues", async () => {
    await cable("node3", "down");
    let done: Done;
    try {
      done = await run(DESTROY, { project: false });
    } finally {
      await cable("node3", "up");
    }
    assert.notEqual(done.code, 0);
    assert.ok(done.seconds < GIVES_UP_SECONDS, `${done.seconds} s`);
    const said =
      /(\S+ \(\S+\)):\s+warning: (finalizers might be preventing deletion[^\n]*)\s+error: (timed out waiting[^\n]*)/.exec(
        done.text,
      );
    assert.ok(said, errorsOf(done));
    measured(
      `after ${done.seconds.toFixed(0)} s, ${done.events.summary().delete ?? 0} deleted: ${said.slice(1).join("; ")}`,
    );
    await until("node3 ready", 120, async () =>
      (await get("nodes")).items.every((n: any) =>
        n.status.conditions.some((c: any) => c.type === "Ready" && c.status === "True"),
      )
        ? undefined
        : "not ready",
    );
    // Its operator is taken away next, and Kubernetes asks that one's webhook before it takes the last finalizer off:
    // it has to be gone by then.
    await until(
      "what its operator is asked about gone",
      120,
      async () =>
        items("poolers.postgresql.cnpg.io,scheduledbackups.postgresql.cnpg.io", "-n", "matrix")
          .filter((o) => o.metadata.deletionTimestamp)
          .map((o) => `${o.kind} ${o.metadata.name} in deletion`)[0],
    );
  });

  it("it finishes despite a webhook whose operator is down, a namespace stuck in Terminating and an API server that restarts", async () => {
    scaleOperator(0);
    holdDeletedNamespace("coturn");
    const second = start(DESTROY, { project: false });
    if (!(await second.reached(() => second.finished("delete") >= 20)))
      assert.fail(`ended before 20 were deleted: ${errorsOf(await second.done)}`);
    await restartApiServer();
    const ended = await second.done;
    measured(
      ended.code === 0
        ? `went on through all of it, ${ended.seconds.toFixed(0)} s`
        : `after the restart: ${errorsOf(ended)
            .split("\n")
            .find((l) => l.trim())
            ?.slice(0, 200)}`,
    );
    if (ended.code !== 0) {
      // docs/operate.md: what waits for an operator's webhook needs the operator.
      if (items("deployments", "-n", "cnpg-system").length) {
        scaleOperator(1);
        measured("the operator was still there, and is brought back");
      }
      const last = await must(DESTROY, { project: false });
      measured(`again: ended in ${last.seconds.toFixed(0)} s`);
    }
    releaseNamespace("coturn");
    assert.equal(
      (JSON.parse((await must(["stack", "export"], { project: false })).text).deployment.resources ?? []).filter(
        (r: any) => r.custom && !r.type.startsWith("pulumi:"),
      ).length,
      0,
    );
  });

  it("it leaves every claim with its volume, namespaces and the database; no Synapse, no public entrance", () => {
    const left = claims();
    for (const [name, volume] of bound) assert.equal(left.get(name), volume, name);
    const namespaces = items("namespaces").map((n) => n.metadata.name);
    for (const n of ["matrix", "minio", "livekit", "monitoring"]) assert.ok(namespaces.includes(n), n);
    assert.equal(items("clusters.postgresql.cnpg.io", "-n", "matrix").length, 1);
    for (const kind of ["deployments", "statefulsets", "ingresses"])
      assert.deepEqual(
        items(kind, "-n", "matrix").map((o) => o.metadata.name),
        [],
        kind,
      );
    measured(`${left.size} claims, all bound to the volumes of before`);
  });

  it(`up with the saved keys, killed at ${KILLS} moments: goes on each time, with nothing but \`pulumi cancel\``, async () => {
    await must(["stack", "rm", "--yes", "--force", "local"], { project: false });
    keepKeys(file);
    selectStack(localConfig([]));
    const moments: string[] = [];
    let running: Running;
    for (let i = 0; i < KILLS; i++) {
      running = start(UP);
      // Each a little further than the one before: from the first resource to the last hundred.
      const wanted = [1, 8, 16, 30, 30, 30, 40, 40, 40, 40][i]!;
      const came = await running.reached(() => running.finished("create") >= wanted);
      if (!came) {
        const done = await running.done;
        assert.equal(done.code, 0, errorsOf(done));
        break;
      }
      running.kill(i % 2 === 0);
      const { seconds } = await running.done;
      moments.push(
        `${running.finished("create")} created after ${seconds.toFixed(0)} s${i % 2 === 0 ? ", plugins too" : ""}`,
      );
      await must(["cancel", "--yes"]);
    }
    measured(`killed: ${moments.join("; ")}`);
    assert.equal(moments.length, KILLS);
    await until("the programs of the killed engines have ended", 60, () =>
      orphanedPrograms().length ? `${orphanedPrograms().length} run on` : undefined,
    );
    endLeftPlugins();
    const last = await run(UP);
    assert.equal(last.code, 0, errorsOf(last));
    measured(`then ended in ${last.seconds.toFixed(0)} s, ${JSON.stringify(last.events.summary())}`);
    assert.deepEqual((await up()).events.steps(), [], "nothing is left to do");
  });

  it("users, messages, media and the server's identity are unchanged", async () => {
    await until("homeserver", 300, async () => {
      try {
        const a = await access();
        return (await request(a, a.hostnames.homeserver!, "/_matrix/client/versions")).status === 200
          ? undefined
          : "no answer";
      } catch (error) {
        return (error as Error).message;
      }
    });
    measured(`signed as before: ${await witness.findsAllAgain()}`);
    for (const [name, volume] of bound) assert.equal(claims().get(name), volume, name);
    const healed = await healthy(HEAL_SECONDS);
    measured(`all healthy ${healed.toFixed(0)} s later`);
  });
});
