/**
 * Converts values from configuration systems to the types of the schema: "5000" becomes a number where one is needed.
 */
import type { z } from "zod";
import { elementOf, isPlainObject, optionFor, optionsOf, recordValueOf, shapeOf, typeOf } from "./walk";

/** The value in the types of the schema. What cannot be converted stays as it is, for the schema to refuse. */
export function normalize(schema: z.ZodType, value: unknown): unknown {
  switch (typeOf(schema)) {
    case "number":
      return isNumeral(value) ? Number(value) : value;
    case "boolean":
      return typeof value === "string" && Object.hasOwn(BOOLEANS, value) ? BOOLEANS[value] : value;
    case "array": {
      const items = parsed(value, "[");
      return Array.isArray(items) ? items.map((item) => normalize(elementOf(schema), item)) : items;
    }
    case "record": {
      const entries = parsed(value, "{");
      return isPlainObject(entries)
        ? mapObject(entries, (item) => normalize(recordValueOf(schema), asText(item)))
        : entries;
    }
    case "object": {
      const object = parsed(value, "{");
      const shape = shapeOf(schema);
      return isPlainObject(object)
        ? mapObject(object, (item, key) => (Object.hasOwn(shape, key) ? normalize(shape[key], item) : item))
        : object;
    }
    case "union": {
      const whole = parsed(value, "{");
      const object = typeof whole === "string" ? { [optionsOf(schema).discriminator]: whole } : whole;
      const option = optionFor(schema, object);
      return option ? normalize(option, object) : object;
    }
    default:
      return value;
  }
}

const BOOLEANS: Record<string, boolean> = { true: true, false: false };
const isNumeral = (value: unknown): value is string => typeof value === "string" && /^\s*-?\d+(\.\d+)?\s*$/.test(value);
/** A record's scalars are texts, whatever types YAML gave them. */
const asText = (item: unknown): unknown =>
  typeof item === "number" || typeof item === "boolean" ? String(item) : item;

/** Pulumi passes structured values as JSON. */
function parsed(value: unknown, opening: "{" | "["): unknown {
  if (typeof value !== "string" || !value.trim().startsWith(opening)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A key without a value (`rtc:` alone in YAML) counts as not written. */
function mapObject(
  object: Record<string, unknown>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([, v]) => v !== null && v !== undefined)
      .map(([k, v]) => [k, change(v, k)]),
  );
}
