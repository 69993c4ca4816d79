/** Reads a stack's settings from its file, for the tools that work without the Pulumi engine. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { LineCounter, parseDocument, parse as parseYaml, visit, type YAMLParseError } from "yaml";
import { SettingsInvalid, type SettingsError } from "../core/errors";
import { SECRET_PLACEHOLDER } from "../schema/syntax/keys";
import { isPlainObject } from "../schema/walk";
import { NAMESPACE, strayKeys } from "./prefixes";
import { secretsInClear } from "./secretPaths";

const PREFIX = `${NAMESPACE}:`;
const ROOT = resolve(__dirname, "../..");

/**
 * The `matrix-ha:` settings of Pulumi.<stack>.yaml, without the prefix. Encrypted values, which only the engine can
 * decrypt, become a placeholder that is valid wherever a secret is expected.
 *
 * @param dir Folder of the stack files. @default the project's root
 * @throws Error when there is no such file; the message lists the stacks that have one
 * @throws SettingsInvalid when it is not YAML, or holds keys that nothing would read, or secrets in clear
 */
export function readStackConfig(stack: string, dir: string = ROOT): Record<string, unknown> {
  const file = join(dir, `Pulumi.${stack}.yaml`);
  if (!/^[\w.-]+$/.test(stack) || !existsSync(file)) {
    const known = stackNames(dir);
    throw new Error(
      `There is no stack "${stack}": ${file} does not exist. ${known.length > 0 ? `Stacks here: ${known.join(", ")}.` : "There is no Pulumi.<stack>.yaml."}`,
    );
  }
  const document = readYaml(file);
  const config = isPlainObject(document) && isPlainObject(document.config) ? document.config : {};
  const settings = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [key.slice(PREFIX.length), withoutCiphertext(value)]),
  );
  const errors = [
    ...misplaced(document, basename(file)),
    ...strayKeys(Object.keys(config)),
    ...secretsInClear(settings),
  ];
  if (errors.length > 0) throw new SettingsInvalid(errors);
  return settings;
}

const QUOTE_STAR = 'put a text that begins with * in quotes: "*.example.com"';
/** What to do about an error of YAML, by its code. */
const YAML_REMEDIES: Partial<Record<YAMLParseError["code"], string>> = {
  TAB_AS_INDENT: "indent with spaces: YAML allows no tabs there",
  DUPLICATE_KEY: "write each key once: join the two",
  BAD_INDENT: "close what was opened before this line, or indent the line as those around it",
  MISSING_CHAR: "close what was opened: {, [ or a quote; and write a colon after each key",
  BLOCK_AS_IMPLICIT_KEY:
    "a list's items begin with -, a section's with their keys: do not mix the two; quote a text that has a colon in it",
  BAD_ALIAS: QUOTE_STAR,
};

/** The document. @throws SettingsInvalid with file, line and column of everything that is not YAML */
function readYaml(file: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(readFileSync(file, "utf8"), { lineCounter, prettyErrors: false });
  const errors: SettingsError[] = [];
  const add = (offset: number, given: string, remedy: string): void => {
    const { line, col } = lineCounter.linePos(offset);
    errors.push({ path: `${basename(file)}, line ${line}, column ${col}`, given, allowed: "YAML", remedy });
  };
  // The parser's words: they name characters and places, and quote no value.
  for (const { pos, message, code } of document.errors)
    add(pos[0], message, YAML_REMEDIES[code] ?? "correct this line, or the one before it");
  // The parser leaves these to its conversion, which knows no line and quotes the text: it may be a secret.
  visit(document, {
    Alias: (_, alias) => {
      if (alias.source !== "" && alias.resolve(document) === undefined)
        add(alias.range![0], "a text that begins with * without quotes", QUOTE_STAR);
    },
  });
  if (errors.length > 0) throw new SettingsInvalid(errors);
  return document.toJS();
}

/** What the engine itself writes and reads in a stack's file. */
const ENGINES_KEYS = new Set(["config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment"]);

/** Settings that are not below `config:`. */
function misplaced(document: unknown, file: string): SettingsError[] {
  // `pulumi stack init` makes a file without any settings.
  if (document === null) return [];
  const outside = isPlainObject(document) ? Object.keys(document).filter((key) => !ENGINES_KEYS.has(key)) : [];
  const config = isPlainObject(document) ? document.config : document;
  if (outside.length === 0 && (config === undefined || isPlainObject(config))) return [];
  return [
    {
      path: file,
      given: outside.length > 0 ? `${outside.join(", ")} outside \`config:\`` : "no settings below `config:`",
      allowed: "settings below `config:`, indented",
      remedy: "write `config:` in a line of its own, and the settings below it, indented by two spaces",
    },
  ];
}

/** Names of the stacks that have a file, sorted. */
export const stackNames = (dir: string = ROOT): string[] =>
  readdirSync(dir)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();

/** Whether it is a value that Pulumi has encrypted: only the stack that it was made for can read it. */
export const isEncrypted = (value: unknown): boolean =>
  isPlainObject(value) && Object.keys(value).length === 1 && typeof value.secure === "string";

function withoutCiphertext(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCiphertext);
  if (!isPlainObject(value)) return value;
  if (isEncrypted(value)) return SECRET_PLACEHOLDER;
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
