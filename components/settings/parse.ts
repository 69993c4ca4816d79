/** Checks each field's type and syntax. Wrong values are reported and replaced, so that the rest can be checked too. */
import type { z } from "zod";
import type { Report } from "../schema/report";
import { settingsSchema, type SettingsInput } from "./schema";
import { describeValue } from "../schema/describe";
import { nearest } from "../schema/syntax/text";
import { normalize } from "../schema/normalize";
import {
  defaultOf,
  docOf,
  enumOf,
  exampleOf,
  isPlainObject,
  mayBeAbsent,
  optionFor,
  pathText,
  schemasAlong,
  shapeOf,
  typeOf,
  valueAt,
} from "../schema/walk";

type Path = PropertyKey[];

/** The settings, with every wrong part replaced by an example; undefined when that is not possible. */
export function parse(raw: unknown, report: Report): SettingsInput | undefined {
  let value = normalize(settingsSchema, structuredClone(raw ?? {}));
  for (let round = 0; round < 8; round++) {
    const result = settingsSchema.safeParse(value);
    if (result.success) return structuredClone(result.data); // zod returns its default values themselves, not copies
    const issues = result.error.issues.map((issue) => ({ ...issue, path: issue.path as Path }));
    for (const issue of issues) reportIssue(issue, value, report);
    // The deepest first: an example in place of a parent would hide errors in its children.
    for (const issue of issues.sort((a, b) => b.path.length - a.path.length)) value = repair(value, issue);
  }
  return undefined;
}

type Issue = z.core.$ZodIssue & { path: Path };

function reportIssue(issue: Issue, raw: unknown, report: Report): void {
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) reportUnknown([...issue.path, key], raw, report);
    return;
  }
  const schemas = schemasAlong(settingsSchema, raw, issue.path);
  const schema = schemas[schemas.length - 1];
  const doc = docOf(schema);
  const value = valueAt(raw, issue.path);
  const path = pathText(issue.path) || "settings";
  const discriminates = issue.code === "invalid_union";
  // Its path ends in what chooses the option; the whole section says which there are.
  const unionDoc = discriminates ? docOf(schemas[schemas.length - 2]) : undefined;
  const meant = discriminates ? undefined : correction(schema, value, String(issue.path.at(-1)));
  report.add({
    path,
    given: describeValue(value, schema),
    allowed: unionDoc?.allowed ?? doc.allowed ?? derivedAllowed(schema),
    remedy: meant === undefined ? (unionDoc?.remedy ?? remedyFor(schema, value, path)) : written(meant, doc.remedy),
  });
}

const written = (meant: string, remedy: string | undefined): string =>
  `write \`${meant}\`${remedy === undefined ? "" : `; ${remedy}`}`;

/** The remedy that the field names, else one that follows from its type. */
function remedyFor(schema: z.ZodType, value: unknown, path: string): string {
  const { remedy } = docOf(schema);
  return (value === undefined ? missingRemedy(remedy, path) : remedy) ?? derivedRemedy(schema, value, path);
}

/** Words of YAML 1.1, which were true and false there. */
const YES = /^(y|yes|on)$/i,
  NO = /^(n|no|off)$/i;

/** What a wrong value most likely means, as it would be valid; undefined where that is not known. */
function correction(schema: z.ZodType, value: unknown, key: string): string | undefined {
  if (docOf(schema).secret || value === undefined) return undefined;
  const fits = (v: unknown): boolean => schema.safeParse(v).success;
  if (typeOf(schema) === "boolean" && typeof value === "string") {
    const word = value.trim();
    if (/^(true|false)$/i.test(word)) return word.toLowerCase();
    return YES.test(word) ? "true" : NO.test(word) ? "false" : undefined;
  }
  // A number or a yes that YAML reads where a text is needed.
  if (typeof value === "number" || typeof value === "boolean")
    return fits(String(value)) ? `${key}: "${value}"` : undefined;
  if (typeof value !== "string") return undefined;
  const bare = value
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/[./]+$/, "");
  return [value.trim(), value.trim().toLowerCase(), bare, bare.toLowerCase()].find((v) => v !== value && fits(v));
}

