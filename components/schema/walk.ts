/** Looks things up in the schema: the field at a path, its documentation, an example value. */
import { z } from "zod";
import type { FieldDoc } from "./fields";

/** The schema without the wrappers that make it optional. */
export function core(schema: z.ZodType): z.ZodType {
  return isWrapper(schema) ? core(schema.unwrap() as z.ZodType) : schema;
}

type Wrapper = z.ZodOptional | z.ZodDefault | z.ZodPrefault | z.ZodNullable;
const isWrapper = (schema: z.ZodType): schema is Wrapper =>
  schema instanceof z.ZodOptional ||
  schema instanceof z.ZodDefault ||
  schema instanceof z.ZodPrefault ||
  schema instanceof z.ZodNullable;

/** `object`, `array`, `record`, `union`, `enum`, `literal`, `boolean`, `number`, `string`. */
export const typeOf = (schema: z.ZodType): string => core(schema).type;
/** Documentation of a field; empty when it has none. */
export const docOf = (schema: z.ZodType): Partial<FieldDoc> => (core(schema).meta() ?? {}) as Partial<FieldDoc>;
/** Whether the setting may be left out: it is optional or has a default. */
export const mayBeAbsent = (schema: z.ZodType): boolean => isWrapper(schema);

/** A schema as one of the kind that the caller has checked with `typeOf`. @throws Error for another kind */
function as<T extends z.ZodType>(schema: z.ZodType, kind: abstract new (...args: never[]) => T): T {
  const inner = core(schema);
  if (!(inner instanceof kind)) throw new Error(`a field of type ${inner.type}, where ${kind.name} was expected`);
  return inner;
}

/** Fields of an object by name. @throws Error for another type; so do those below */
export const shapeOf = (schema: z.ZodType): Record<string, z.ZodType> =>
  as(schema, z.ZodObject).shape as Record<string, z.ZodType>;
export const elementOf = (schema: z.ZodType): z.ZodType => as(schema, z.ZodArray).element as z.ZodType;
export const recordValueOf = (schema: z.ZodType): z.ZodType => as(schema, z.ZodRecord).valueType as z.ZodType;
export const optionsOf = (schema: z.ZodType): { discriminator: string; options: z.ZodType[] } => {
  const union = as(schema, z.ZodDiscriminatedUnion);
  return { discriminator: union.def.discriminator, options: union.options as z.ZodType[] };
};
export const literalOf = (schema: z.ZodType): unknown => [...as(schema, z.ZodLiteral).values][0];
export const enumOf = (schema: z.ZodType): string[] => as(schema, z.ZodEnum).options.map(String);

/** The static default; undefined when there is none or it depends on other settings. */
export function defaultOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema.def.defaultValue;
  return isWrapper(schema) ? defaultOf(schema.unwrap() as z.ZodType) : undefined;
}

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The alternative of a union that a value chooses by its discriminator; undefined when it chooses none. */
export function optionFor(schema: z.ZodType, value: unknown): z.ZodType | undefined {
  const { discriminator, options } = optionsOf(schema);
  if (!isPlainObject(value)) return undefined;
  return options.find((option) => literalOf(shapeOf(option)[discriminator]) === value[discriminator]);
}

/** The schema of a child; undefined when there is none. @param value The parent's value, which chooses in a union */
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

/** The schemas from the root along a path, the root first. The list ends where the schema has no such child. */
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

/** The value at a path; undefined when there is none. */
export function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A valid value of a field: its documented example, or one made from its type. */
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

/** A path as the operator writes it: `hosts[2].address`; keys that are not plain words are quoted in brackets. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const word = String(key);
    if (/^[A-Za-z_][\w-]*$/.test(word)) return text ? `${text}.${word}` : word;
    return `${text}[${JSON.stringify(word)}]`;
  }, "");
}

/** The object without the keys whose value is undefined. */
export const defined = <T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
