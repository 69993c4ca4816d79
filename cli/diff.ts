/** `npm run diff`: what a changed setting would change, layer by layer, and which workloads it restarts. */
import { RunError } from "@pulumi/pulumi/errors";
import { diffArrays } from "diff";
import { parse, runMain, STACK_OPTIONS, stackConfig, UsageError } from "./arguments";
import { evaluate, type Evaluation, type RegisteredResource } from "./evaluate";
import { exampleConfig } from "./exampleStack";
import { isKubernetes, kindOf, LAYER_ORDER, layerOf, objectTitle } from "../components/layers/resources";
import { HIDDEN, redacted } from "./redact";
import { replaces } from "./replacements";
import { wrap } from "./table";

const USAGE = `npm run diff -- --stack NAME --set path=value ... [--against NAME] [--json]
  Compares the stack of the file with the same stack under --set (or with another stack file, --against):
  shows what is created, changed and deleted in each layer, which workloads restart, and why.`;

export interface Change {
  layer: string;
  action: "create" | "update" | "replace" | "delete";
  title: string;
  /** Paths that differ, with old and new values (secrets hidden). */
  fields: Array<{ path: string; from?: string; to?: string }>;
  /** Why the pods restart; absent when they do not. */
  restarts?: string;
}

type Flat = Map<string, string>;

function flatten(value: any, path = "", into: Flat = new Map()): Flat {
  if (value !== null && typeof value === "object") {
    const entries = Array.isArray(value)
      ? value.map((v, i) => [nameOf(v) ?? String(i), v] as const)
      : Object.entries(value);
    for (const [k, v] of entries) flatten(v, path ? `${path}.${k}` : k, into);
    return into;
  }
  into.set(path, String(value));
  return into;
}
/** List items are compared by name where they have one, so that an insertion is one change. */
const nameOf = (v: any): string | undefined =>
  v && typeof v === "object" && typeof v.name === "string" ? v.name : undefined;

function fieldsOf(before: any, after: any): Change["fields"] {
  const a = flatten(before),
    b = flatten(after);
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .filter((k) => a.get(k) !== b.get(k))
    .map((path) => ({ path, from: a.get(path), to: b.get(path) }));
}

const POD_KINDS = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

