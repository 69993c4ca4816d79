/** Settings: what the operator wrote in, complete and checked settings or every error at once out. Pure. */
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
  // All of them always run.
  for (const check of [...FIRST_CHECKS, ...LAYERS.flatMap((layer) => layer.checks ?? []), ...LAST_CHECKS])
    check({ input, settings, report, now });
  return report.errors.length > 0 ? { errors: report.errors } : { settings, errors: [] };
}
