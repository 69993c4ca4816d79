/** Settings: takes what the operator wrote, returns complete, checked settings or every error at once. Pure. */
import type { SettingsError } from "../core/errors";
import { LAYERS } from "../layers/registry";
import { Report } from "../schema/report";
import { complete } from "./defaults";
import { FIRST_CHECKS, LAST_CHECKS } from "./general/checks";
import { parse } from "./parse";
import type { Settings } from "./types";

export { formatErrors, SettingsInvalid, type SettingsError } from "../core/errors";
export type { Settings } from "./types";
export { exampleHostKey, SECRET_PLACEHOLDER } from "../schema/syntax/keys";

/**
 * Complete settings, or all errors. Exactly one of the two is there: `settings` is absent when there are errors.
 *
 * @param raw What was written, by top-level key without the prefix `matrix-ha:`.
 * @param instance Name of the Pulumi stack.
 * @param now Moment that certificates are checked against. @default the present
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
  // Every check runs, so that every error is reported at once.
  for (const check of [...FIRST_CHECKS, ...LAYERS.flatMap((layer) => layer.checks ?? []), ...LAST_CHECKS])
    check({ input, settings, report, now });
  return report.errors.length > 0 ? { errors: report.errors } : { settings, errors: [] };
}