function restartReason(kind: string, fields: Change["fields"], changedConfigs: string[]): string | undefined {
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
      return f.path.replace("spec.template.spec.", "");
    }),
  );
  return [...reasons].join("; ");
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
  old: RegisteredResource,
  now: RegisteredResource,
  changedConfigs: ReadonlySet<string>,
): Change | undefined {
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

export function compare(before: Evaluation, after: Evaluation): Change[] {
  const a = byUrn(before),
    b = byUrn(after);
  const changedConfigs = changedConfigsOf(a, b);
  const changes: Change[] = [];
  for (const urn of new Set([...a.keys(), ...b.keys()])) {
    const old = a.get(urn),
      now = b.get(urn);
    const change =
      old && now ? changeOf(old, now, changedConfigs) : now ? cameOrWent("create", now) : cameOrWent("delete", old!);
    if (change) changes.push(change);
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

function body(c: Change): string[] {
  const lines = c.fields
    .slice(0, 12)
    .flatMap((f) =>
      f.from?.includes("\n") && f.to?.includes("\n")
        ? [`      ${f.path}:`, ...lineDiff(f.from, f.to).map((l) => `        ${l}`)]
        : [`      ${f.path}: ${clipped(f.from, f.to)}`],
    );
  return c.fields.length > 12 ? [...lines, `      ... ${c.fields.length - 12} more fields`] : lines;
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

export function formatChanges(changes: Change[]): string {
  if (changes.length === 0) return "Nothing would change.";
  const out: string[] = [];
  const mark = { create: "+", update: "~", replace: "±", delete: "-" };
  for (const layer of new Set(changes.map((c) => c.layer))) {
    out.push(`${layer}`);
    for (const { change: c, titles, lines } of grouped(changes.filter((x) => x.layer === layer))) {
      const name =
        titles.length === 1
          ? c.title
          : wrap(
              `${c.title.split(" ")[0]} (${titles.length}): ${titles.map((t) => t.replace(/^\S+ /, "")).join(", ")}`,
              LINE,
              "",
              "      ",
            );
      out.push(`  ${mark[c.action]} ${name}${c.action === "replace" ? " (replaced)" : ""}`, ...lines);
    }
  }
  const restarting = changes.filter((c) => c.restarts);
  out.push("", restarting.length ? "Restarts (one pod at a time within each workload):" : "No workload restarts.");
  for (const c of restarting) out.push(`  ${c.title}: ${c.restarts}`);
  const count = (a: Change["action"]): number => changes.filter((c) => c.action === a).length;
  out.push(
    "",
    `${count("create")} to create, ${count("update")} to change, ${count("replace")} to replace, ${count("delete")} to delete.`,
  );
  return out.join("\n");
}

/**
 * More users may need machines that are not in the file yet. Instead of refusing, the comparison uses hosts that are
 * large enough, and says so.
 */
async function evaluateTarget(
  stack: string,
  config: Record<string, unknown>,
): Promise<{ evaluation: Evaluation; note?: string }> {
  try {
    return { evaluation: await evaluate({ stack, config }) };
  } catch (error) {
    if (!RunError.isInstance(error) || typeof config.ccu !== "number") throw error;
    const grown = withRecommendedHosts(config);
    const evaluation = await evaluate({ stack, config: grown.config }).catch(() => {
      throw error;
    });
    return {
      evaluation,
      note: `The hosts of this stack are too small for it. The comparison below uses larger ones (\`npm run plan -- --ccu ${config.ccu}\`):\n${grown.changes.map((c) => `  ${c}`).join("\n")}\n`,
    };
  }
}

/** The stack's hosts: those that exist are enlarged to the recommended size, missing ones are added. */
function withRecommendedHosts(config: Record<string, any>): { config: Record<string, unknown>; changes: string[] } {
  const given = new Map<string, any>((config.hosts ?? []).map((h: any) => [h.name, h]));
  const changes: string[] = [];
  const shape = (h: any): string =>
    `${h.cpu} CPU / ${h.memoryGiB} GiB${(h.disks ?? []).map((d: any) => ` + ${d.sizeGiB} GiB`).join("")}`;
  const hosts = (exampleConfig(config.ccu).hosts as any[]).map((wanted) => {
    const old = given.get(wanted.name);
    given.delete(wanted.name);
    if (!old) {
      changes.push(`+ ${wanted.name}: ${shape(wanted)}`);
      return wanted;
    }
    const disks = (wanted.disks ?? []).map((d: any, i: number) => ({
      ...d,
      ...old.disks?.[i],
      sizeGiB: Math.max(d.sizeGiB, old.disks?.[i]?.sizeGiB ?? 0),
    }));
    const host = {
      ...old,
      cpu: Math.max(wanted.cpu, old.cpu ?? config.hostDefaults?.cpu ?? 0),
      memoryGiB: Math.max(wanted.memoryGiB, old.memoryGiB ?? config.hostDefaults?.memoryGiB ?? 0),
      ...(disks.length ? { disks } : {}),
    };
    if (shape(host) !== shape({ ...config.hostDefaults, ...old }))
      changes.push(`~ ${wanted.name}: ${shape({ ...config.hostDefaults, ...old })} -> ${shape(host)}`);
    return host;
  });
  return { config: { ...config, hosts: [...hosts, ...given.values()] }, changes };
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, against: { type: "string" }, json: { type: "boolean" } });
  if (!values.stack) throw new UsageError("--stack is missing");
  if (!values.set && !values.against)
    throw new UsageError("give --set path=value or --against STACK: there is nothing to compare with");
  const base = stackConfig(values.stack, { cwd: values.cwd });
  const target = stackConfig(values.against ?? values.stack, values);
  // Under the same stack name on both sides: the comparison is about settings, not about names.
  const before = await evaluate({ stack: values.stack, config: base });
  const { evaluation, note } = await evaluateTarget(values.stack, target);
  const changes = compare(before, evaluation);
  console.log(values.json ? JSON.stringify(changes, null, 2) : `${note ? `${note}\n` : ""}${formatChanges(changes)}`);
  if (values.json && note) console.error(note);
}

if (require.main === module) runMain(USAGE, main);
