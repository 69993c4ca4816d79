/** Where the lab keeps things. */
import * as os from "node:os";
import * as path from "node:path";

/** This repository. */
export const ROOT = path.resolve(__dirname, "../..");
/** What was measured, in this repository. */
export const PROOF = path.join(ROOT, "docs", "proof");
/** What belongs to one cluster: keys, node data, logs, the engine's state. Removed by `down`. */
export const RUN_DIR = process.env.MATRIX_HA_RUN ?? path.join(os.homedir(), ".local/state/matrix-ha/local");
/** What was built, keyed by content; survives `down`. */
export const CACHE_DIR = process.env.MATRIX_HA_CACHE ?? path.join(os.homedir(), ".cache/matrix-ha");
