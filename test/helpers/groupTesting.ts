/**
 * Group testing: one rendering of many changes at once, and from a dozen such renderings the answer for each change.
 * Each change has a word of its own: the renderings in which it is made. A piece of the output that is different from
 * the base in exactly those is that change's. Words have the same odd number of renderings, so no two of them together
 * make a third: a piece that any of two changes brings differs in more renderings, one that needs both in fewer, and
 * one that two of them cancel in an even number.
 */

/** A change to a configuration, alone or with others. */
export interface Change<C> {
  name: string;
  apply(config: C): C;
}

interface Group<C> {
  base: C;
  changes: readonly Change<C>[];
  /** Whether something can be made of a configuration. */
  accepted(config: C): boolean;
  /** The pieces of which the output consists, in any order. */
  pieces(config: C): Promise<Iterable<string>>;
}

const together = <C>(base: C, changes: readonly Change<C>[]): C =>
  changes.reduce((config, change) => change.apply(config), base);

/** As many of the changes as can be made together, the first ones first. */
function compatible<C>({ base, accepted }: Group<C>, changes: readonly Change<C>[]): Change<C>[] {
  const add = (kept: Change<C>[], more: readonly Change<C>[]): Change<C>[] => {
    if (more.length === 0 || accepted(together(base, [...kept, ...more]))) return [...kept, ...more];
    if (more.length === 1) return kept;
    const half = more.length >> 1;
    return add(add(kept, more.slice(0, half)), more.slice(half));
  };
  return add([], changes);
}

const without = <T>(all: readonly T[], some: readonly T[]): T[] => all.filter((one) => !some.includes(one));

/** How many of its bits are set. */
const weight = (word: number): number => word.toString(2).replaceAll("0", "").length;

/** At least `count` words, as the bits of numbers, and the number of bits. */
export function words(count: number): { bits: number; all: number[] } {
  for (let bits = 1; ; bits++) {
    // The odd number next to the half: there are the most words of that weight.
    const ones = (bits >> 1) | 1;
    const all = Array.from({ length: 2 ** bits }, (_, word) => word).filter((word) => weight(word) === ones);
    if (all.length >= count) return { bits, all };
  }
}

/**
 * The names of the changes that are seen in the output. What is not among them is not shown: its pieces may be others'
 * too, or it cannot be made together with the others. So those that are left are tried again without those that were
 * seen, as long as that finds more of them than it takes renderings.
 */
export async function seenInGroups<C>(group: Group<C>): Promise<Set<string>> {
  const seen = new Set<string>();
  for (;;) {
    const changes = group.changes.filter(({ name }) => !seen.has(name));
    const found = changes.length < 2 ? new Set<string>() : await round({ ...group, changes });
    for (const name of found) seen.add(name);
    if (found.size <= words(changes.length).bits) return seen;
  }
}

async function round<C>(group: Group<C>): Promise<Set<string>> {
  let changes = compatible(group, group.changes);
  for (;;) {
    const { bits, all } = words(changes.length);
    const members = Array.from({ length: bits }, (_, bit) => changes.filter((_, i) => all[i]! & (1 << bit)));
    // Some may need the company of others.
    const lonely = new Set(members.flatMap((mine) => without(mine, compatible(group, mine))));
    if (lonely.size > 0) {
      changes = changes.filter((change) => !lonely.has(change));
      continue;
    }
    const found = new Map<string, number>();
    for (const [bit, config] of [...members.map((mine) => together(group.base, mine)), group.base].entries())
      for (const piece of await group.pieces(config)) found.set(piece, (found.get(piece) ?? 0) | (1 << bit));
    const patterns = new Set(found.values());
    // The base is the last bit: a piece is there only with the change, or only without it.
    const everywhere = 2 ** (bits + 1) - 1;
    return new Set(
      changes.filter((_, i) => patterns.has(all[i]!) || patterns.has(everywhere ^ all[i]!)).map(({ name }) => name),
    );
  }
}

/** Every value within a value, with its path; a text by lines, each below the keys of those that are indented less. */
export function* piecesOf(value: unknown, path = ""): Generator<string> {
  if (typeof value === "string" && value.includes("\n")) yield* linesOf(value, path);
  else if (typeof value !== "object" || value === null) yield `${path}=${String(value)}`;
  else if (Object.keys(value).length === 0) yield `${path}=${JSON.stringify(value)}`;
  else if (Array.isArray(value)) for (const entry of value) yield* piecesOf(entry, `${path}[]`);
  else for (const [key, inner] of Object.entries(value)) yield* piecesOf(inner, `${path}.${key}`);
}

function* linesOf(text: string, path: string): Generator<string> {
  const above: Array<{ indent: number; key: string }> = [];
  for (const written of text.split("\n")) {
    // The first key of a list's entry is not above the others.
    const line = written.replace(/^( *)- (?=\S)/, "$1  ");
    const indent = line.search(/\S/);
    if (indent === -1) continue;
    while (above.length > 0 && above.at(-1)!.indent >= indent) above.pop();
    yield `${path}:${above.map(({ key }) => `${key} > `).join("")}${line.trim()}`;
    above.push({ indent, key: line.trim().split(":")[0]! });
  }
}
