import type { SettingsError } from "./types";

/** Collects errors; of several about one place only the first, and none that follows from another. */
export class Report {
  readonly errors: SettingsError[] = [];

  /** Reports an error, unless its place or one that it was derived from is wrong already. */
  add(error: SettingsError, derivedFrom: string[] = []): void {
    if ([error.path, ...derivedFrom].some((path) => this.isWrong(path))) return;
    this.errors.push(error);
  }

  /** Reports one of several errors at a place that has many parts, unless one of those parts is wrong already. */
  addAt(error: SettingsError): void {
    const told = this.errors.some((other) => within(other.path, error.path) || (other.path === error.path && (other.remedy === error.remedy || other.given === "nothing")));
    if (!told) this.errors.push(error);
  }

  /** Whether something at, below or around a place was reported. */
  isWrong(path: string): boolean {
    return this.errors.some((error) => error.path === path || within(error.path, path) || within(path, error.path));
  }
}

const within = (inner: string, outer: string): boolean =>
  inner.startsWith(outer) && (inner[outer.length] === "." || inner[outer.length] === "[");
