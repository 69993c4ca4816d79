import type { SettingsError } from "../settings/types";

/** Collects errors; of several about one place only the first, and none that follows from another. */
export class Report {
  readonly errors: SettingsError[] = [];

  /** Reports an error, unless its place or one that it was derived from is wrong already. */
  add(error: SettingsError, derivedFrom: string[] = []): void {
    if ([error.path, ...derivedFrom].some((path) => this.isWrong(path))) return;
    this.errors.push(error);
  }

  /** Reports one of several errors about the same place. */
  addAnother(error: SettingsError): void {
    this.errors.push(error);
  }

  hasAt(path: RegExp): boolean {
    return this.errors.some((error) => path.test(error.path));
  }

  /** Whether something at, below or around a place was reported. */
  isWrong(path: string): boolean {
    return this.errors.some((error) => error.path === path || within(error.path, path) || within(path, error.path));
  }
}

const within = (inner: string, outer: string): boolean =>
  inner.startsWith(outer) && (inner[outer.length] === "." || inner[outer.length] === "[");
