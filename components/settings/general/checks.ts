/** Checks of the stack as a whole. */
import type { CheckInput } from "../../core/layer";
import { checkDataCentre } from "./checkDataCentre";
import { checkHostCounts } from "./checkHostCounts";
import { checkHostnames } from "./checkHostnames";
import { checkKeys } from "./checkKeys";

type Check = (given: CheckInput) => void;

/** Run before the layers' checks, some of which concern the same names. */
export const FIRST_CHECKS: readonly Check[] = [checkHostnames, checkKeys];
/** Run after the hosts' checks: when a role is wrong, hosts are not counted. */
export const LAST_CHECKS: readonly Check[] = [checkDataCentre, checkHostCounts];
