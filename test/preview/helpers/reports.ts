/** Results of previews, small enough to read. */
import type { Change } from "../../../cli/diff";
import type { EngineResult } from "../../../scripts/preview/results";
import type { StackReport } from "../../../scripts/preview/render";

export const BASE_COMMIT = "0123456789abcdef0123456789abcdef01234567";

export const engineResult = (stack: string, more: Partial<EngineResult> = {}): EngineResult => ({
  stack,
  ok: true,
  against: "nothing",
  seconds: 43.2,
  usage: { memoryMiB: 1234, cpuSeconds: 39 },
  operations: { create: 955 },
  errors: [],
  warnings: [],
  ...more,
});

export const change = (layer: string, action: Change["action"], title: string, more: Partial<Change> = {}): Change => ({
  layer,
  action,
  title,
  fields: [],
  ...more,
});

export const report = (stack: string, changes: Change[], engine: Partial<EngineResult> = {}): StackReport => ({
  stack,
  engine: engineResult(stack, engine),
  changes: { stack, base: BASE_COMMIT, changes },
});

/** A changed configuration: its ConfigMap under a new name, the pods that read it, and a Job that checks it. */
export const RETENTION: Change[] = [
  change("synapse", "replace", "ConfigMap matrix/synapse-shared-2", {
    fields: [{ path: "metadata.name", from: "synapse-shared-1", to: "synapse-shared-2" }],
  }),
  change("synapse", "replace", "Job matrix/synapse-check-2", {
    fields: [{ path: "metadata.name", from: "synapse-check-1", to: "synapse-check-2" }],
  }),
  ...["main", "media"].map((name) =>
    change("synapse", "update", `StatefulSet matrix/synapse-${name}`, {
      fields: [{ path: "spec.template.metadata.annotations.config-hash", from: "1", to: "2" }],
      restarts: "its configuration changed (ConfigMap synapse-shared-2)",
    }),
  ),
];
