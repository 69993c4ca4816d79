/** CHANGELOG.md as data: its releases, and what each asks of operators. Pure. */

export interface Release {
  /** `Unreleased`, or a version. @example "0.1.0" */
  version: string;
  /** @example "2026-11-30"; absent for what is not released */
  date?: string;
  /** The points under its heading "Operators must", each as one line; empty where it says "Nothing". */
  mustDo: string[];
  /** Whether it has that heading with points, or "Nothing". */
  saysWhat: boolean;
}

const RELEASE = /^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/;
const MUST = "### Operators must";
const NOTHING = /^nothing\.?$/i;

/** The points of a list; lines that continue one belong to it. */
function points(lines: readonly string[]): string[] {
  const found: string[] = [];
  for (const line of lines) {
    const first = /^- (.*)$/.exec(line);
    if (first) found.push(first[1]!);
    else if (/^ {2}\S/.test(line) && found.length) found[found.length - 1] += ` ${line.trim()}`;
  }
  return found;
}

/** The lines behind a heading, up to the next one of any level. */
function under(heading: string, lines: readonly string[]): string[] {
  const start = lines.indexOf(heading);
  if (start < 0) return [];
  const end = lines.findIndex((line, i) => i > start && line.startsWith("#"));
  return lines.slice(start + 1, end < 0 ? undefined : end);
}

/** The releases of a changelog, the newest first, as it has them. */
export function releasesOf(text: string): Release[] {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, i) => (RELEASE.test(line) ? [i] : []));
  return starts.map((start, i) => {
    const [, version, date] = RELEASE.exec(lines[start]!)!;
    const said = points(under(MUST, lines.slice(start + 1, starts[i + 1])));
    return {
      version: version!,
      ...(date ? { date } : {}),
      mustDo: said.filter((point) => !NOTHING.test(point)),
      saysWhat: said.length > 0,
    };
  });
}

/**
 * What an upgrade asks of the operator: the points that the newer changelog has and the older one does not, the oldest
 * release first, each with its release.
 */
export function duties(before: string, after: string): Array<{ version: string; text: string }> {
  const known = new Set(releasesOf(before).flatMap((r) => r.mustDo));
  return releasesOf(after)
    .reverse()
    .flatMap(({ version, mustDo }) => mustDo.filter((text) => !known.has(text)).map((text) => ({ version, text })));
}
