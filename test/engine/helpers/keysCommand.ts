import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { readSaved } from "../../../cli/keys/saved";
import { ROOT } from "../../../lab/common/folders";
import { keepSets } from "../../../lab/local/config";

/** `npm run keys -- ARGS` in the project's folder, as an operator would; what it printed. */
export function keysCommand(args: string[], env: NodeJS.ProcessEnv, cwd: string): string {
  const done = spawnSync(process.execPath, ["--import", "tsx", path.join(ROOT, "cli/keys.ts"), ...args], {
    cwd,
    env,
    encoding: "utf8",
  });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

/**
 * From now on the stack's file has what `keys restore` would write into it, and nothing of what was restored before.
 */
export const keepKeys = (file: string): void =>
  keepSets(
    Object.entries(readSaved(fs.readFileSync(file, "utf8")).keys).map(
      ([name, value]) => `importSecrets.${name}=${JSON.stringify(value)}`,
    ),
    "importSecrets",
  );
