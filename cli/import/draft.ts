/** The settings and secrets that are found, before they are written. Pure. */
import { pathText } from "../../components/schema/walk";
import type { Path } from "./finding";

type Tree = Record<PropertyKey, unknown>;

function assign(root: Tree, path: Path, value: unknown): void {
  let parent = root;
  path.slice(0, -1).forEach((key, i) => {
    if (parent[key] === null || typeof parent[key] !== "object")
      parent[key] = typeof path[i + 1] === "number" ? [] : {};
    parent = parent[key] as Tree;
  });
  parent[path.at(-1)!] = value;
}

/** Removes a value, and the sections that are empty without it. */
function remove(root: Tree, path: Path): void {
  const [key, ...rest] = path;
  if (key === undefined || root[key] === undefined) return;
  if (rest.length === 0) delete root[key];
  else {
    const child = root[key] as Tree;
    remove(child, rest);
    if (!Array.isArray(child) && Object.keys(child).length === 0) delete root[key];
  }
}

export interface Secret {
  path: Path;
  value: string;
}

export class Draft {
  readonly settings: Record<string, unknown> = {};
  private readonly byPath = new Map<string, Secret>();

  set(path: Path, value: unknown): void {
    assign(this.settings, path, value);
  }
  setSecret(path: Path, value: string): void {
    this.byPath.set(pathText(path), { path, value });
  }
  get(path: Path): unknown {
    return path.reduce<unknown>((at, key) => (at as Tree | undefined)?.[key], this.settings);
  }
  secret(path: string): string | undefined {
    return this.byPath.get(path)?.value;
  }
  remove(path: Path): void {
    // A setting goes with the secrets in it: one that is left would bring a part of it back.
    for (const [key, secret] of this.byPath)
      if (path.every((part, i) => secret.path[i] === part)) this.byPath.delete(key);
    remove(this.settings, path);
  }
  get secrets(): Secret[] {
    return [...this.byPath.values()];
  }
  /** The settings with the secrets in their places, as the stack sees them. */
  whole(): Record<string, unknown> {
    const copy = structuredClone(this.settings);
    for (const { path, value } of this.secrets) assign(copy, path, value);
    return copy;
  }
}
