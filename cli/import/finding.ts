/** What becomes of an option of the old server. Pure. */

/** In the order in which the report shows them. */
export const LISTS = ["taken", "replaced", "dropped", "decision"] as const;
export type List = (typeof LISTS)[number];

/** An option that was found, in the one list that it is in. */
export interface Finding {
  /** Where it stands: `email.smtp_host`, `conf.d/a.yaml: report_stats`, `values: config.turnSecret`. */
  option: string;
  list: List;
  /** The setting that it became. */
  setting?: string;
  /** Why; never a value. */
  why?: string;
  /** The setting of a secret that the old files did not hold: a person puts its text into a file of this name. */
  awaits?: string;
}

/** Keys and indexes from the root of a document. */
export type Path = Array<string | number>;

/** A path as rules write it: indexes are `[]`. @example patternOf(["modules", 0, "module"]) is "modules[].module" */
export const patternOf = (path: Path): string =>
  path.reduce<string>((text, key) => (typeof key === "number" ? `${text}[]` : text ? `${text}.${key}` : key), "");

/** The path that a rule writes, with the indexes in their order. */
export function pathOf(pattern: string, indexes: readonly number[] = []): Path {
  const rest = [...indexes];
  return pattern.split(".").flatMap((part) => {
    const name = part.replace(/(\[\])+$/, "");
    const depth = (part.length - name.length) / 2;
    return [name, ...Array.from({ length: depth }, () => rest.shift() ?? 0)];
  });
}

export const indexesOf = (path: Path): number[] => path.filter((key) => typeof key === "number");
