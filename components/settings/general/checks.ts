/** What concerns the stack as a whole. */
import type { CheckInput } from "../../core/layer";
import { checkHostCounts } from "./checkHostCounts";
import { checkHostnames } from "./checkHostnames";
import { checkKeys } from "./checkKeys";

type Check = (given: CheckInput) => void;

/** Before those of the layers, of which some are about the same names. */
export const FIRST_CHECKS: readonly Check[] = [checkHostnames, checkKeys];
/** After those of the hosts: where a role is wrong, no host is missing. */
export const LAST_CHECKS: readonly Check[] = [checkHostCounts];
