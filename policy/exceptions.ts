/** What a rule does not apply to, and why. An exception that nothing needs any more fails the tests. */
import type { Exception } from "./types";

export const EXCEPTIONS: Exception[] = [];
