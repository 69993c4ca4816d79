/** Results that the steps of a preview pass on: JSON files outside the checkout, one folder per stack. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Change } from "../../cli/diff";
import type { Usage } from "./usage";

export const ROOT = path.resolve(__dirname, "../..");
const TEMP = process.env.RUNNER_TEMP || path.join(os.tmpdir(), `matrix-ha-preview-${os.userInfo().uid}`);
/** The workflow carries this folder from the jobs of the stacks to the one that comments. */
export const RESULTS = path.join(TEMP, "preview");
/** The other side of the comparison: the files of the pull request's base. */
export const BASE = path.join(TEMP, "preview-base");

/** The result of `pulumi preview` for one stack. */
export interface EngineResult {
  stack: string;
  ok: boolean;
  /** `nothing`: a temporary backend, so that everything is created. `state`: the deployed state. */
  against: "nothing" | "state";
  /** Why the state that the environment gives access to was not used. */
  note?: string;
  seconds: number;
  /** Usage of engine, plugins and program together; absent if the system does not report it. */
  usage?: Usage;
  /** Resources by operation: create, update, same, ... */
  operations: Record<string, number>;
  errors: string[];
  warnings: string[];
  /** Against the state: the changes, according to the engine. */
  changes?: Change[];
}

/** The differences between the programs of the base and of the pull request, each evaluated in its own checkout. */
export interface ChangesResult {
  stack: string;
  /** The commit compared with. */
  base: string;
  changes?: Change[];
  /** Why there is no comparison. */
  problem?: string;
  /** The pull request's own program does not evaluate: its author must correct the problem. */
  failed?: boolean;
}

type Result = { engine: EngineResult; changes: ChangesResult };

const fileOf = (stack: string, kind: keyof Result, dir: string): string => path.join(dir, stack, `${kind}.json`);

export function writeResult<K extends keyof Result>(kind: K, result: Result[K], dir = RESULTS): void {
  const file = fileOf(result.stack, kind, dir);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
}

export function readResult<K extends keyof Result>(kind: K, stack: string, dir = RESULTS): Result[K] | undefined {
  const file = fileOf(stack, kind, dir);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined;
}
