import type { SettingsError } from "../settings/types";

/** Collects errors: only the first for each path, and none that follow from another error. */
export class Report {
  readonly errors: SettingsError[] = [];

  /** Adds an error, unless one was added for its path or for a path that it is derived from. */
  add(error: SettingsError, derivedFrom: string[] = []): void {
    if ([error.path, ...derivedFrom].some((path) => this.isWrong(path))) return;
    this.errors.push(error);
  }

  /** Adds an error even if its path has one already. */
  addAnother(error: SettingsError): void {
    this.errors.push(error);
  }

  /** Whether an error's path matches. */
  hasAt(path: RegExp): boolean {
    return this.errors.some((error) => path.test(error.path));
  }

  /** Whether there is an error for this path, for one inside it, or for one that contains it. */
  isWrong(path: string): boolean {
    return this.errors.some((error) => error.path === path || within(error.path, path) || within(path, error.path));
  }
}

const within = (inner: string, outer: string): boolean =>
  inner.startsWith(outer) && (inner[outer.length] === "." || inner[outer.length] === "[");
