/** Where the lab keeps things. */
import * as os from "node:os";
import * as path from "node:path";

/** This repository. */
export const ROOT = path.resolve(__dirname, "../..");
/** Results of measurements, in this repository. */
export const PROOF = path.join(ROOT, "docs", "proof");
/** Files of one cluster: keys, node data, logs, the engine's state. Removed by `down`. */
export const RUN_DIR = process.env.MATRIX_HA_RUN ?? path.join(os.homedir(), ".local/state/matrix-ha/local");
/** Built files, keyed by content; they survive `down`. */
export const CACHE_DIR = process.env.MATRIX_HA_CACHE ?? path.join(os.homedir(), ".cache/matrix-ha");
