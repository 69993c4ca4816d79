/** Checks of options and modules that Synapse has beyond the settings of this stack. No error shows a value. Pure. */
import type { CheckInput } from "../../../core/layer";
import type { SettingsError } from "../../../core/errors";
import { imageRef } from "../../../core/images";
import { WORKER_CLASSES } from "../../../domain/workerClasses";
import { isPlaceholder } from "../../../schema/syntax/keys";
import { isPlainObject, pathText, valueAt } from "../../../schema/walk";
import { workerClasses } from "../../../sizing/synapsePools";
import { IMAGES } from "../images";
import { imageSuffix, packagesOf } from "./image";
import { optionProblems, typedValue, type OptionProblem } from "./options";
import { ownerOf, ownersBelow, type Owner } from "./owners";
import { isSecretName, leavesOf } from "./values";

const EXTRA = ["synapse", "extra"];

/** Reports what is wrong with `synapse.extra` and `synapse.modules`. */
export function checkExtra(given: CheckInput): void {
  for (const [name, value] of Object.entries(given.settings.synapse.extra ?? {})) checkOption(given, name, value);
  checkModules(given);
}

function checkOption({ report }: CheckInput, name: string, written: unknown): void {
  const value = typedValue(name, written);
  const problems = optionProblems([name], value);
  for (const problem of problems) report.add(problemError(problem, written));
  if (problems.some((p) => p.path.length === 1)) return;
  for (const leaf of leavesOf(value, [name])) {
    const owned = ownerOf(leaf.path) ?? ownersBelow(leaf.path).find(({ owner }) => !("usual" in owner));
    if (owned && !("usual" in owned.owner)) report.add(ownedError(leaf.path, owned.at, owned.owner));
  }
}

function problemError({ kind, path, allowed, meant }: OptionProblem, written: unknown): SettingsError {
  const at = pathText([...EXTRA, ...path]);
  if (kind === "type")
    return {
      path: at,
      given: kindOf(valueAt(written, path.slice(1))),
      allowed: `${allowed}, says Synapse's documentation of ${path[0]}`,
      remedy: `write it as docs/usage/configuration/config_documentation.md of Synapse shows under ${path[0]}`,
    };
  return {
    path: at,
    given: "an option that Synapse does not have; it would ignore it in silence",
    allowed,
    remedy: meant === undefined ? "remove it" : `did you mean \`${meant}\`?`,
  };
}

function ownedError(path: readonly string[], option: string, owner: Owner): SettingsError {
  const at = pathText([...EXTRA, ...path]);
  if ("setting" in owner)
    return {
      path: at,
      given: `an option that has a setting: ${owner.setting}`,
      allowed: "options that have none",
      remedy: `set \`${owner.setting}\` instead (docs/settings.md), and remove this`,
    };
  return {
    path: at,
    given: `an option that this stack decides: ${option}`,
    allowed: `nothing here: ${"why" in owner ? owner.why : ""}`,
    remedy: "remove it",
  };
}

/** A value in a word: it may be a secret. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isPlainObject(value)) return "a section";
  return typeof value === "string" ? "a text" : typeof value === "boolean" ? "true or false" : `a ${typeof value}`;
}

function checkModules({ settings, report }: CheckInput): void {
  const { modules } = settings.synapse;
  const present: readonly string[] = workerClasses(settings);
  modules.forEach(({ module, workers, packages }, i) => {
    workers?.forEach((cls, n) => {
      if (!present.includes(cls))
        report.add({
          path: `synapse.modules[${i}].workers[${n}]`,
          given: `"${cls}", a class that this deployment does not have`,
          allowed: WORKER_CLASSES.filter((c) => present.includes(c)).join(", "),
          remedy: "name classes of this deployment, or leave `workers` out: then all processes load the module",
        });
    });
    packages.forEach((line, n) => {
      const rival = packagesOf(settings).find((other) => other !== line && nameOf(other) === nameOf(line));
      if (rival !== undefined)
        report.add({
          path: `synapse.modules[${i}].packages[${n}]`,
          given: `${line.split(" ")[0]}, while another module has ${rival.split(" ")[0]}`,
          allowed: "one version of each package: all modules are in one image",
          remedy: "give the same line in both",
        });
    });
    const first = modules.findIndex((m) => m.module === module);
    if (first < i)
      report.add({
        path: `synapse.modules[${i}].module`,
        given: `"${module}", as synapse.modules[${first}] is`,
        allowed: "each module once",
        remedy: "join the two",
      });
  });
  checkImage({ settings, report });
}

/** The image must be the one that was made for these packages. */
function checkImage({ settings, report }: Pick<CheckInput, "settings" | "report">): void {
  const lines = packagesOf(settings);
  if (lines.length === 0) return;
  const hashed = lines.filter((line) => line.includes("--hash="));
  const at = settings.synapse.modules.findIndex((m) => m.packages.length > 0);
  if (hashed.length > 0 && hashed.length < lines.length)
    report.add({
      path: `synapse.modules[${at}].packages`,
      given: `hashes for ${hashed.length} of ${lines.length} packages`,
      allowed: "hashes for all packages of all modules, or for none: pip checks all or none",
      remedy: `add the hashes of ${lines.find((line) => !line.includes("--hash="))}`,
    });
  const image = settings.images.overrides[IMAGES.synapse.key];
  const suffix = imageSuffix(lines);
  if (image?.replace(/@.*$/, "").endsWith(suffix)) return;
  report.add({
    path: `images.overrides.${IMAGES.synapse.key}`,
    given: image === undefined ? `nothing: pods would run ${imageRef(settings, IMAGES.synapse)}` : image,
    allowed: `an image whose tag ends in ${suffix}, made from this list: ${lines.map((line) => line.split(" ")[0]).join(", ")} (synapse.modules)`,
    remedy:
      "npm run images -- synapse --stack STACK: it writes the image's recipe, and says how to build and push it and what to write here",
  });
}

const nameOf = (line: string): string =>
  line
    .split("==")[0]!
    .toLowerCase()
    .replace(/[-_.]+/g, "-");

/**
 * Paths of values in clear that are secrets by their names.
 *
 * @param config Settings by top-level key. An encrypted value is its placeholder.
 */
export function extraSecretsInClear(config: Record<string, unknown>): Array<Array<string | number>> {
  const { synapse } = config;
  if (!isPlainObject(synapse)) return [];
  const modules = Array.isArray(synapse.modules) ? (synapse.modules as unknown[]) : [];
  return [
    ...inClear(synapse.extra, EXTRA),
    ...modules.flatMap((m, i) => (isPlainObject(m) ? inClear(m.config, ["synapse", "modules", i, "config"]) : [])),
  ];
}

function inClear(value: unknown, path: Array<string | number>): Array<Array<string | number>> {
  if (Array.isArray(value)) return value.flatMap((entry, i) => inClear(entry, [...path, i]));
  if (isPlainObject(value)) return Object.entries(value).flatMap(([key, inner]) => inClear(inner, [...path, key]));
  const secret = typeof value === "string" && value !== "" && !isPlaceholder(value);
  return secret && isSecretName(String(path.at(-1))) ? [path] : [];
}
