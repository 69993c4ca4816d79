/** Plain tables for terminals: text left, numbers right, columns as narrow as possible. */
export type Cell = string | number;

const text = (cell: Cell): string => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell);
const isNumeric = (cell: Cell): boolean => typeof cell === "number" || /^[\d.,]+( |$)/.test(cell);

export function table(head: string[], rows: Cell[][]): string {
  const all = [head, ...rows.map((r) => r.map(text))];
  const widths = head.map((_, c) => Math.max(...all.map((r) => r[c].length)));
  const right = head.map((_, c) => rows.length > 0 && rows.every((r) => isNumeric(r[c]) || r[c] === ""));
  const line = (cells: string[]): string =>
    "  " +
    cells
      .map((cell, c) => (right[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd();
  return [line(all[0]), "  " + widths.map((w) => "─".repeat(w)).join("  "), ...all.slice(1).map(line)].join("\n");
}

/** Breaks a paragraph into lines of at most `width`, each indented. */
export function wrap(paragraph: string, width: number, first: string, rest: string): string {
  const lines: string[] = [];
  let current = first;
  for (const word of paragraph.split(" ")) {
    const empty = current === first || current === rest;
    if (!empty && current.length + 1 + word.length > width) {
      lines.push(current);
      current = rest;
    }
    current += current === first || current === rest ? word : ` ${word}`;
  }
  return [...lines, current].join("\n");
}
