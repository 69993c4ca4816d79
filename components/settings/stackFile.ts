/** Reads a stack's settings from its file, for the tools that work without the Pulumi engine. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { SECRET_PLACEHOLDER } from "../schema/syntax/keys";
import { isPlainObject } from "../schema/walk";

const PREFIX = "matrix-ha:";
const ROOT = resolve(__dirname, "../..");

/**
 * The `matrix-ha:` settings of Pulumi.<stack>.yaml, without the prefix. Encrypted values, which only the engine can
 * decrypt, become a placeholder that is valid wherever a secret is expected.
 *
 * @param dir Folder of the stack files. @default the project's root
 * @throws Error when there is no such file; the message lists the stacks that have one
 */
export function readStackConfig(stack: string, dir: string = ROOT): Record<string, unknown> {
  const file = join(dir, `Pulumi.${stack}.yaml`);
  if (!/^[\w.-]+$/.test(stack) || !existsSync(file)) {
    const known = stackNames(dir);
    throw new Error(
      `There is no stack "${stack}": ${file} does not exist. ${known.length > 0 ? `Stacks here: ${known.join(", ")}.` : "There is no Pulumi.<stack>.yaml."}`,
    );
  }
  const document: unknown = parseYaml(readFileSync(file, "utf8"));
  const config = isPlainObject(document) && isPlainObject(document.config) ? document.config : {};
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [key.slice(PREFIX.length), withoutCiphertext(value)]),
  );
}

/** Names of the stacks that have a file, sorted. */
export const stackNames = (dir: string = ROOT): string[] =>
  readdirSync(dir)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();

function withoutCiphertext(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCiphertext);
  if (!isPlainObject(value)) return value;
  if (Object.keys(value).length === 1 && typeof value.secure === "string") return SECRET_PLACEHOLDER;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withoutCiphertext(v)]));
}

/**
 * A copy of the settings with single values replaced. Values are read as YAML, so they may be lists and sections; an
 * empty value removes the setting.
 *
 * @example
 *   applySets(config, ["ccu=5000", "hosts[0].cpu=4", "web.admin.allowCidrs=[10.0.0.0/8]", "rtc="]);
 *
 * @throws Error for a text without `=`, an invalid path, or a place beyond the end of a list
 */
export function applySets(config: Record<string, unknown>, sets: readonly string[]): Record<string, unknown> {
  const result = structuredClone(config);
  for (const set of sets) {
    const at = set.indexOf("=");
    if (at < 1) throw new Error(`--set ${set}: write PATH=VALUE, for example ccu=5000 or hosts[0].cpu=4`);
    assign(result, pathKeys(set.slice(0, at), set), set.slice(at + 1), set);
  }
  return result;
}

function pathKeys(path: string, set: string): Array<string | number> {
  const keys: Array<string | number> = [];
  const pattern = /(?:^|\.)([\w-]+)|\[(\d+)\]|\["([^"]+)"\]/y;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (!match)
      throw new Error(
        `--set ${set}: "${path}" is not a valid path; separate names by dots and put indexes of lists in brackets: hosts[0].cpu`,
      );
    keys.push(match[2] !== undefined ? Number(match[2]) : (match[1] ?? match[3]));
  }
  if (keys.some((key) => key === "__proto__" || key === "constructor" || key === "prototype"))
    throw new Error(`--set ${set}: "${path}" is not a setting`);
  return keys;
}

function assign(root: Record<string, unknown>, keys: Array<string | number>, text: string, set: string): void {
  let parent: Record<PropertyKey, unknown> = root;
  for (const [i, key] of keys.slice(0, -1).entries()) {
    if (Array.isArray(parent) && (typeof key !== "number" || key > parent.length))
      throw new Error(`--set ${set}: the list has ${parent.length} entries`);
    if (parent[key] === null || typeof parent[key] !== "object")
      parent[key] = typeof keys[i + 1] === "number" ? [] : {};
    parent = parent[key] as Record<PropertyKey, unknown>;
  }
  const last = keys[keys.length - 1];
  if (Array.isArray(parent) && (typeof last !== "number" || last > parent.length))
    throw new Error(`--set ${set}: the list has ${parent.length} entries`);
  if (text !== "") parent[last] = parseYaml(text);
  else if (Array.isArray(parent)) parent.splice(last as number, 1);
  else delete parent[last];
}
