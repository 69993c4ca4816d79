/** The settings of the stack that the Pulumi engine runs. The only file of this folder that uses Pulumi. */
import * as pulumi from "@pulumi/pulumi";
import { SettingsInvalid } from "../core/errors";
import { resolveSettings } from ".";
import type { Settings } from "./types";

/**
 * Every `matrix-ha:*` key of the configuration, secrets decrypted. Structured values are JSON, which resolveSettings
 * reads.
 */
export function rawConfig(): Record<string, unknown> {
  const prefix = "matrix-ha:";
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Complete settings. @throws SettingsInvalid with every error at once */
export function settingsFromConfig(): Settings {
  const { settings, errors } = resolveSettings(rawConfig(), pulumi.getStack());
  if (!settings) throw new SettingsInvalid(errors);
  return settings;
}
