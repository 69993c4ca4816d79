/** Errors in a stack's settings, or in the plan that follows from them, in one form. */
import type { FitRemedy } from "../sizing/hostsFit";

/** One error, worded for the operator. */
export interface SettingsError {
  /** Path of the setting as the operator writes it: `hosts[2].address`. */
  path: string;
  /** The value given; never that of a secret. */
  given: string;
  /** What is allowed, as a noun phrase: `an https:// URL`. */
  allowed: string;
  /** What to do, as an instruction. */
  remedy: string;
}

/**
 * All errors as one text.
 *
 * @param consequence What the errors mean for the stack; ends the first line.
 */
export function formatErrors(errors: readonly SettingsError[], consequence = "nothing was changed"): string {
  const count = errors.length === 1 ? "1 setting is" : `${errors.length} settings are`;
  return [`${count} wrong; ${consequence}.`, ...errors.map(formatError)].join("\n");
}

/** One error as four indented lines. */
export const formatError = (error: SettingsError): string =>
  [
    `  ${error.path}`,
    `    given:   ${error.given}`,
    `    allowed: ${error.allowed}`,
    `    remedy:  ${error.remedy}`,
  ].join("\n");

/** Thrown for invalid settings or a plan that is not feasible, with every error at once. */
export class SettingsInvalid extends Error {
  override readonly name = "SettingsInvalid";
  constructor(
    readonly errors: readonly SettingsError[],
    /** `plan`: the settings are valid, but the hosts do not suffice for them. */
    readonly of: "settings" | "plan" = "settings",
    /** What would make the hosts suffice, for programs; the errors say the same in words. */
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
