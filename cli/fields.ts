/** The fields that differ between two objects, with lists compared by what is in them and not by position. Pure. */
import { diffArrays } from "diff";

export interface Field {
  path: string;
  from?: string;
  to?: string;
}

const isObject = (v: unknown): v is Record<string, unknown> => v !== null && typeof v === "object" && !Array.isArray(v);

/** By which a list's items are told apart: a container's name, an alert's. */
const IDENTITIES = ["name", "alert", "record"] as const;

/** The items by their names; undefined where one has none or two have the same. */
function named(list: readonly unknown[]): Map<string, unknown> | undefined {
  const found = new Map<string, unknown>();
  for (const item of list) {
    const key = isObject(item) ? IDENTITIES.map((k) => item[k]).find((v) => typeof v === "string") : undefined;
    if (typeof key !== "string" || found.has(key)) return undefined;
    found.set(key, item);
  }
  return found;
}

/**
 * The fields that differ. An item that comes into a list or leaves it is one change: the items behind it, which only
 * move, are none.
 */
export function fieldsOf(before: unknown, after: unknown): Field[] {
  const found: Field[] = [];
  walk(before, after, "", found);
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

const below = (path: string, key: string): string => (path ? `${path}.${key}` : key);

type Kind = "list" | "object" | "value" | "nothing";
const kindOf = (v: unknown): Kind =>
  v === undefined ? "nothing" : Array.isArray(v) ? "list" : isObject(v) ? "object" : "value";

function walk(a: unknown, b: unknown, path: string, into: Field[]): void {
  const [x, y] = [kindOf(a), kindOf(b)];
  if (x !== y && x !== "nothing" && y !== "nothing") {
    // A list in place of a value, or the like: one goes, the other comes.
    walk(a, undefined, path, into);
    walk(undefined, b, path, into);
  } else if (x === "list" || y === "list") lists((a ?? []) as unknown[], (b ?? []) as unknown[], path, into);
  else if (x === "object" || y === "object") {
    const [from, to] = [a ?? {}, b ?? {}] as Array<Record<string, unknown>>;
    for (const key of new Set([...Object.keys(from!), ...Object.keys(to!)]))
      walk(from![key], to![key], below(path, key), into);
  } else values(a, b, path, into);
}

function values(a: unknown, b: unknown, path: string, into: Field[]): void {
  const [from, to] = [a, b].map((v) => (v === undefined ? undefined : String(v)));
  if (from !== to) into.push({ path, from, to });
}

function lists(a: readonly unknown[], b: readonly unknown[], path: string, into: Field[]): void {
  const [x, y] = [named(a), named(b)];
  if (x && y) {
    for (const key of new Set([...x.keys(), ...y.keys()])) walk(x.get(key), y.get(key), below(path, key), into);
    return;
  }
  const text = (list: readonly unknown[]): string[] => list.map((v) => JSON.stringify(v));
  let i = 0,
    j = 0;
  let gone: number[] = [],
    come: number[] = [];
  const place = (): void => {
    for (let n = 0; n < Math.max(gone.length, come.length); n++)
      walk(
        gone[n] === undefined ? undefined : a[gone[n]!],
        come[n] === undefined ? undefined : b[come[n]!],
        below(path, String(come[n] ?? gone[n])),
        into,
      );
    gone = [];
    come = [];
  };
  for (const { added, removed, value } of diffArrays(text(a), text(b))) {
    if (removed) gone.push(...value.map(() => i++));
    else if (added) come.push(...value.map(() => j++));
    else {
      place();
      i += value.length;
      j += value.length;
    }
  }
  place();
}
