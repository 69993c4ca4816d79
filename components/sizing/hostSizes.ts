/**
 * The catalogue of host sizes that machines are chosen from: the one here (hostSizes.json) has the shapes of the
 * machines that were run, each with where it was seen. Nobody published their prices, so it has none; an operator gives
 * a catalogue of his own, with the prices of his supplier. Pure.
 */
import { z } from "zod";
import { decimal, field, section, text } from "../schema/fields";
import { describeValue } from "../schema/describe";
import { Report } from "../schema/report";
import { nearest } from "../schema/syntax/text";
import { docOf, pathText, schemasAlong, shapeOf, typeOf, valueAt } from "../schema/walk";
import { SettingsInvalid } from "../core/errors";
import data from "./hostSizes.json";

const size = section(
  {
    name: text(
      {
        doc: "Name of the size, as the supplier calls it.",
        allowed: "letters, digits, '-', '_', '.' and blanks, at most 40",
      },
      (v) => /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/.test(v),
    ),
    cpu: decimal(1, 1024, { doc: "Cores (hardware threads), vCPU." }),
    memoryGiB: decimal(1, 16384, { doc: "Memory, GiB." }),
    diskGB: decimal(10, 10_000_000, {
      doc: "All its drives together, decimal GB. Left out: as many as are needed can be ordered with it.",
    }).optional(),
    pricePerMonth: decimal(0.01, 1_000_000, {
      doc: "Price a month, with its drives, in the catalogue's currency.",
    }).optional(),
    source: text({ doc: "Where the figures were seen, and when." }).optional(),
  },
  { doc: "A size.", allowed: "a size with name, cpu and memoryGiB" },
);

const catalogue = section(
  {
    currency: text({ doc: "Of all prices.", allowed: "a currency of three letters, such as EUR" }, (v) =>
      /^[A-Z]{3}$/.test(v),
    ).optional(),
    sizes: field(z.array(size).min(1).max(100), { doc: "The sizes.", allowed: "a list of 1 to 100 sizes" }),
  },
  { doc: "Sizes of hosts that can be had.", allowed: "a section with sizes, and currency where they have prices" },
);

/** A size of host that can be had. */
export type HostSize = z.output<typeof size>;
/** Sizes to choose from. */
export type HostSizes = z.output<typeof catalogue>;

type Path = PropertyKey[];

/**
 * A catalogue from the content of its file.
 * @throws SettingsInvalid with every error at once
 */
export function hostSizes(raw: unknown): HostSizes {
  const report = new Report();
  const result = catalogue.safeParse(raw ?? {});
  for (const issue of result.error?.issues ?? []) reportIssue(issue as z.core.$ZodIssue & { path: Path }, raw, report);
  const sizes = sizesIn(raw);
  checkNames(sizes, report);
  checkPrices(raw, sizes, report);
  if (!result.success || report.errors.length > 0) throw new SettingsInvalid(report.errors);
  return result.data;
}

/** The shapes of the machines that were run. */
export const RUN_SIZES: HostSizes = hostSizes(data);

function reportIssue(issue: z.core.$ZodIssue & { path: Path }, raw: unknown, report: Report): void {
  const schemas = schemasAlong(catalogue, raw, issue.path);
  const schema = schemas[schemas.length - 1];
  if (issue.code === "unrecognized_keys") {
    const known = typeOf(schema) === "object" ? Object.keys(shapeOf(schema)) : [];
    for (const key of issue.keys) {
      const meant = nearest(key, known);
      report.add({
        path: pathText([...issue.path, key]),
        given: "a field that does not exist",
        allowed: known.join(", "),
        remedy: meant ? `did you mean \`${meant}\`?` : "remove it",
      });
    }
    return;
  }
  const { allowed, remedy } = docOf(schema);
  const path = pathText(issue.path) || "the catalogue";
  const given = valueAt(raw, issue.path);
  report.add({
    path,
    given: describeValue(given, schema),
    allowed: allowed ?? "text",
    remedy: remedy ?? (given === undefined ? `add \`${path}\`` : `correct \`${path}\``),
  });
}

/** What looks like sizes, so that they are compared with each other though some are wrong. */
function sizesIn(raw: unknown): Array<Record<string, unknown>> {
  const sizes = (raw as { sizes?: unknown } | undefined)?.sizes;
  return Array.isArray(sizes) ? sizes.map((s) => (s !== null && typeof s === "object" ? s : {})) : [];
}

function checkNames(sizes: Array<Record<string, unknown>>, report: Report): void {
  sizes.forEach(({ name }, i) => {
    const first = sizes.findIndex((s) => s.name === name);
    if (name === undefined || first === i) return;
    report.add({
      path: `sizes[${i}].name`,
      given: `"${String(name)}", the same as sizes[${first}].name`,
      allowed: "a different name for each size",
      remedy: "rename one of them",
    });
  });
}

/** Prices can be compared only where every size has one, in one currency. */
function checkPrices(raw: unknown, sizes: Array<Record<string, unknown>>, report: Report): void {
  const currency = (raw as { currency?: unknown } | undefined)?.currency;
  const priced = sizes.filter((s) => s.pricePerMonth !== undefined).length;
  if (priced > 0 && currency === undefined)
    report.add({
      path: "currency",
      given: "nothing, while sizes have prices",
      allowed: "a currency of three letters, such as EUR",
      remedy: "add `currency`",
    });
  if (priced === 0) return;
  sizes.forEach((s, i) => {
    if (s.pricePerMonth !== undefined) return;
    report.add({
      path: `sizes[${i}].pricePerMonth`,
      given: `nothing, while ${priced} of ${sizes.length} sizes have a price`,
      allowed: "a price for every size, or for none",
      remedy: "add it, or remove the size",
    });
  });
}
