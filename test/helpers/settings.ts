/** Settings of configurations that are right. */
import { formatErrors, resolveSettings, type Settings } from "../../components/settings";

/** Complete settings; fails with all errors where there are any. */
export function settingsOf(raw: Record<string, unknown>, instance = "t", now?: Date): Settings {
  const { settings, errors } = resolveSettings(raw, instance, now);
  if (!settings) throw new Error(formatErrors(errors));
  return settings;
}
