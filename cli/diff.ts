/** `npm run diff`: what a changed setting would change, layer by layer, and which workloads it restarts. */
import { applySets, readStackConfig } from "../components/settings/stackFile";
import { parse, runMain, STACK_OPTIONS, UsageError } from "./arguments";
import { evaluate, type Evaluation, type RegisteredResource } from "./evaluate";
import { isKubernetes, LAYER_ORDER, layerOf, objectTitle } from "./layers";
import { HIDDEN, redacted } from "./redact";

const USAGE = `npm run diff -- --stack NAME --set path=value ... [--against NAME] [--json]
  Compares the stack as its file says with the same stack under --set (or with another stack file, --against):
  what is created, changed and deleted in each layer, which workloads restart, and why.`;

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
    const entries = Array.isArray(value) ? value.map((v, i) => [nameOf(v) ?? String(i), v] as const) : Object.entries(value);
    for (const [k, v] of entries) flatten(v, path ? `${path}.${k}` : k, into);
    return into;
  }
  into.set(path, String(value));
  return into;
}
/** List items are compared by name where they have one, so that an insertion is one change. */
const nameOf = (v: any): string | undefined => (v && typeof v === "object" && typeof v.name === "string" ? v.name : undefined);

function fieldsOf(before: any, after: any): Change["fields"] {
  const a = flatten(before), b = flatten(after);
  return [...new Set([...a.keys(), ...b.keys()])].sort().filter((k) => a.get(k) !== b.get(k)).map((path) => ({ path, from: a.get(path), to: b.get(path) }));
}

const POD_KINDS = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

function restartReason(kind: string, fields: Change["fields"], changedConfigs: string[]): string | undefined {
  if (!POD_KINDS.has(kind)) return undefined;
  const template = fields.filter((f) => f.path.startsWith("spec.template."));
  if (template.length === 0) return undefined;
  const reasons = new Set(template.map((f) => {
    if (f.path.includes("config-hash")) return changedConfigs.length ? `its configuration changed (${changedConfigs.join(", ")})` : "its configuration changed";
    if (/\.image$/.test(f.path)) return `new image ${f.to}`;
    if (/\.resources\./.test(f.path)) return "other resources";
    if (/\.labels\./.test(f.path)) return "other labels";
    return f.path.replace("spec.template.spec.", "");
  }));
  return [...reasons].join("; ");
}

/** Names of the ConfigMaps and Secrets that a pod template refers to. */
function referred(template: any, into = new Set<string>()): Set<string> {
  if (Array.isArray(template)) template.forEach((v) => referred(v, into));
  else if (template !== null && typeof template === "object") {
    for (const [k, v] of Object.entries<any>(template)) {
      if (k === "configMap" && v?.name) into.add(`ConfigMap ${v.name}`);
      else if (k === "secret" && (v?.secretName ?? v?.name)) into.add(`Secret ${v.secretName ?? v.name}`);
      else if (k === "secretKeyRef" && v?.name) into.add(`Secret ${v.name}`);
      referred(v, into);
    }
  }
  return into;
}

/** Fields that no provider can change in place. */
function isReplacement(kind: string, fields: Change["fields"]): boolean {
  return fields.some((f) => f.path === "metadata.name" || f.path === "metadata.namespace"
    || (kind === "StatefulSet" && /^spec\.(volumeClaimTemplates|serviceName|podManagementPolicy|selector)/.test(f.path))
    || (kind === "Job" && f.path.startsWith("spec.template.")) || /^spec\.selector\.matchLabels/.test(f.path) && POD_KINDS.has(kind));
}

