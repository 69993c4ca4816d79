import type { Settings } from "../../../settings/types";
import type { Plan } from "../../../sizing/types";

/** An alert and its page in the runbook, in one place. */
export interface AlertRule {
  alert: string;
  /** PromQL. */
  expr: string;
  /** How long it must hold; "0m": at once. */
  for: string;
  /**
   * critical: wakes the person on call, users notice or data is one failure away from loss. warning: today. info: to
   * know.
   */
  severity: "critical" | "warning" | "info";
  /** One line; may use Alertmanager's templates. */
  summary: string;
  /** What the runbook says. */
  meaning: string;
  look: string[];
  act: string[];
}

export interface RuleGroup {
  name: string;
  title: string;
  rules: AlertRule[];
}
export interface RuleInput {
  settings: Settings;
  plan: Plan;
}

/** `expr` of a count that is 0, not absent, when nothing is there. */
export const countOrZero = (selector: string): string => `(count(${selector}) or vector(0))`;
