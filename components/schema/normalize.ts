/** Values as configuration systems deliver them, brought to their types: "5000" is a number where one is wanted. */
import type { z } from "zod";
import { elementOf, isPlainObject, optionFor, optionsOf, recordValueOf, shapeOf, typeOf } from "./walk";

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
/** A record's scalars are texts, whatever YAML took them for. */
const asText = (item: unknown): unknown =>
  typeof item === "number" || typeof item === "boolean" ? String(item) : item;

/** Pulumi hands structured values over as JSON. */
function parsed(value: unknown, opening: "{" | "["): unknown {
  if (typeof value !== "string" || !value.trim().startsWith(opening)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A key without value (`rtc:` alone in YAML) counts as not written. */
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
