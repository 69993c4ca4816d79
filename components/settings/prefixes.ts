/** Keys of the configuration that look like settings of this stack and are none: nothing would read them. Pure. */
import type { SettingsError } from "../core/errors";
import { nearest } from "../schema/syntax/text";
import { shapeOf } from "../schema/walk";
import { settingsSchema } from "./schema";

/** Namespace of the settings: the project's name. */
export const NAMESPACE = "matrix-ha";
/** Namespaces of the engine and of the providers that the stack uses. */
const FOREIGN = new Set(["pulumi", "kubernetes", "random", "tls", "command"]);

/** A key whose namespace is mistyped or missing, as `matrix_ha:federation`; undefined for one that is right. */
function strayKey(key: string): SettingsError | undefined {
  const colon = key.indexOf(":");
  const [namespace, name] = colon < 0 ? ["", key] : [key.slice(0, colon), key.slice(colon + 1)];
  if (namespace === NAMESPACE || FOREIGN.has(namespace)) return undefined;
  const known = Object.hasOwn(shapeOf(settingsSchema), /^[^.[]*/.exec(name)![0]);
  if (namespace !== "" && !known && nearest(namespace, [NAMESPACE]) === undefined) return undefined;
  return {
    path: key,
    given: namespace === "" ? "a key without a prefix" : `a key with the prefix ${namespace}:, which nothing reads`,
    allowed: `settings with the prefix ${NAMESPACE}:`,
    remedy: `write ${NAMESPACE}:${name}`,
  };
}

/** The errors for all keys of a configuration. */
export const strayKeys = (keys: readonly string[]): SettingsError[] => keys.flatMap((key) => strayKey(key) ?? []);
