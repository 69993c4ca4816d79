/** A program whose engine was killed ends. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
/** As the SDK's runner does: what is not caught is reported, and where the engine is gone that goes to stderr. */
const RUNNER = `
process.on("uncaughtException", (error) => Promise.resolve().then(() => console.error(error.message)));
require(${JSON.stringify(path.join(ROOT, "components/core/orphaned"))}).endWhenOrphaned();
console.error("ready");
setInterval(() => console.error("still here"), 50);
`;

describe("the program, when its engine is gone", () => {
  it("ends at the first output that is not read", async () => {
    const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", RUNNER], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => child.stderr.once("data", resolve));
    child.stderr.destroy();
    // Without it the child reports broken pipes forever.
    const last = setTimeout(() => child.kill("SIGKILL"), 60_000);
    assert.equal(await ended, 1);
    clearTimeout(last);
  });
});
