/** `npm run diff`: what a changed setting would change, layer by layer, and which workloads it restarts. */
import * as fs from "node:fs";
import * as path from "node:path";
import { diffArrays } from "diff";
import { plan } from "../components/plan";
import { formatErrors } from "../components/core/errors";
import type { PlanInput } from "../components/core/layer";
import { VERSION } from "../components/core/version";
import { IMAGES } from "../components/layers/registry";
import { losses } from "../components/holds";
import { resolveSettings } from "../components/settings";
import type { SettingsError } from "../components/settings/types";
import type { Plan } from "../components/sizing/types";
import { parse, runMain, STACK_OPTIONS, UsageError } from "./arguments";
import { duties } from "./changelog";
import { fileAt, named } from "./revision";
import { sides, type Sides } from "./sides";
import type { Evaluation, RegisteredResource } from "./evaluate";
import { isKubernetes, kindOf, LAYER_ORDER, layerOf, objectTitle } from "../components/layers/resources";
import { fieldsOf, type Field } from "./fields";
import { HIDDEN, redacted } from "./redact";
import { isOperated, operatedReason, restartCost } from "./restarts";
import { replaces } from "./replacements";
import { wrap } from "./table";
import { formatUpgrade, upgradeOf, type Upgrade } from "./upgrade";

const USAGE = `npm run diff -- --stack NAME --set path=value ... [--against NAME | --against REVISION] [--json]
  Compares the stack of the file with the same stack under --set: shows what \`pulumi up\` would refuse, which workloads
  restart, why, and for how long by the plan, and what is created, changed and deleted in each layer.
  --against NAME      with another stack file instead
  --against REVISION  before an upgrade: the code of this git revision (a tag, a branch, a commit) with the settings of
                      the file, compared with the code of this checkout with the same settings, and --set. Says too which
                      images change, what is to be done by hand, whether there is a way back, and the restarts in order
  --json              the changes as JSON; against a revision an object: from, to, images, byHand, wayBack, restarts, changes
  Exit codes: 0 compared; 1 compared, and \`pulumi up\` would refuse it; 2 not compared (wrong use, settings that one side
  refuses, no such revision); 130 interrupted`;

export interface Change {
  layer: string;
  action: "create" | "update" | "replace" | "delete";
  title: string;
  /** Paths that differ, with old and new values (secrets hidden). */
  fields: Field[];
  /** Why the pods restart; absent when they do not. */
  restarts?: string;
  /** What that costs by the plan, where it says so. */
  cost?: { seconds: number; effect: string };
}

const POD_KINDS = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

function restartReason(kind: string, fields: Field[], changedConfigs: string[]): string | undefined {
  if (isOperated(kind)) return operatedReason(kind, fields);
  if (!POD_KINDS.has(kind)) return undefined;
  const template = fields.filter((f) => f.path.startsWith("spec.template."));
  if (template.length === 0) return undefined;
  const reasons = new Set(
    template.map((f) => {
      if (f.path.includes("config-hash"))
        return changedConfigs.length
          ? `its configuration changed (${changedConfigs.join(", ")})`
          : "its configuration changed";
      if (/\.(configMap\.name|secret\.secretName)$/.test(f.path))
        return changedConfigs.length
          ? `its configuration changed (${changedConfigs.join(", ")})`
          : "its configuration changed";
      if (/\.image$/.test(f.path)) return `new image ${f.to}`;
      if (/\.resources\./.test(f.path)) return "other resources";
      if (/\.labels\./.test(f.path)) return "other labels";
      return f.path.replace("spec.template.spec.", "").replace(/\.\d+\..*$/, "");
    }),
  );
  // The name of what changed, without the hash of its content.
  return [...reasons].join("; ").replace(/-[0-9a-f]{10}(?=[,)])/g, "");
}

const titled = (kind: string, name: unknown): string | undefined => (name ? `${kind} ${name}` : undefined);
/** By the field of a pod template that refers to a ConfigMap or Secret: which one. */
const REFERENCES = new Map<string, (v: any) => string | undefined>([
  ["configMap", (v) => titled("ConfigMap", v?.name)],
  ["secret", (v) => titled("Secret", v?.secretName ?? v?.name)],
  ["secretKeyRef", (v) => titled("Secret", v?.name)],
]);

