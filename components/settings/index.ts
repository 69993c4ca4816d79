/** Settings: what the operator wrote in, complete and checked settings or every error at once out. Pure. */
import { check } from "./checks";
import { complete } from "./defaults";
import { parse } from "./parse";
import { Report } from "./report";
import type { Settings, SettingsError } from "./types";

export type { Settings, SettingsError } from "./types";
export { exampleHostKey, SECRET_PLACEHOLDER } from "./syntax/keys";

/**
 * @param raw What was written, by top-level key.
 * @param instance Name of the Pulumi stack.
 * @param now Certificates are held against this moment.
 */
export function resolveSettings(
  raw: Record<string, unknown>,
  instance: string,
  now: Date = new Date(),
): { settings?: Settings; errors: SettingsError[] } {
  const report = new Report();
  const input = parse(raw, report);
  if (!input) return { errors: report.errors };
  const settings = complete(input, instance);
  check({ input, settings, report, now });
  return report.errors.length > 0 ? { errors: report.errors } : { settings, errors: [] };
}

/** @param consequence What that means for the stack. */
export function formatErrors(errors: readonly SettingsError[], consequence = "nothing was changed"): string {
  const lines = errors.flatMap((error) => [
    `  ${error.path}`,
    `    given:   ${error.given}`,
    `    allowed: ${error.allowed}`,
    `    do:      ${error.remedy}`,
  ]);
  return [
    `${errors.length === 1 ? "1 setting is" : `${errors.length} settings are`} wrong; ${consequence}.`,
    ...lines,
  ].join("\n");
}

export class SettingsInvalid extends Error {
  constructor(readonly errors: SettingsError[]) {
    super(formatErrors(errors));
    this.name = "SettingsInvalid";
  }
}
