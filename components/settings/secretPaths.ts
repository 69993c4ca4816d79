/** Where secrets are in a stack's settings, and which of them are in clear. Pure; no function returns a value. */
import type { SettingsError } from "../core/errors";
import { extraSecretsInClear } from "../layers/synapse/extra/checks";
import { normalize } from "../schema/normalize";
import { isPlaceholder } from "../schema/syntax/keys";
import { docOf, isPlainObject, pathText, schemasAlong, valueAt } from "../schema/walk";
import { settingsSchema } from "./schema";

type Path = Array<string | number>;

/** Paths of the secret values in the settings, wherever they are. */
export function secretPaths(config: unknown, at: Path = [], root = config): Path[] {
  if (Array.isArray(config) || isPlainObject(config))
    return Object.entries(config).flatMap(([key, value]) =>
      secretPaths(value, [...at, Array.isArray(config) ? Number(key) : key], root),
    );
  const schemas = schemasAlong(settingsSchema, root, at);
  const scalar = config !== null && config !== undefined;
  return scalar && schemas.length === at.length + 1 && docOf(schemas.at(-1)!).secret ? [at] : [];
}

/** The command that sets a secret, which reads it from a file: a value on the command line is seen by every user. */
export const setSecret = (path: readonly PropertyKey[] | string): string =>
  `pulumi config set --secret --path 'matrix-ha:${typeof path === "string" ? path : pathText(path)}' < FILE`;

/**
 * The errors for secrets that are not encrypted.
 *
 * @param config Settings by top-level key. An encrypted value is its placeholder.
 */
export function secretsInClear(config: Record<string, unknown>): SettingsError[] {
  const read = normalize(settingsSchema, config);
  return [
    ...secretPaths(read).filter((path) => !isPlaceholder(valueAt(read, path))),
    ...extraSecretsInClear(config),
  ].map((path) => ({
    path: pathText(path),
    given: "a secret in clear (not shown)",
    allowed: "an encrypted value: whoever reads the stack's file, or its history, has a secret that is in clear",
    remedy: `${setSecret(path)}, with the value in FILE. Where the file has been copied or committed, replace the secret where it was issued`,
  }));
}