/** Names of the ConfigMaps and Secrets that a pod template refers to. */
function referred(template: any, into = new Set<string>()): Set<string> {
  if (Array.isArray(template)) template.forEach((v) => referred(v, into));
  else if (template !== null && typeof template === "object") {
    for (const [k, v] of Object.entries<any>(template)) {
      const reference = REFERENCES.get(k)?.(v);
      if (reference) into.add(reference);
      referred(v, into);
    }
  }
  return into;
}

type Resources = Map<string, RegisteredResource>;

const byUrn = (e: Evaluation): Resources =>
  new Map(e.resources.filter((r) => r.custom && !r.type.startsWith("pulumi:")).map((r) => [r.urn, r]));
const sameInputs = (a: RegisteredResource, b: RegisteredResource): boolean =>
  JSON.stringify(a.inputs) === JSON.stringify(b.inputs);

/** The resource without the inputs whose change the engine is told to ignore. */
function seenByEngine(r: RegisteredResource, ignored: readonly string[]): RegisteredResource {
  if (ignored.length === 0) return r;
  const inputs = structuredClone(r.inputs);
  for (const path of ignored) {
    const keys = path.split(".");
    const parent = keys.slice(0, -1).reduce((at, key) => at?.[key], inputs);
    if (parent) delete parent[keys.at(-1)!];
  }
  return { ...r, inputs };
}

/** ConfigMaps and Secrets whose content changes under the same name. */
function changedConfigsOf(before: Resources, after: Resources): Set<string> {
  const changed = new Set<string>();
  for (const [urn, r] of after) {
    const old = before.get(urn);
    if (["ConfigMap", "Secret"].includes(r.inputs?.kind) && old && !sameInputs(old, r))
      changed.add(`${r.inputs.kind} ${r.inputs.metadata.name}`);
  }
  return changed;
}

/** What happens to a resource that exists on both sides; undefined: nothing. */
function changeOf(
  before: RegisteredResource,
  after: RegisteredResource,
  changedConfigs: ReadonlySet<string>,
): Change | undefined {
  const [old, now] = [before, after].map((r) => seenByEngine(r, after.ignored ?? [])) as [
    RegisteredResource,
    RegisteredResource,
  ];
  if (sameInputs(old, now) && old.protect === now.protect) return undefined;
  const shown = fieldsOf({ ...redacted(old), protect: old.protect }, { ...redacted(now), protect: now.protect });
  const kind = kindOf(now);
  const mine = isKubernetes(now) ? [...referred(now.inputs.spec?.template)].filter((c) => changedConfigs.has(c)) : [];
  const fields = shown.length ? shown : [{ path: "(a secret value)", from: HIDDEN, to: HIDDEN }];
  const action = fields.some((f) => replaces(kind, f.path)) ? "replace" : "update";
  return { layer: layerOf(now), action, title: objectTitle(now), fields, restarts: restartReason(kind, shown, mine) };
}

const cameOrWent = (action: "create" | "delete", r: RegisteredResource): Change => ({
  layer: layerOf(r),
  action,
  title: objectTitle(r),
  fields: [],
});

/** @param failures The plan's table, from which the cost of restarts is taken. @default none is named */
export function compare(before: Evaluation, after: Evaluation, failures: Plan["failures"] = []): Change[] {
  const a = byUrn(before),
    b = byUrn(after);
  const changedConfigs = changedConfigsOf(a, b);
  const changes: Change[] = [];
  for (const urn of new Set([...a.keys(), ...b.keys()])) {
    const old = a.get(urn),
      now = b.get(urn);
    const change =
      old && now ? changeOf(old, now, changedConfigs) : now ? cameOrWent("create", now) : cameOrWent("delete", old!);
    const cost = change?.restarts === undefined ? undefined : restartCost(change.title, failures);
    if (change) changes.push({ ...change, ...(cost ? { cost } : {}) });
  }
  return changes.sort(
    (x, y) => LAYER_ORDER.indexOf(x.layer) - LAYER_ORDER.indexOf(y.layer) || x.title.localeCompare(y.title),
  );
}

const LINE = 100;

