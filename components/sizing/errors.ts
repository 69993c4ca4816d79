import type { SettingsError } from "../settings/types";
import type { FitRemedy } from "./hostsFit";

/** The settings are well formed, but the plan for them is not feasible. Lists everything that is wrong. */
export class PlanInvalid extends Error {
  override readonly name = "PlanInvalid";
  constructor(
    readonly errors: SettingsError[],
    /** What would make the hosts suffice, for programs; the errors say it for people. */
    readonly remedies: FitRemedy[] = [],
  ) {
    super(
      `The plan is not feasible (${errors.length} ${errors.length === 1 ? "reason" : "reasons"}):\n${errors.map(formatError).join("\n")}`,
    );
  }
}

export const formatError = (e: SettingsError): string =>
  `  ${e.path}: given ${e.given}\n    allowed: ${e.allowed}\n    remedy:  ${e.remedy}`;
