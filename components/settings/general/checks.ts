/** What concerns the stack as a whole. */
import type { CheckInput } from "../../core/layer";
import { checkHostCounts } from "./checkHostCounts";
import { checkHostnames } from "./checkHostnames";
import { checkKeys } from "./checkKeys";

export const GENERAL_CHECKS: ReadonlyArray<(given: CheckInput) => void> = [checkHostnames, checkKeys, checkHostCounts];
