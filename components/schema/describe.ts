/** Describes values in error messages. Secret values are never shown. */
import type { z } from "zod";
import { isTight } from "./fields";
import { docOf, isPlainObject, typeOf } from "./walk";

/** The value given for a field, as far as it may be shown. */
export function describeValue(value: unknown, schema: z.ZodType): string {
  if (value === undefined) return "nothing";
  if (docOf(schema).secret) return secretInWords(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (isPlainObject(value)) return Object.keys(value).length === 0 ? "an empty section" : "a section";
  // A text in place of a section or list may be anything, for instance a pasted key.
  if (typeof value === "string" && ["object", "array", "union", "record"].includes(typeOf(schema))) return "a text";
  return typeof value === "string" ? quote(value) : String(value);
}

function secretInWords(value: unknown): string {
  if (value === "") return "an empty secret";
  if (typeof value !== "string" || isTight(value)) return "a secret (not shown)";
  return `a secret (not shown) that ${/\s$/.test(value) ? "ends" : "begins"} in a ${/\n$/.test(value) ? "line break" : "blank"}`;
}

/** A text in quotes, shortened to 80 characters; a PEM block and the password in a URL are not shown. */
export function quote(text: string): string {
  if (/-----BEGIN|PRIVATE KEY/.test(text)) return "a PEM block (not shown)";
  const shown = text.replace(/(:\/\/[^/\s@:]*:)[^/\s@]+@/, "$1...@");
  const short = shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
  return JSON.stringify(short);
}