/** Old and new value, each starting shortly before the first difference. */
function clipped(from: string | undefined, to: string | undefined): string {
  let same = 0;
  if (from !== undefined && to !== undefined && Math.max(from.length, to.length) > 60)
    while (from[same] !== undefined && from[same] === to[same]) same++;
  const start = Math.max(0, same - 15);
  const clip = (s: string | undefined): string => {
    if (s === undefined) return "-";
    if (s.includes("\n")) return `(${s.split("\n").length} lines)`;
    const rest = start ? `...${s.slice(start)}` : s;
    return rest.length > 60 ? `${rest.slice(0, 57)}...` : rest;
  };
  return `${clip(from)} -> ${clip(to)}`;
}

/** What goes and what comes in one place of a list: lines of a text, or words of a line. */
interface Place {
  gone: string[];
  come: string[];
}

function places(from: string[], to: string[]): Place[] {
  const found: Place[] = [];
  let here: Place | undefined;
  for (const { added, removed, value } of diffArrays(from, to)) {
    if (!added && !removed) {
      here = undefined;
      continue;
    }
    if (!here) found.push((here = { gone: [], come: [] }));
    (removed ? here.gone : here.come).push(...value);
  }
  return found;
}

const signed = ({ gone, come }: Place): string[] => [
  ...gone.map((text) => `- ${text.trim()}`),
  ...come.map((text) => `+ ${text.trim()}`),
];

/** Of a long line (a list of addresses) only the words that come or go. */
function wordDiff(from: string, to: string): string {
  const words = places(from.split(/[\s,]+/), to.split(/[\s,]+/));
  return `in ${from.trim().slice(0, 30)}...: ${words.flatMap(signed).join(" ")}`;
}

/** A changed text is shown by its lines, as a reviewer wants them: place by place, in the order of the text. */
export function lineDiff(from: string, to: string): string[] {
  const lines = places(from.split("\n"), to.split("\n")).flatMap((place) => {
    const { gone, come } = place;
    const long = gone.length === come.length && [...gone, ...come].every((line) => line.length > LINE);
    return long ? gone.map((line, i) => wordDiff(line, come[i]!)) : signed(place);
  });
  return lines.length > 16 ? [...lines.slice(0, 16), `... ${lines.length - 16} more lines`] : lines;
}

/** Names and hashes that follow from changed content, which is shown itself. */
const FOLLOWS = /(config-hash|\.configMap\.name|\.secret\.(secretN|n)ame)$/;
function follows(c: Change, { path, from, to }: Field): boolean {
  if (FOLLOWS.test(path)) return c.restarts !== undefined || c.title.startsWith("Job ");
  const stem = (name: string | undefined): string | undefined => name?.replace(/-[0-9a-f]{10}$/, "");
  return c.action === "replace" && path === "metadata.name" && stem(from) === stem(to);
}

function body(c: Change): string[] {
  const fields = c.fields.filter((f) => !follows(c, f));
  const lines = fields
    .slice(0, 12)
    .flatMap((f) =>
      f.from?.includes("\n") && f.to?.includes("\n")
        ? [`      ${f.path}:`, ...lineDiff(f.from, f.to).map((l) => `        ${l}`)]
        : [`      ${f.path}: ${clipped(f.from, f.to)}`],
    );
  return fields.length > 12 ? [...lines, `      ... ${fields.length - 12} more fields`] : lines;
}

/** Identical changes are shown once: a firewall's list on twenty hosts. */
function grouped(changes: Change[]): Array<{ change: Change; titles: string[]; lines: string[] }> {
  const groups = new Map<string, { change: Change; titles: string[]; lines: string[] }>();
  for (const change of changes) {
    const lines = body(change);
    const key = JSON.stringify([change.action, change.title.split(" ")[0], lines]);
    const group = groups.get(key);
    if (group) group.titles.push(change.title);
    else groups.set(key, { change, titles: [change.title], lines });
  }
  return [...groups.values()];
}

/** What restarts, why, and for how long something is missing by the plan: the longest first. */
function restartLines(changes: Change[]): string[] {
  const restarting = changes.filter((c) => c.restarts !== undefined);
  if (restarting.length === 0) return ["No workload restarts."];
  const seconds = (c: Change): number => c.cost?.seconds ?? -1;
  const lines = [...restarting]
    .sort((a, b) => seconds(b) - seconds(a))
    .map((c) => {
      const cost = c.cost
        ? `${c.cost.seconds} s${c.cost.seconds > 0 ? ` (${c.cost.effect})` : ""}`
        : "no cost in the plan";
      return wrap(`${c.title}: ${cost}. Why: ${c.restarts}`, LINE + 20, "  ", "      ");
    });
  return [
    "Restarts, one pod at a time within each workload; the seconds are the plan's, for each pod that leaves:",
    ...lines,
  ];
}

