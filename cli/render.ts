/**
 * `npm run render`: writes every object of a stack as a file, in an order in which they can be applied. Uses no cluster
 * and no engine.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { yamlText } from "../components/core/yaml";
import { renderHostScripts } from "../components/layers/hosts/command";
import { resolveSettings } from "../components/settings";
import type { Settings } from "../components/settings/types";
import { imageRef } from "../components/core/images";
import { IMAGES } from "../components/layers/registry";
import { parse, runMain, selectStack, STACK_OPTIONS, UsageError } from "./arguments";
import { evaluate, type Evaluation, type RegisteredResource } from "./evaluate";
import { isCommand, isKubernetes, layerOf } from "../components/layers/resources";
import { redacted } from "./redact";

const USAGE = `npm run render -- --stack NAME --out DIR [--set path=value ...] [--show-secrets]
  Writes DIR/<layer>/<kind>.<namespace>.<name>.yaml, DIR/hosts/<host>/NN-<step>.sh, DIR/images.txt and DIR/order.txt
  (the files in an order in which they can be applied). Secret values are written only with --show-secrets.`;

export interface RenderedFile {
  path: string;
  text: string;
}

const fileName = (r: RegisteredResource): string => {
  const { namespace, name } = r.inputs.metadata ?? {};
  return `${[r.inputs.kind, namespace, name].filter(Boolean).join(".")}.yaml`
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-");
};

/**
 * Files of a stack, objects in the order of their dependencies (the order of registration is one).
 */
export function renderFiles(evaluation: Evaluation, settings: Settings, showSecrets: boolean): RenderedFile[] {
  const files: RenderedFile[] = [];
  const order: string[] = [];
  const taken = new Set<string>();
  for (const r of evaluation.resources.filter(isKubernetes)) {
    const inputs = showSecrets ? structuredClone(r.inputs) : redacted(r);
    let file = `${layerOf(r)}/${fileName(r)}`;
    // A patch of a foreign object (a Node) may occur beside others of the same kind and name.
    for (let n = 2; taken.has(file); n++) file = `${layerOf(r)}/${fileName(r).replace(/\.yaml$/, `.${n}.yaml`)}`;
    taken.add(file);
    const { apiVersion, kind, metadata, ...rest } = inputs;
    files.push({ path: file, text: yamlText({ apiVersion, kind, metadata, ...rest }) });
    order.push(file);
  }
  files.push(...hostScripts(settings));
  files.push({ path: "images.txt", text: imagesOf(evaluation, settings).join("\n") + "\n" });
  files.push({ path: "order.txt", text: order.join("\n") + "\n" });
  return files;
}

/**
 * Host steps as scripts that can be read (and run) one by one: the remote commands without their wrapping.
 */
const hostScripts = (settings: Settings): RenderedFile[] =>
  Object.entries(renderHostScripts(settings)).flatMap(([host, steps]) =>
    steps.map((s) => ({ path: `hosts/${host}/${s.file}`, text: s.text })),
  );

/**
 * Every image that any pod of the stack runs: in pod templates, in custom resources, and those that operators are
 * configured to run.
 */
export function imagesOf(evaluation: Evaluation, settings: Settings): string[] {
  const found = new Set<string>();
  const told = Object.values(IMAGES).map((image) => imageRef(settings, image));
  const walk = (value: any): void => {
    if (Array.isArray(value)) {
      value.forEach(walk);
      return;
    }
    if (value === null || typeof value !== "object") return;
    for (const [k, v] of Object.entries(value)) {
      if ((k === "image" || k === "imageName") && typeof v === "string" && v) found.add(v);
      else walk(v);
    }
  };
  for (const r of evaluation.resources.filter((x) => isKubernetes(x) && x.inputs.kind !== "CustomResourceDefinition")) {
    walk(r.inputs);
    // An operator gets the images of its pods by argument, environment or configuration.
    const text = JSON.stringify(r.inputs);
    for (const ref of told) if (text.includes(ref)) found.add(ref);
  }
  return [...found].sort();
}

/** Replaces the directory's content, but only if this command wrote it. */
export function writeFiles(out: string, files: RenderedFile[]): void {
  const marker = path.join(out, "order.txt");
  if (fs.existsSync(out) && fs.readdirSync(out).length > 0 && !fs.existsSync(marker)) {
    throw new UsageError(
      `--out ${out}: not empty and not written by this command (no order.txt in it). Give an empty or new directory.`,
    );
  }
  fs.rmSync(out, { recursive: true, force: true });
  for (const f of files) {
    const target = path.join(out, f.path);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, f.text, { mode: f.path.endsWith(".sh") ? 0o755 : 0o644 });
  }
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, {
    ...STACK_OPTIONS,
    out: { type: "string", short: "o" },
    "show-secrets": { type: "boolean" },
  });
  if (!values.out) throw new UsageError("--out is missing: the directory to write to");
  const selection = selectStack(values);
  const evaluation = await evaluate(selection);
  const { settings } = resolveSettings(selection.config, selection.stack);
  const files = renderFiles(evaluation, settings!, Boolean(values["show-secrets"]));
  writeFiles(values.out, files);
  const objects = evaluation.resources.filter(isKubernetes);
  const layers = new Map<string, number>();
  for (const r of objects) layers.set(layerOf(r), (layers.get(layerOf(r)) ?? 0) + 1);
  console.log(
    `${objects.length} objects, ${evaluation.resources.filter(isCommand).length} host steps, ${files.length} files in ${values.out}`,
  );
  console.log([...layers].map(([l, n]) => `  ${l}: ${n}`).join("\n"));
  if (!values["show-secrets"])
    console.log(
      "Secret values are replaced by (secret); --show-secrets writes them (values of this evaluation, not of a deployed stack).",
    );
}

if (require.main === module) runMain(USAGE, main);
