/** The settings of the stack that the Pulumi engine runs. The only file of this layer that knows Pulumi. */
import * as pulumi from "@pulumi/pulumi";
import { MessageOnly } from "../core/messageOnly";
import { SettingsInvalid, type SettingsError } from "../core/errors";
import { resolveSettings } from ".";
import type { Settings } from "./types";

export class InvalidStackSettings extends MessageOnly {
  constructor(readonly errors: SettingsError[]) {
    super(new SettingsInvalid(errors).message);
  }
}

/**
 * Every `matrix-ha:*` key of the configuration, secrets decrypted; structured values are JSON, resolveSettings reads
 * them.
 */
export function rawConfig(): Record<string, unknown> {
  const prefix = "matrix-ha:";
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Complete settings, or InvalidStackSettings with every error at once. */
export function settingsFromConfig(): Settings {
  const { settings, errors } = resolveSettings(rawConfig(), pulumi.getStack());
  if (!settings) throw new InvalidStackSettings(errors);
  return settings;
}
