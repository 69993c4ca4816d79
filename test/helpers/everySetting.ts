/**
 * Every setting of the schema, down to members of lists and nested sections, and for each a second value that is valid
 * too. The walk over it (test/settings/everySetting.test.ts) has no list of settings that could fall behind the schema.
 */
import type { z } from "zod";
import { settingsSchema } from "../../components/settings/schema";
import {
  elementOf,
  enumOf,
  exampleOf,
  isPlainObject,
  literalOf,
  optionsOf,
  shapeOf,
  typeOf,
  valueAt,
} from "../../components/schema/walk";

type Config = Record<string, unknown>;
type Key = string | number;

/** A setting without fields of its own. */
export interface Leaf {
  /** As docs/settings.md writes it, with the option that it is of. @example "hosts[].address", "tls(acme).email" */
  name: string;
  /** Where it is in a configuration; the members of lists are looked for there. */
  path: string[];
  schema: z.ZodType;
  /** Options of the sections around it. @example { tls: "acme" } */
  options: Record<string, string>;
}

/** All leaves. A list of texts or numbers, and a section with names that the operator chooses, are one each. */
export function leaves(schema: z.ZodType = settingsSchema, name = "", path: string[] = [], options = {}): Leaf[] {
  switch (typeOf(schema)) {
    case "object":
      return Object.entries(shapeOf(schema)).flatMap(([key, child]) =>
        leaves(child, name ? `${name}.${key}` : key, [...path, key], options),
      );
    case "array":
      return typeOf(elementOf(schema)) === "object"
        ? leaves(elementOf(schema), `${name}[]`, [...path, "[]"], options)
        : [{ name, path, schema, options }];
    case "union": {
      const { discriminator, options: all } = optionsOf(schema);
      return all.flatMap((option) => {
        const chosen = String(literalOf(shapeOf(option)[discriminator]!));
        return leaves(option, `${name}(${chosen})`, path, { ...options, [path.join(".")]: chosen });
      });
    }
    default:
      return [{ name, path, schema, options }];
  }
}

/** The paths of a leaf in a configuration, one for each member of the lists around it. */
export function places(config: Config, path: readonly string[]): Key[][] {
  return path.reduce<Key[][]>(
    (found, key) =>
      key === "[]"
        ? found.flatMap((at) => ((valueAt(config, at) as unknown[] | undefined) ?? []).map((_, i) => [...at, i]))
        : found.map((at) => [...at, key]),
    [[]],
  );
}

/** The configuration with another value at a place; sections on the way that are missing are made. */
export function withValue(config: Config, at: readonly Key[], value: unknown): Config {
  const copy = structuredClone(config);
  let parent: any = copy;
  for (const key of at.slice(0, -1)) parent = parent[key] ??= {};
  if (value === undefined) delete parent[at.at(-1)!];
  else parent[at.at(-1)!] = value;
  return copy;
}

/** Values to try in place of another, those first that are least likely to break a rule about several settings. */
export function others(schema: z.ZodType, present: unknown): unknown[] {
  const tried = candidates(schema, present).filter(
    (value) => JSON.stringify(value) !== JSON.stringify(present) && schema.safeParse(value).success,
  );
  return [...new Map(tried.map((value) => [JSON.stringify(value), value])).values()];
}

function candidates(schema: z.ZodType, present: unknown): unknown[] {
  const example = exampleOf(schema);
  switch (typeOf(schema)) {
    case "boolean":
      return [true, false];
    case "enum":
      return enumOf(schema);
    case "number": {
      const around = [present, example].filter((n): n is number => typeof n === "number");
      return around.flatMap((n) => [n + 1, n - 1, n, n + 2, n * 2, n * 10, Math.floor(n / 2)]);
    }
    case "array": {
      const members = Array.isArray(present) ? present : [];
      const more = others(elementOf(schema), members[0]);
      return [...more.map((m) => [...members, m]), ...more.map((m) => [m]), members.slice(1)];
    }
    case "record":
      return [{ ...(isPlainObject(present) ? present : {}), another: "value" }];
    case "custom":
      return [example, {}];
    case "literal":
      return [];
    default:
      return [present, example].filter((t): t is string => typeof t === "string").flatMap(textsLike);
  }
}

/** Texts of the same kind: a name, an address, a network, a URL, a schedule, a moment, a key. */
const textsLike = (text: string): string[] => [
  `${text}x`,
  `x${text}`,
  text.replace(/^(\w+:\/\/)?([a-z])/, "$1x$2"),
  text.replace(/(\d)(?!.*\d)/, (d) => String((Number(d) + 1) % 10)),
  text.replace(/\d/, (d) => String((Number(d) + 1) % 10)),
  text.replace(/(\d+)(?=\.\d+\/)/, (d) => String(Number(d) + 1)),
  text.replace(/[A-Za-z]/, (c) => (c === "x" ? "y" : "x")),
  text,
];