const missingRemedy = (remedy: string | undefined, path: string): string =>
  `add \`${path}\`${remedy ? `: ${remedy}` : ""}`;

function reportUnknown(path: Path, raw: unknown, report: Report): void {
  const schemas = schemasAlong(settingsSchema, raw, path.slice(0, -1));
  const parent = schemas[schemas.length - 1];
  const known = knownKeys(parent, valueAt(raw, path.slice(0, -1)));
  const meant = nearest(String(path[path.length - 1]), known);
  report.add({
    path: pathText(path),
    given: "a setting that does not exist",
    allowed: known.length > 0 ? known.join(", ") : "nothing here",
    remedy:
      withoutPath(path, parent) ??
      (meant ? `did you mean \`${meant}\`?` : "remove it; docs/settings.md lists every setting"),
  });
}

/** A path in place of a key: what `pulumi config set` without --path makes. */
function withoutPath(path: Path, parent: z.ZodType): string | undefined {
  const key = String(path.at(-1));
  const head = /^([^.[]+)[.[]/.exec(key)?.[1];
  if (path.length !== 1 || head === undefined || !knownKeys(parent, undefined).includes(head)) return undefined;
  return `pulumi config rm 'matrix-ha:${key}', and set it with --path: pulumi config set --path 'matrix-ha:${key}' VALUE`;
}

function knownKeys(schema: z.ZodType, value: unknown): string[] {
  if (typeOf(schema) === "union") {
    const option = optionFor(schema, value);
    return option ? Object.keys(shapeOf(option)) : [];
  }
  return typeOf(schema) === "object" ? Object.keys(shapeOf(schema)) : [];
}

/** Fields say what is allowed; what is left are sections, and the texts below names that the operator chooses. */
const derivedAllowed = (schema: z.ZodType): string =>
  typeOf(schema) === "object" ? `a section with ${Object.keys(shapeOf(schema)).join(", ")}` : "text";

function derivedRemedy(schema: z.ZodType, value: unknown, path: string): string {
  if (docOf(schema).secret) return `pulumi config set --secret --path 'matrix-ha:${path}' < FILE`;
  if (typeOf(schema) === "enum" && typeof value === "string") {
    const meant = nearest(value, enumOf(schema));
    if (meant) return `did you mean \`${meant}\`?`;
  }
  if (typeOf(schema) === "array") return `write a list: ${path}: [...]`;
  const usual = docOf(schema).defaultText ?? shown(defaultOf(schema));
  if (usual !== undefined) return `leave \`${path}\` out for the default: ${usual}`;
  const example = shown(exampleOf(schema));
  if (mayBeAbsent(schema))
    return `leave \`${path}\` out${example === undefined ? "" : `, or write, for example, ${example}`}`;
  return example === undefined ? `correct \`${path}\`, or remove it` : `write, for example, \`${path}: ${example}\``;
}

/** A scalar as YAML writes it; undefined for sections and lists, which are too long for a line. */
const shown = (value: unknown): string | undefined =>
  value === undefined || value === "" || typeof value === "object" ? undefined : String(value);

/** The value with the wrong part of one issue removed or replaced. */
function repair(value: unknown, issue: Issue): unknown {
  if (issue.code === "unrecognized_keys") {
    const parent = valueAt(value, issue.path);
    if (isPlainObject(parent)) for (const key of issue.keys) delete parent[key];
    return value;
  }
  const path = issue.code === "invalid_union" ? issue.path.slice(0, -1) : issue.path;
  if (path.length === 0) return {};
  const schemas = schemasAlong(settingsSchema, value, path);
  const parent = valueAt(value, path.slice(0, -1)) as Record<PropertyKey, unknown> | null | undefined;
  const key = path[path.length - 1];
  if (parent === null || typeof parent !== "object" || schemas.length <= path.length) return value;
  const schema = schemas[path.length];
  if (issue.code === "invalid_key" || (mayBeAbsent(schema) && !Array.isArray(parent))) delete parent[key];
  else parent[key] = exampleOf(schema);
  return value;
}
