/** The engine's event log (`--event-log`): one JSON object a line. Pure. */

/** What happens to one resource. */
export interface Step {
  /** @example "create", "update", "replace" */
  op: string;
  urn: string;
  /** Type of the resource. */
  type: string;
  /** Paths of the inputs that differ. */
  diffs: string[];
}

/** Operations that change nothing. */
const QUIET = new Set(["same", "read", "read-discard", "refresh"]);
/** A replacement is reported together with its creation and deletion, and counts once. */
const HALVES = new Set(["create-replacement", "delete-replaced"]);

/** Paths of the inputs that differ, by the metadata of a step: the exact ones where the provider names them. */
export const diffsOf = (metadata: any): string[] =>
  Object.keys(metadata.detailedDiff ?? {}).length ? Object.keys(metadata.detailedDiff) : (metadata.diffs ?? []);

/** The event log of one run. @throws SyntaxError for a line that is not JSON */
export class PulumiEvents {
  readonly events: any[];
  constructor(text: string) {
    this.events = text
      .split("\n")
      .filter((l) => l.trim())
      .map((l) => JSON.parse(l));
  }

  /** The operations that were done (`up`) or would be (`preview`), each resource once. */
  steps(): Step[] {
    return this.planned()
      .filter((m) => !QUIET.has(m.op) && !HALVES.has(m.op))
      .map((m) => ({ op: m.op, urn: m.urn, type: m.type, diffs: diffsOf(m) }));
  }
  /**
   * Metadata of all operations that the engine started, including those without changes and the halves of replacements.
   */
  planned(): any[] {
    return this.events.flatMap((e) => (e.resourcePreEvent ? [e.resourcePreEvent.metadata] : []));
  }
  /** Number of resources by operation; empty where the run has not ended. */
  summary(): Record<string, number> {
    return this.events.flatMap((e) => (e.summaryEvent ? [e.summaryEvent.resourceChanges ?? {}] : [])).at(-1) ?? {};
  }
  /** Errors and warnings, as on the console. */
  diagnostics(severity: "error" | "warning"): string[] {
    return this.events.flatMap((e) => (e.diagnosticEvent?.severity === severity ? [e.diagnosticEvent.message] : []));
  }
  /** Number of changed resources, and a line for each. */
  changes(): { changes: number; detail: string[] } {
    const counts = Object.entries(this.summary()).filter(([op]) => !QUIET.has(op) && !HALVES.has(op));
    const steps = this.steps().map(
      (s) => `${s.op} ${s.urn.split("::").slice(-1)[0]}${s.diffs.length ? ` (${s.diffs.join(", ")})` : ""}`,
    );
    return { changes: counts.reduce((n, [, count]) => n + count, 0), detail: steps };
  }
}
