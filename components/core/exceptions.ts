/** How a layer declares that a rule (policy/) does not apply to one of its objects. Pure. */

/** An exception to a rule, with its reason. A test fails when an exception is no longer needed. */
export interface RuleException {
  /** Id of the rule, such as `10b`; docs/policy.md lists them. */
  rule: string;
  /** `Kind namespace/name`; `*` matches any characters. */
  object: string;
  /** Matches the text of the violation. @default every violation of that object */
  what?: RegExp;
  /** Why the object cannot follow the rule; appears in docs/policy.md. */
  why: string;
}

/** `what` of exceptions that several objects have. */
export const HOST_NETWORK = /^hostNetwork is used$/;
export const SINGLE = /^a single replica$/;
