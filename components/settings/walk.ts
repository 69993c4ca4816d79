/** Finding one's way in the schema: the field at a path, its documentation, a value that stands in. */
import type { z } from "zod";
import type { FieldDoc } from "./schema/fields";

/** What zod keeps of a schema, by its type: each has some of these. */
type Def = z.ZodType["_zod"]["def"] & {
  innerType: z.ZodType;
  shape: Record<string, z.ZodType>;
  element: z.ZodType;
  valueType: z.ZodType;
  discriminator: string;
  options: z.ZodType[];
  values?: unknown[];
  entries?: Record<string, string>;
  defaultValue?: unknown;
};
const defOf = (schema: z.ZodType): Def => schema._zod.def as Def;
const WRAPPERS = new Set(["optional", "default", "prefault", "nullable"]);

/** Without the wrappers that say "may be left out". */
export function core(schema: z.ZodType): z.ZodType {
  return WRAPPERS.has(defOf(schema).type) ? core(defOf(schema).innerType) : schema;
}

export const typeOf = (schema: z.ZodType): string => defOf(core(schema)).type;
export const docOf = (schema: z.ZodType): Partial<FieldDoc> => (core(schema).meta() ?? {}) as Partial<FieldDoc>;
export const mayBeAbsent = (schema: z.ZodType): boolean => WRAPPERS.has(defOf(schema).type);
export const shapeOf = (schema: z.ZodType): Record<string, z.ZodType> => defOf(core(schema)).shape;
export const elementOf = (schema: z.ZodType): z.ZodType => defOf(core(schema)).element;
export const recordValueOf = (schema: z.ZodType): z.ZodType => defOf(core(schema)).valueType;
export const optionsOf = (schema: z.ZodType): { discriminator: string; options: z.ZodType[] } => {
  const { discriminator, options } = defOf(core(schema));
  return { discriminator, options };
};
export const literalOf = (schema: z.ZodType): unknown => defOf(core(schema)).values?.[0];
export const enumOf = (schema: z.ZodType): string[] => Object.values(defOf(core(schema)).entries ?? {});

/** Default as a value; undefined where there is none or it depends on other settings. */
export function defaultOf(schema: z.ZodType): unknown {
  const def = defOf(schema);
  if (def.type === "default" || def.type === "prefault") return def.defaultValue;
  return WRAPPERS.has(def.type) ? defaultOf(def.innerType) : undefined;
}

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The alternative of a union that a value means. */
export function optionFor(schema: z.ZodType, value: unknown): z.ZodType | undefined {
  const { discriminator, options } = optionsOf(schema);
  if (!isPlainObject(value)) return undefined;
  return options.find((option) => literalOf(shapeOf(option)[discriminator]) === value[discriminator]);
}

/** The schema of a child; `value` is the parent's, to choose in a union. */
export function childOf(schema: z.ZodType, key: PropertyKey, value: unknown): z.ZodType | undefined {
  switch (typeOf(schema)) {
    case "object":
      return Object.hasOwn(shapeOf(schema), key) ? shapeOf(schema)[String(key)] : undefined;
    case "array":
      return elementOf(schema);
    case "record":
      return recordValueOf(schema);
    case "union": {
      const option =
        optionFor(schema, value) ??
        (optionsOf(schema).discriminator === key ? optionsOf(schema).options[0] : undefined);
      return option && childOf(option, key, value);
    }
    default:
      return undefined;
  }
}

/** The schemas from the root to a path; shorter than the path where the schema ends before. */
export function schemasAlong(root: z.ZodType, raw: unknown, path: readonly PropertyKey[]): z.ZodType[] {
  const found = [root];
  let value = raw;
  for (const key of path) {
    const next = childOf(found[found.length - 1], key, value);
    if (!next) break;
    found.push(next);
    value = valueAt(value, [key]);
  }
  return found;
}

export function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A valid value for a required field. */
export function exampleOf(schema: z.ZodType): unknown {
  const { example } = docOf(schema);
  if (example !== undefined) return structuredClone(example);
  switch (typeOf(schema)) {
    case "object":
      return Object.fromEntries(
        Object.entries(shapeOf(schema))
          .filter(([, s]) => !mayBeAbsent(s))
          .map(([k, s]) => [k, exampleOf(s)]),
      );
    case "array":
      return [exampleOf(elementOf(schema))];
    case "record":
      return {};
    case "union":
      return exampleOf(optionsOf(schema).options[0]);
    case "literal":
      return literalOf(schema);
    case "enum":
      return enumOf(schema)[0];
    case "boolean":
      return false;
    case "number":
      return 1;
    default:
      return "example";
  }
}

/** `hosts[2].address`, as the operator writes it; keys that are no plain word in quotes. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const word = String(key);
    if (/^[A-Za-z_][\w-]*$/.test(word)) return text ? `${text}.${word}` : word;
    return `${text}[${JSON.stringify(word)}]`;
  }, "");
}
