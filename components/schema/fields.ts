/** The kinds of fields in sections. Each carries its documentation and the texts of its errors. */
import { z } from "zod";
import { isPlaceholder } from "./syntax/keys";
import { parseAddress, parseAddresses, parseCidr } from "../core/addresses";
import { DNS_LABEL, isDnsName, isUrl } from "./syntax/text";
import { isPlainObject } from "./walk";

/** Documentation of a field: docs/settings.md and the error messages are made from it. */
export interface FieldDoc {
  /** What the setting means, with its unit; whole sentences. */
  doc: string;
  /** Completes "allowed: " in errors. @default derived from the type */
  allowed?: string;
  /** Completes "remedy: " in errors, as an instruction. @default derived from the type */
  remedy?: string;
  /** The value is never printed. @default false */
  secret?: boolean;
  /** The default in words, where it depends on other settings. @default the static default */
  defaultText?: string;
  /** A valid value, which replaces an invalid one while the rest is checked. @default derived from the type */
  example?: unknown;
}

/** Attaches documentation to a schema. Must come before `.optional()` and `.default()`. */
export const field = <S extends z.ZodType>(schema: S, doc: FieldDoc): S => schema.meta({ ...doc }) as S;

const format = (n: number): string => n.toLocaleString("en-US");

/** A whole number from `min` to `max`. */
export const int = (min: number, max: number, doc: FieldDoc) =>
  field(z.number().int().min(min).max(max), {
    example: min,
    allowed: `a whole number from ${min === max ? "" : `${format(min)} to `}${format(max)}`,
    ...doc,
  });

/** A number from `min` to `max`. */
export const decimal = (min: number, max: number, doc: FieldDoc) =>
  field(z.number().min(min).max(max), {
    example: Math.max(min, 1),
    allowed: `a number from ${format(min)} to ${format(max)}`,
    ...doc,
  });

/** true or false; the example is false. */
export const bool = (doc: FieldDoc) => field(z.boolean(), { example: false, allowed: "true or false", ...doc });

/** A TCP or UDP port. */
export const port = (doc: FieldDoc) => int(1, 65535, { allowed: "a port: a whole number from 1 to 65535", ...doc });

/**
 * A text.
 *
 * @param test Whether a value is valid. @default not blank
 * @param example Must pass the test. @default "example"
 */
export const text = (
  doc: FieldDoc,
  test: (value: string) => boolean = (value) => value.trim() !== "",
  example = "example",
) => field(z.string().refine(test), { example, allowed: "text that is not blank", ...doc });

/** One of some words; the first is the example. */
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T, doc: FieldDoc) =>
  field(z.enum(values as unknown as [T[number], ...T[number][]]), {
    example: values[0],
    allowed: `one of ${values.join(", ")}`,
    ...doc,
  });

/**
 * A secret text. The placeholder of a value that only the engine can decrypt passes every test. It neither begins nor
 * ends in a blank or a line break, which no one sees and the other side refuses, unless it is a file of several lines.
 */
export const secret = (doc: FieldDoc, test: (value: string) => boolean = (value) => value !== "") =>
  field(
    z.string().refine((value) => isPlaceholder(value) || (isTight(value) && test(value))),
    {
      example: "[encrypted by pulumi]",
      secret: true,
      allowed: "text that is not blank, without a blank or a line break at its beginning and end",
      ...doc,
    },
  );

/** Whether a secret has no blanks around it; a file of several lines may end in a line break. */
export const isTight = (value: string): boolean => /\S\s*\n\s*\S/.test(value) || !/^\s|\s$/.test(value);

/** A DNS name with at least two parts. */
export const hostname = (doc: FieldDoc) =>
  text(
    { allowed: "a DNS name in lower case, such as chat.example.com", ...doc },
    (value) => isDnsName(value, 2),
    "host.example.com",
  );

/** One part of a DNS name. */
export const dnsLabel = (doc: FieldDoc) =>
  text(
    { allowed: "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit", ...doc },
    (value) => DNS_LABEL.test(value),
  );

/** An IP address. */
export const address = (doc: FieldDoc) =>
  text(
    { allowed: "an IPv4 or IPv6 address, without port, prefix or zone", ...doc },
    (value) => parseAddress(value) !== undefined,
    "192.0.2.1",
  );

/** A network in CIDR notation. */
export const cidr = (doc: FieldDoc) =>
  text(
    {
      allowed: "a network such as 10.0.0.0/8 or fd00::/8, with no bits set after the prefix",
      remedy: "write the network's first address and the prefix; a single address is /32 (IPv4) or /128 (IPv6)",
      ...doc,
    },
    (value) => parseCidr(value) !== undefined,
    "192.0.2.0/24",
  );

/** A network or a range `first-last`. */
export const addressRange = (doc: FieldDoc) =>
  text(
    {
      allowed: "a network (203.0.113.0/28) or a range (203.0.113.10-203.0.113.20)",
      remedy:
        "give the first address before the last, both of one family; for a network, the first address and the prefix",
      ...doc,
    },
    (value) => parseAddresses(value) !== undefined,
    "192.0.2.0/24",
  );

/** Whether a server's certificate is of `trustedAuthorities`. Checks refuse it where there are none. */
export const privateAuthority = (server: string) =>
  bool({
    doc: `True: the certificate of ${server} is signed by one of \`trustedAuthorities\`, and no other is accepted. False: by a public authority.`,
    defaultText: "false",
  }).optional();

/** A URL with https. */
export const httpsUrl = (doc: FieldDoc) =>
  text(
    { allowed: "an https:// URL without user or password", ...doc },
    (value) => isUrl(value, ["https:"]),
    "https://example.com",
  );

/** A section with fixed fields; others are errors. With `.prefault({})` it may be left out: the defaults apply. */
export const section = <T extends z.ZodRawShape>(shape: T, doc: FieldDoc) => field(z.strictObject(shape), doc);

/** A section whose keys are another program's. What is in it stays as it was written. */
export const open = (doc: string, allowed: string, example: Record<string, unknown>) =>
  field(
    z.custom<Record<string, unknown>>((value) => isPlainObject(value)),
    { doc, allowed, remedy: "write a section: names, each with its value", example },
  );

/** A list of any length, of one kind of field. */
export const list = <S extends z.ZodType>(element: S, doc: FieldDoc) =>
  field(z.array(element), { allowed: "a list", ...doc });

/** Texts under names that the operator chooses, such as labels. */
export const texts = (doc: FieldDoc) =>
  field(z.record(z.string(), z.string()), { allowed: "names with text values", example: {}, ...doc });

/** Name of a Kubernetes object. */
export const objectName = (doc: string) =>
  text({ doc, allowed: "a Kubernetes object name: lower-case letters, digits, '-' and '.'" }, (v) => isDnsName(v));

/** The shape of a section with the same kind of field under each key. */
export const recordOf = <K extends string, S extends z.ZodType>(keys: readonly K[], of: (key: K) => S): Record<K, S> =>
  Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, S>;
