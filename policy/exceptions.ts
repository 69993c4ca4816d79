/**
 * What a rule does not apply to, and why: each layer says it of its own objects. One that nothing needs fails the
 * tests.
 */
import type { RuleException } from "../components/core/exceptions";
import { LAYERS } from "../components/layers/registry";

export const EXCEPTIONS: readonly RuleException[] = LAYERS.flatMap((layer) => layer.exceptions ?? []);
