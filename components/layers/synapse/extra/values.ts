/** Values of `synapse.extra`: their places, and their merge into what the stack writes. Pure. */
import { isPlainObject } from "../../../schema/walk";

/** Names of options, and of modules' settings, that hold secrets. */
const SECRET_NAME =
  /((^|_)pass|secret|password|passwd|passphrase|pepper|private_key|secret_key|access_key|dsn|token|api_?key|webhook_url|bindpw|credentials?)$/i;
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** A value that is no section, or an empty one, and where it is. */
export interface Leaf {
  path: string[];
  value: unknown;
}

/** All values below a path, the sections opened. */
export const leavesOf = (value: unknown, path: string[]): Leaf[] =>
  isPlainObject(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
    : [{ path, value }];

/** What the stack writes, with the operator's values in it or in place of it. */
export function merged(stack: unknown, extra: unknown): unknown {
  if (!isPlainObject(stack) || !isPlainObject(extra)) return extra;
  return Object.fromEntries(
    [...new Set([...Object.keys(stack), ...Object.keys(extra)])].map((key) => [
      key,
      Object.hasOwn(extra, key) ? merged(stack[key], extra[key]) : stack[key],
    ]),
  );
}
