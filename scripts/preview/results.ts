/** What the steps of a preview hand to each other: JSON files outside the checkout, one folder a stack. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Change } from "../../cli/diff";
import type { Usage } from "./usage";

export const ROOT = path.resolve(__dirname, "../..");
const TEMP = process.env.RUNNER_TEMP || path.join(os.tmpdir(), `matrix-ha-preview-${os.userInfo().uid}`);
/** The workflow carries this folder from the jobs of the stacks to the one that comments. */
export const RESULTS = path.join(TEMP, "preview");
/** The other side of the comparison: the files that the pull request would be merged into. */
export const BASE = path.join(TEMP, "preview-base");

/** What `pulumi preview` said of one stack. */
export interface EngineResult {
  stack: string;
  ok: boolean;
  /** `nothing`: a throw-away backend, so that everything is created. `state`: what is really deployed. */
  against: "nothing" | "state";
  /** Why the state that the environment gives access to was not used. */
  note?: string;
  seconds: number;
  /** Of engine, plugins and program together; absent where the system does not tell. */
  usage?: Usage;
  /** Resources by operation: create, update, same, ... */
  operations: Record<string, number>;
  errors: string[];
  warnings: string[];
  /** Against the state: what would change, as the engine says. */
  changes?: Change[];
}

/** What differs between the program of the base and that of the pull request, each evaluated by its own checkout. */
export interface ChangesResult {
  stack: string;
  /** The commit compared with. */
  base: string;
  changes?: Change[];
  /** Why there is no comparison. */
  problem?: string;
  /** The pull request's own program does not evaluate: what the problem tells is to be corrected here. */
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