const MARK = { create: "+", update: "~", replace: "±", delete: "-" } as const;

function layerLines(layer: string, changes: Change[]): string[] {
  const out = [layer];
  for (const { change: c, titles, lines } of grouped(changes)) {
    const name =
      titles.length === 1
        ? c.title
        : wrap(
            `${c.title.split(" ")[0]} (${titles.length}): ${titles.map((t) => t.replace(/^\S+ /, "")).join(", ")}`,
            LINE,
            "",
            "      ",
          );
    out.push(`  ${MARK[c.action]} ${name}${c.action === "replace" ? " (replaced)" : ""}`, ...lines);
  }
  return out;
}

const REFUSES = "`pulumi up` refuses this, because data of the deployed stack would be lost";

/**
 * The changes as text: counts and restarts first, then layer by layer.
 *
 * @param refused What `pulumi up` would refuse
 * @param summary What stands between the counts and the layers. @default the restarts, the costliest first
 */
export function formatChanges(
  changes: Change[],
  refused: readonly SettingsError[] = [],
  summary?: readonly string[],
): string {
  const refusal = refused.length ? [formatErrors(refused, REFUSES), ""] : [];
  // What is done by hand may be all of an upgrade.
  if (changes.length === 0)
    return [...refusal, "Nothing would change.", ...(summary ? ["", ...summary] : [])].join("\n").trimEnd();
  const count = (a: Change["action"]): number => changes.filter((c) => c.action === a).length;
  const layers = [...new Set(changes.map((c) => c.layer))];
  return [
    ...refusal,
    `${count("create")} to create, ${count("update")} to change, ${count("replace")} to replace, ${count("delete")} to delete.`,
    "",
    ...(summary ?? [...restartLines(changes), ""]),
    ...layers.flatMap((layer) =>
      layerLines(
        layer,
        changes.filter((c) => c.layer === layer),
      ),
    ),
  ].join("\n");
}

const here = (file: string): string => fs.readFileSync(path.join(__dirname, "..", file), "utf8");

/** The report about an upgrade from the code of a commit. */
function upgrade(s: Sides & { commit: string }, changes: Change[], input: PlanInput): Upgrade {
  const { before, after, commit } = s;
  return upgradeOf({
    before,
    after,
    changes,
    failures: input.plan.failures,
    duties: duties(fileAt(commit, "CHANGELOG.md"), here("CHANGELOG.md")),
    overrides: input.settings.images.overrides,
    tags: Object.fromEntries(Object.values(IMAGES).map(({ key, tag }) => [key, tag])),
  });
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, against: { type: "string" }, json: { type: "boolean" } });
  if (!values.stack) throw new UsageError("--stack is missing");
  if (!values.set && !values.against)
    throw new UsageError(
      "give --set path=value, --against STACK or --against REVISION: there is nothing to compare with",
    );
  const all = await sides({ ...values, stack: values.stack });
  const { before, after, config, note, commit } = all;
  // The evaluation has shown that they are valid.
  const { settings } = resolveSettings(config, values.stack);
  const input = { settings: settings!, plan: plan(settings!) };
  const changes = compare(before, after, input.plan.failures);
  const refused = losses(before.outputs, input);
  const report = commit === undefined ? undefined : upgrade({ ...all, commit }, changes, input);
  if (refused.length) process.exitCode = 1;
  if (values.json) {
    const versions = report && { from: named(values.against!, commit!), to: VERSION };
    console.log(JSON.stringify(report ? { ...versions, ...report, changes } : changes, null, 2));
    if (note) console.error(note);
    if (refused.length) console.error(formatErrors(refused, REFUSES));
    return;
  }
  console.log(`${note ? `${note}\n` : ""}${formatChanges(changes, refused, report && formatUpgrade(report))}`);
}

if (require.main === module) runMain(USAGE, main);
