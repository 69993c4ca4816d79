/** Rules that do not apply to some objects of this layer, and why. Pure. */
import type { RuleException } from "../../core/exceptions";

export const EXCEPTIONS: RuleException[] = [
  {
    rule: "10b",
    object: "Pooler matrix/*",
    what: /^(runAsNonRoot|fsGroupChangePolicy|seccompProfile) is not set$/,
    why: "the operator completes PgBouncer's container: users 998 and 996, read-only root, RuntimeDefault, no capabilities",
  },
];
