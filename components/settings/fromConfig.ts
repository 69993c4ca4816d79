/** The settings of the stack that the Pulumi engine runs. The only file of this folder that uses Pulumi. */
import * as pulumi from "@pulumi/pulumi";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SettingsInvalid, type SettingsError } from "../core/errors";
import { resolveSettings } from ".";
import { NAMESPACE, strayKeys } from "./prefixes";
import { secretsInClear } from "./secretPaths";
import { readStackConfig } from "./stackFile";
import type { Settings } from "./types";

/**
 * Every `matrix-ha:*` key of the configuration, secrets decrypted. Structured values are JSON, which resolveSettings
 * reads.
 */
export function rawConfig(): Record<string, unknown> {
  const prefix = `${NAMESPACE}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** The SDK declares it internal; it is what Config.getSecret and its warning are made of. */
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };

/**
 * Secrets in clear, and keys that nothing reads. The engine says of a whole top-level key whether a secret is in it;
 * which of several in one section is in clear is known from the stack's file, where that is in its usual place.
 */
function carelessness(raw: Record<string, unknown>): SettingsError[] {
  const clear = Object.fromEntries(Object.entries(raw).filter(([key]) => !isConfigSecret(`${NAMESPACE}:${key}`)));
  const errors = [...strayKeys(Object.keys(pulumi.runtime.allConfig())), ...secretsInClear(clear)];
  if (errors.length === 0 && existsSync(join(process.cwd(), `Pulumi.${pulumi.getStack()}.yaml`)))
    readStackConfig(pulumi.getStack(), process.cwd());
  return errors;
}

/** Complete settings. @throws SettingsInvalid with every error at once */
export function settingsFromConfig(): Settings {
  const raw = rawConfig();
  const careless = carelessness(raw);
  if (careless.length > 0) throw new SettingsInvalid(careless);
  const { settings, errors } = resolveSettings(raw, pulumi.getStack());
  if (!settings) throw new SettingsInvalid(errors);
  return settings;
}
