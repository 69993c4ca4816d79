/** What is wrong with a stack's settings, or with the plan that they ask for: one form for both. */
import type { FitRemedy } from "../sizing/hostsFit";

/** One thing that is wrong, in words that say what to do. */
export interface SettingsError {
  /** Where, as the operator writes it: `hosts[2].address`. */
  path: string;
  /** What was given; never the value of a secret. */
  given: string;
  allowed: string;
  remedy: string;
}

/** All errors as people read them. @param consequence What they mean for the stack. */
export function formatErrors(errors: readonly SettingsError[], consequence = "nothing was changed"): string {
  const count = errors.length === 1 ? "1 setting is" : `${errors.length} settings are`;
  return [`${count} wrong; ${consequence}.`, ...errors.map(formatError)].join("\n");
}

export const formatError = (error: SettingsError): string =>
  [
    `  ${error.path}`,
    `    given:   ${error.given}`,
    `    allowed: ${error.allowed}`,
    `    remedy:  ${error.remedy}`,
  ].join("\n");

/** Settings that are wrong each for itself or together, or whose plan is not feasible. Has every error at once. */
export class SettingsInvalid extends Error {
  override readonly name = "SettingsInvalid";
  constructor(
    readonly errors: readonly SettingsError[],
    /** Errors of a plan: the settings are well formed. */
    readonly of: "settings" | "plan" = "settings",
    /** What would make the hosts suffice, for programs; the errors say it for people. */
    readonly remedies: readonly FitRemedy[] = [],
  ) {
    super(
      of === "settings"
        ? formatErrors(errors)
        : [
            `The plan is not feasible (${errors.length} ${errors.length === 1 ? "reason" : "reasons"}):`,
            ...errors.map(formatError),
          ].join("\n"),
    );
  }
}
