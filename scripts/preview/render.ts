/** The results of all stacks as one comment: restarts and losses first, every field last. Pure. */
import { formatChanges, type Change } from "../../cli/diff";
import { isPatch } from "../../components/layers/resources";
import { alert, code, counted, cut, details, fenced, tableOf } from "./markdown";
import type { ChangesResult, EngineResult } from "./results";

/** GitHub does not show it; it identifies the comment of an earlier run. */
export const MARKER = "<!-- matrix-ha: preview -->";
/** GitHub refuses a comment longer than 65,536 characters; a step's summary may be 1 MiB. */
export const COMMENT_LIMIT = 65_536,
  SUMMARY_LIMIT = 1_000_000;

export interface StackReport {
  stack: string;
  engine?: EngineResult;
  changes?: ChangesResult;
}
export interface About {
  /** The previewed commit. */
  head?: string;
  /** Link to the whole text and the logs. */
  runUrl?: string;
  limit?: number;
}

/** Names in a list; the others are in the text below it. */
const LISTED = 40;
/** Limit for errors and warnings; a failing program may print a whole manifest. */
const DIAGNOSTICS = 4_000;

const changesOf = (r: StackReport): Change[] | undefined => r.engine?.changes ?? r.changes?.changes;
const of = (changes: Change[], action: Change["action"]): Change[] => changes.filter((c) => c.action === action);
const kindOf = (c: Change): string => c.title.split(" ")[0]!;

/** Made under another name because their content changed, the old one kept until the new one is used: no loss. */
const isRoutine = (c: Change): boolean =>
  ["ConfigMap", "Secret", "Job"].includes(kindOf(c)) && c.fields.some((f) => f.path === "metadata.name");

/** `Deployment matrix/a, matrix/b; Job matrix/c` */
function named(changes: Change[]): string {
  const shown = changes.slice(0, LISTED),
    kinds = [...new Set(shown.map(kindOf))];
  const lists = kinds.map(
    (kind) =>
      `${kind} ${shown
        .filter((c) => kindOf(c) === kind)
        .map((c) => code(c.title.slice(kind.length + 1)))
        .join(", ")}`,
  );
  return lists.join("; ") + (changes.length > shown.length ? `; and ${changes.length - shown.length} more` : "");
}

function byLayer(changes: Change[]): string {
  const rows = [...new Set(changes.map((c) => c.layer))].map((layer) => {
    const here = changes.filter((c) => c.layer === layer);
    return [
      layer,
      ...(["create", "update", "replace", "delete"] as const).map((a) => of(here, a).length || ""),
      here.filter((c) => c.restarts).length || "",
    ];
  });
  return tableOf(["layer", "create", "update", "replace", "delete", "restart"], rows);
}

function restarts(changes: Change[]): string {
  const restarting = changes.filter((c) => c.restarts);
  if (!restarting.length) return "**No workload restarts.**";
  const reasons = [...new Set(restarting.map((c) => c.restarts!))];
  return [
    `**${counted(restarting.length, "workload restarts", "workloads restart")}**, one pod at a time within each:`,
    "",
    ...reasons.slice(0, LISTED).map((why) => `- ${named(restarting.filter((c) => c.restarts === why))}: ${code(why)}`),
    ...(reasons.length > LISTED ? [`- and others, for ${reasons.length - LISTED} more reasons`] : []),
  ].join("\n");
}

function losses(changes: Change[]): string[] {
  const replaced = of(changes, "replace"),
    hard = replaced.filter((c) => !isRoutine(c)),
    routine = replaced.filter(isRoutine),
    gone = of(changes, "delete");
  const deleted = gone.filter((c) => !isPatch(kindOf(c))),
    withdrawn = gone.filter((c) => isPatch(kindOf(c)));
  const lines = [
    ...(hard.length
      ? [
          `**REPLACED: ${counted(hard.length, "resource is", "resources are")} deleted and created again**, together with their data: ${named(hard)}`,
        ]
      : []),
    ...(deleted.length ? [`**DELETED: ${counted(deleted.length, "resource", "resources")}**: ${named(deleted)}`] : []),
  ];
  return [
    ...(lines.length
      ? [
          alert(
            "CAUTION",
            lines.flatMap((l, i) => (i ? ["", l] : [l])),
          ),
        ]
      : []),
    ...(routine.length
      ? [
          `Replaced under a new name, as always when the content changes; the old one is deleted when it is no longer used: ${named(routine)}.`,
        ]
      : []),
    ...(withdrawn.length ? [`Removed from objects that stay: ${named(withdrawn)}.`] : []),
  ];
}

function diagnostics(title: string, messages: string[], kind: "CAUTION" | "WARNING", room: number): string[] {
  if (!messages.length) return [];
  const hint = messages.some((m) => m.includes("[encrypted by pulumi]"))
    ? [
        "",
        "`[encrypted by pulumi]` is a placeholder for an encrypted value that a preview cannot read. It is accepted where the settings expect a secret; elsewhere the value must be in plain text.",
      ]
    : [];
  return [
    alert(kind, [
      `**${title}**`,
      "",
      fenced(cut(messages.join("\n"), room, (n) => `... ${n} more lines in the log of the job`)),
      ...hint,
    ]),
  ];
}

