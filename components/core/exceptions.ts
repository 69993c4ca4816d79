/** The words in which a layer says that a rule (policy/) does not apply to an object of its own. Pure. */

/** An exception of a rule (policy/), with its reason. One that nothing needs any more fails the tests. */
export interface RuleException {
  rule: string;
  /** `Kind namespace/name`; a `*` matches any run of characters. */
  object: string;
  /** The violation that is meant. @default any of that object */
  what?: RegExp;
  why: string;
}

/** Violations that several objects have. */
export const HOST_NETWORK = /^hostNetwork is used$/;
export const SINGLE = /^a single replica$/;
