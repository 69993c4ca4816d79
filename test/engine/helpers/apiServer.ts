import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, RUN_DIR } from "../../../lab/common/folders";
import { commandOf, sleep } from "../../../lab/scenarios/cluster";

/** Seconds without an API server: longer than a client's own second try. */
const DOWN_SECONDS = 5;

/** The API server ends without a word, and is back some seconds later. */
export async function restartApiServer(): Promise<void> {
  const pid = Number(
    fs
      .readFileSync(path.join(RUN_DIR, "cp", "apiserver.pid"), "utf8")
      .trim()
      .split(/\s+/)[0],
  );
  // By now the number may belong to another process.
  assert.match(commandOf(pid), /kube-apiserver/);
  process.kill(pid, "SIGKILL");
  await sleep(DOWN_SECONDS * 1000);
  const back = spawnSync("bash", [path.join(ROOT, "lab/cluster/controlplane.sh"), "up"], { encoding: "utf8" });
  assert.equal(back.status, 0, back.stderr);
}