const memory = (mib: number): string => (mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${mib} MiB`);

function engineCell(e: EngineResult | undefined): string {
  if (!e) return "**no result**";
  const total = Object.values(e.operations).reduce((sum, n) => sum + n, 0);
  const cost = `${e.seconds.toFixed(0)} s${e.usage ? `, ${memory(e.usage.memoryMiB)}` : ""}`;
  return `${e.ok ? "" : "**failed**, "}${counted(total, "resource", "resources")}${e.against === "state" ? " against the state" : ""}, ${cost}`;
}

function row(r: StackReport): Array<string | number> {
  const changes = changesOf(r),
    count = (a: Change["action"]): string | number => (changes ? of(changes, a).length : "?");
  const loud = (n: string | number): string => (n === 0 || n === "?" ? String(n) : `**${n}**`);
  return [
    code(r.stack),
    count("create"),
    count("update"),
    loud(count("replace")),
    loud(count("delete")),
    changes ? changes.filter((c) => c.restarts).length : "?",
    r.engine?.warnings.length ?? "?",
    loud(
      r.engine
        ? Math.max(r.engine.errors.length, r.engine.ok ? 0 : 1) + (r.changes?.failed && r.engine.ok ? 1 : 0)
        : "?",
    ),
    engineCell(r.engine),
  ];
}

/** The engine's messages, in `room` characters each. */
function engineTold(e: EngineResult | undefined, room: number): string[] {
  if (!e)
    return [
      alert("CAUTION", [
        "**There is no result of the engine.** The job of this stack ended before its preview; its log has the reason.",
      ]),
    ];
  return [
    ...diagnostics("Errors", e.errors, "CAUTION", room),
    ...diagnostics("Warnings", e.warnings, "WARNING", room),
    ...(e.note ? [alert("NOTE", [e.note])] : []),
  ];
}

/** Why there is no comparison; nothing if the engine has already reported the same. */
function comparisonTold({ engine, changes }: StackReport, room: number): string[] {
  if (!changes?.problem) return [];
  if (!changes.failed) return diagnostics("No comparison", [changes.problem], "WARNING", room);
  return engine?.errors.length ? [] : diagnostics("The program does not evaluate", [changes.problem], "CAUTION", room);
}

/** Everything except the fields, in `room` characters; errors come first, and always fit. */
function section(r: StackReport, room: number, whole: string): string {
  const changes = changesOf(r),
    quarter = Math.min(DIAGNOSTICS, Math.floor(room / 4));
  const parts = [
    ...engineTold(r.engine, quarter),
    ...comparisonTold(r, quarter),
    ...(changes?.length ? [...losses(changes), byLayer(changes), restarts(changes)] : []),
  ];
  return parts.length
    ? cut([`### ${r.stack}`, ...parts].join("\n\n"), room, (n) => `\n... ${n} more lines; ${whole}`)
    : "";
}

function fields(r: StackReport, room: number, whole: string): string {
  const text = formatChanges(changesOf(r) ?? []);
  return details(
    `${r.stack}: every change with its fields`,
    fenced(cut(text, Math.max(0, room), (n) => `... ${n} more lines; ${whole}`)),
  );
}

/** Reserved for the text around it. */
const AROUND = 200;

export function render(reports: StackReport[], about: About = {}): string {
  const limit = about.limit ?? COMMENT_LIMIT;
  const changing = reports.filter((r) => changesOf(r)?.length),
    base = reports.flatMap((r) => (r.changes && !r.engine?.changes ? [r.changes.base] : []))[0];
  const whole = about.runUrl ? `all of it: ${about.runUrl}` : "all of it is in the summary of the workflow's run";
  const compared = [
    ...(base ? [`with ${code(base.slice(0, 12))}, into which it would be merged`] : []),
    ...(reports.some((r) => r.engine?.changes) ? ["with what is deployed"] : []),
  ].join(" or ");
  const quiet = reports.every((r) => changesOf(r)?.length === 0 && r.engine?.ok);
  const top = [
    MARKER,
    "## Preview",
    `What merging ${about.head ? code(about.head.slice(0, 12)) : "this"} would change${compared ? `, compared ${compared}` : ""}.${quiet ? " **Nothing.**" : ""}`,
    tableOf(
      ["stack", "create", "update", "replace", "delete", "restart", "warnings", "errors", "engine"],
      reports.map(row),
    ),
  ];
  const foot = about.runUrl ? `\n\n[Logs and the whole text](${about.runUrl})` : "";
  const room = Math.floor((limit - top.join("\n\n").length - foot.length - AROUND) / Math.max(1, reports.length));
  const essential = [...top, ...reports.map((r) => section(r, room, whole)).filter(Boolean)].join("\n\n");
  const share = Math.floor((limit - essential.length - foot.length) / Math.max(1, changing.length));
  // Less than a few lines are of no use.
  const body =
    share > 4 * AROUND
      ? changing.map((r) => `\n\n${fields(r, share - AROUND, whole)}`).join("")
      : changing.length
        ? `\n\nThe fields do not fit here; ${whole}`
        : "";
  return essential + body + foot;
}
