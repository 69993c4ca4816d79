/** Pieces of GitHub's Markdown, safe whatever they hold. Pure. */

/** Text in a code span: with more backticks than the text contains, and no bar that would end a table cell. */
export function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const inside = text.replace(/\s+/g, " ").replace(/\|/g, "\\|");
  return longest ? `${fence} ${inside} ${fence}` : `${fence}${inside}${fence}`;
}

/** Lines in a fence longer than any that they contain. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

export const details = (summary: string, body: string): string =>
  `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;

/** A coloured box. CAUTION is the red one. */
export const alert = (kind: "CAUTION" | "WARNING" | "NOTE", lines: string[]): string =>
  [`> [!${kind}]`, ...lines.flatMap((l) => l.split("\n")).map((l) => `> ${l}`.trimEnd())].join("\n");

export const tableOf = (head: string[], rows: Array<Array<string | number>>): string =>
  [head, head.map((_, i) => (i ? "--:" : "---")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** `3 workloads restart`, `1 workload restarts`. */
export const counted = (n: number, one: string, many: string): string =>
  `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/** The first lines that fit, and the number of omitted ones. */
export function cut(text: string, limit: number, rest: (lines: number) => string): string {
  if (text.length <= limit) return text;
  const lines = text.split("\n"),
    kept: string[] = [];
  const room = limit - rest(lines.length).length - 1;
  for (let length = 0; kept.length < lines.length; kept.push(lines[kept.length]!)) {
    length += lines[kept.length]!.length + 1;
    if (length > room) break;
  }
  return [...kept, rest(lines.length - kept.length)].join("\n");
}
