/**
 * Objects that rules do not apply to, with the reason; each layer lists its own. An unused exception fails the tests.
 */
import type { RuleException } from "../components/core/exceptions";
import { LAYERS } from "../components/layers/registry";

export const EXCEPTIONS: readonly RuleException[] = LAYERS.flatMap((layer) => layer.exceptions ?? []);
