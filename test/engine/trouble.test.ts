/** Failures while the engine works: it reports them, and the next `up` continues cleanly. */
import assert from "node:assert/strict";
import { kubectl } from "../../lab/local/kubectl";
import { until } from "../../lab/common/until";
import { cable, healthy, mend } from "../../lab/scenarios/cluster";
import { measured } from "../../lab/proof/measured";
import { restartApiServer } from "./helpers/apiServer";
import { holdDeletedNamespace, releaseNamespace } from "./helpers/heldNamespace";
import { errorsOf, must, run, start, up, UP, type Done } from "./helpers/pulumi";

const HEAL_SECONDS = 300;
const firstLine = (text: string, wanted: RegExp): string =>
  text
    .split("\n")
    .find((l) => wanted.test(l))
    ?.trim()
    .slice(0, 300) ?? "";

function failed(done: Done, wanted: RegExp): void {
  assert.notEqual(done.code, 0);
  assert.match(errorsOf(done), wanted);
  measured(`after ${done.seconds.toFixed(0)} s: ${firstLine(errorsOf(done), wanted)}`);
}

describe("trouble on the way", () => {
  after(async () => {
    await mend();
  });
  const sets: string[] = [];

  it("a node that cannot be reached: the host's name and what was tried", async () => {
    sets.push("turn.minPort=50000");
    await cable("node3", "down");
    try {
      failed(await run(UP, { sets }), /10\.77\.0\.13|node3/);
    } finally {
      await cable("node3", "up");
    }
    await healthy(HEAL_SECONDS);
    await up(sets);
    assert.deepEqual((await up(sets)).events.steps(), []);
  });

  it("an API server that restarts", async () => {
    sets.push("overrides.router.memoryMiB=72", "web.elementWeb.brand=Trouble");
    const going = start(UP, { sets });
    await going.reached(() => going.events().steps().length > 0);
    await restartApiServer();
    const done = await going.done;
    measured(done.code === 0 ? `went on, ${done.seconds.toFixed(0)} s` : firstLine(errorsOf(done), /./));
    if (done.code !== 0) assert.match(errorsOf(done), /connection refused|unreachable|EOF|connect/i);
    await up(sets);
    assert.deepEqual((await up(sets)).events.steps(), []);
  });

  it("a webhook whose operator is down: its name", async () => {
    sets.push("backups.retentionDays=22");
    const operator = ["-n", "cnpg-system", "scale", "deployment/cnpg-controller-manager"];
    const replicas = kubectl([
      "-n",
      "cnpg-system",
      "get",
      "deployment/cnpg-controller-manager",
      "-o",
      "jsonpath={.spec.replicas}",
    ]);
    kubectl([...operator, "--replicas=0"]);
    try {
      await until("operator gone", 60, () =>
        kubectl(["-n", "cnpg-system", "get", "pods", "-o", "name"]).trim() ? "still there" : undefined,
      );
      failed(await run(UP, { sets }), /webhook/);
    } finally {
      kubectl([...operator, `--replicas=${replicas}`]);
    }
    await until("operator back", 120, () =>
      kubectl([
        "-n",
        "cnpg-system",
        "get",
        "deployment/cnpg-controller-manager",
        "-o",
        "jsonpath={.status.availableReplicas}",
      ]) === replicas
        ? undefined
        : "not available",
    );
    await up(sets);
    assert.deepEqual((await up(sets)).events.steps(), []);
  });

  it("a namespace stuck in Terminating: the error names it; with --refresh, the next up creates it again", async () => {
    sets.push("overrides.turn.memoryMiB=80");
    holdDeletedNamespace("coturn");
    await until("everything else in it gone", 120, () =>
      kubectl(["-n", "coturn", "get", "daemonsets,services,serviceaccounts", "-o", "name"]).includes("coturn")
        ? "still there"
        : undefined,
    );
    failed(await run([...UP, "--refresh"], { sets }), /being terminated|Terminating|not found/);
    releaseNamespace("coturn");
    await until("namespace gone", 120, () =>
      kubectl(["get", "namespaces", "-o", "name"]).includes("namespace/coturn\n") ? "still there" : undefined,
    );
    await must([...UP, "--refresh"], { sets });
    assert.deepEqual((await up(sets)).events.steps(), []);
  });

  it("all taken back", async () => {
    await up();
    await healthy(HEAL_SECONDS);
  });
});