export function compare(before: Evaluation, after: Evaluation): Change[] {
  const index = (e: Evaluation): Map<string, RegisteredResource> => new Map(e.resources.filter((r) => r.custom && !r.type.startsWith("pulumi:")).map((r) => [r.urn, r]));
  const a = index(before), b = index(after);
  const changedConfigs = new Set<string>();
  for (const [urn, r] of b) {
    const old = a.get(urn);
    if (["ConfigMap", "Secret"].includes(r.inputs?.kind) && old && JSON.stringify(old.inputs) !== JSON.stringify(r.inputs)) changedConfigs.add(`${r.inputs.kind} ${r.inputs.metadata.name}`);
  }
  const changes: Change[] = [];
  for (const urn of new Set([...a.keys(), ...b.keys()])) {
    const old = a.get(urn), now = b.get(urn);
    const layer = layerOf((now ?? old)!);
    if (!old && now) { changes.push({ layer, action: "create", title: objectTitle(now), fields: [] }); continue; }
    if (old && !now) { changes.push({ layer, action: "delete", title: objectTitle(old), fields: [] }); continue; }
    if (!old || !now || JSON.stringify(old.inputs) === JSON.stringify(now.inputs)) continue;
    const shown = fieldsOf(redacted(old), redacted(now));
    const kind = isKubernetes(now) ? now.inputs.kind : "";
    const mine = isKubernetes(now) ? [...referred(now.inputs.spec?.template)].filter((c) => changedConfigs.has(c)) : [];
    changes.push({
      layer, action: isReplacement(kind, shown) ? "replace" : "update", title: objectTitle(now),
      fields: shown.length ? shown : [{ path: "(a secret value)", from: HIDDEN, to: HIDDEN }], restarts: restartReason(kind, shown, mine),
    });
  }
  return changes.sort((x, y) => LAYER_ORDER.indexOf(x.layer) - LAYER_ORDER.indexOf(y.layer) || x.title.localeCompare(y.title));
}

const clip = (s: string | undefined): string => (s === undefined ? "-" : s.includes("\n") ? `(${s.split("\n").length} lines)` : s.length > 60 ? `${s.slice(0, 57)}...` : s);

/** A changed text is shown by its lines, as a reviewer wants them. */
function lineDiff(from: string, to: string): string[] {
  const a = from.split("\n"), b = to.split("\n");
  const inA = new Set(a), inB = new Set(b);
  const lines = [...a.filter((l) => !inB.has(l)).map((l) => `- ${l.trim()}`), ...b.filter((l) => !inA.has(l)).map((l) => `+ ${l.trim()}`)];
  return lines.length > 16 ? [...lines.slice(0, 16), `... ${lines.length - 16} more lines`] : lines;
}

export function formatChanges(changes: Change[]): string {
  if (changes.length === 0) return "Nothing would change.";
  const out: string[] = [];
  const mark = { create: "+", update: "~", replace: "±", delete: "-" };
  for (const layer of new Set(changes.map((c) => c.layer))) {
    out.push(`${layer}`);
    for (const c of changes.filter((x) => x.layer === layer)) {
      out.push(`  ${mark[c.action]} ${c.title}${c.action === "replace" ? " (replaced)" : ""}`);
      for (const f of c.fields.slice(0, 12)) {
        if (f.from?.includes("\n") && f.to?.includes("\n")) out.push(`      ${f.path}:`, ...lineDiff(f.from, f.to).map((l) => `        ${l}`));
        else out.push(`      ${f.path}: ${clip(f.from)} -> ${clip(f.to)}`);
      }
      if (c.fields.length > 12) out.push(`      ... ${c.fields.length - 12} more fields`);
    }
  }
  const restarting = changes.filter((c) => c.restarts);
  out.push("", restarting.length ? "Restarts (one pod at a time within each workload):" : "No workload restarts.");
  for (const c of restarting) out.push(`  ${c.title}: ${c.restarts}`);
  const count = (a: Change["action"]): number => changes.filter((c) => c.action === a).length;
  out.push("", `${count("create")} to create, ${count("update")} to change, ${count("replace")} to replace, ${count("delete")} to delete.`);
  return out.join("\n");
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, against: { type: "string" }, json: { type: "boolean" } });
  if (!values.stack) throw new UsageError("--stack is missing");
  if (!values.set && !values.against) throw new UsageError("give --set path=value or --against STACK: there is nothing to compare with");
  const base = readStackConfig(values.stack, values.cwd);
  const target = applySets(values.against ? readStackConfig(values.against, values.cwd) : base, values.set ?? []);
  // Under the same stack name on both sides: the comparison is about settings, not about names.
  const changes = compare(await evaluate({ stack: values.stack, config: base }), await evaluate({ stack: values.stack, config: target }));
  console.log(values.json ? JSON.stringify(changes, null, 2) : formatChanges(changes));
}

if (require.main === module) runMain(USAGE, main);
