/**
 * The source from which each image of the stack is built here, or the reason why it cannot be. Pure except `readLab`.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { IMAGES, type ImageKey } from "../../components/layers/registry";

/**
 * Images that cannot be built from Debian, PyPI or the Go module proxy, with the reason and the replacement in the lab.
 */
export const NOT_BUILT: Partial<Record<ImageKey, string>> = {
  nginxIngress: "F5's source is not at the Go module proxy; the lab runs Contour in its place",
  certManagerController:
    "cert-manager's commands are separate Go modules, which the proxy does not have; the lab's certificates come from the stack's own CA",
  certManagerWebhook: "as cert-manager-controller",
  certManagerCainjector: "as cert-manager-controller",
  certManagerAcmesolver: "as cert-manager-controller",
  lkJwt: "its source is not at the Go module proxy; the lab leaves it out (rtc.jwtService: false)",
  elementWeb: "its files are not on npm; the lab's nginx serves the generated configuration without them",
  admin: "as element-web",
  barmanPlugin:
    "it needs barman-cloud and machinery 0.6.0, which the Go module proxy does not have; the lab archives by CloudNativePG 1.30 itself",
  barmanSidecar: "as barman-plugin",
  grafana: "its web interface needs a separate build, which no recipe here has",
  busybox: "not needed in the lab, where the base image does its work for local volumes",
};

/** A line of list.txt. */
export interface Recipe {
  /** Its folder in recipes/. */
  recipe: string;
  /** @example "localhost/matrix-ha/synapse:1.163.2" */
  image: string;
  /** What the image is, for people. */
  what: string;
  /** Where its contents come from. @example "Debian testing" */
  from: string;
}

/** An image in the cache. */
export interface Built {
  /** As in Recipe. */
  image: string;
  /** Path of the OCI archive. */
  archive: string;
  /** Of the manifest. @example "sha256:..." */
  digest: string;
  /** Size of the archive. */
  bytes: number;
}

/** Name of an image's recipe. @example recipeName("metallbController") gives "metallb-controller" */
export const recipeName = (key: string): string => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** The lines of list.txt. */
export const readRecipes = (text: string): Recipe[] =>
  text
    .split("\n")
    .filter((l) => l.trim() && !l.startsWith("#"))
    .map((l) => {
      const [recipe, image, what, from] = l.split("|").map((x) => x.trim()) as [string, string, string, string];
      return { recipe, image, what, from };
    });

/** The lines of the cache's index.tsv. */
export const readIndex = (text: string): Array<Omit<Built, "bytes">> =>
  text
    .split("\n")
    .filter(Boolean)
    .map((l) => {
      const [image, archive, digest] = l.split("\t") as [string, string, string];
      return { image, archive, digest };
    });

/** An image of the stack or of the lab. */
export interface Entry {
  /** Its key in `images.overrides`; absent for images that only the lab uses. */
  key?: ImageKey;
  /** The image that the stack runs by default. */
  published?: string;
  recipe?: Recipe;
  /** Absent where it is not in the cache. */
  built?: Built;
  /** Why there is no recipe. */
  reason?: string;
}

/** All images of the stack, then those that only the lab uses. */
export function catalog(recipes: readonly Recipe[], built: readonly Built[]): Entry[] {
  const made = new Map(built.map((b) => [b.image, b]));
  const entries: Entry[] = (Object.keys(IMAGES) as ImageKey[]).map((key) => {
    const recipe = recipes.find((r) => r.recipe === recipeName(key));
    const { repository, tag } = IMAGES[key];
    return {
      key,
      published: `${repository}:${tag}`,
      recipe,
      built: recipe && made.get(recipe.image),
      reason: recipe ? undefined : (NOT_BUILT[key] ?? "there is no recipe for it"),
    };
  });
  const used = new Set(entries.map((e) => e.recipe?.recipe));
  return [
    ...entries,
    ...recipes.filter((r) => !used.has(r.recipe)).map((recipe) => ({ recipe, built: made.get(recipe.image) })),
  ];
}

/** Name of an image for people. */
export const nameOf = (e: Entry): string => e.recipe?.recipe ?? recipeName(e.key!);

/** Entries by the names of their recipes or their keys. @throws Error for one that is unknown or cannot be built */
export function chosen(entries: readonly Entry[], names: readonly string[]): Entry[] {
  return names.map((name) => {
    const e = entries.find((x) => x.key === name || nameOf(x) === name);
    if (!e) throw new Error(`no image is called "${name}"; there are ${entries.map(nameOf).join(", ")}`);
    if (!e.recipe) throw new Error(`${nameOf(e)} cannot be built here: ${e.reason}. The stack runs ${e.published}`);
    return e;
  });
}

/** Whether two tags are the same version. @example sameVersion("18.6", "18.6-standard-trixie") is true */
export const sameVersion = (a: string, b: string): boolean => {
  const plain = (t: string): string => t.replace(/^v/, "").split("-")[0]!;
  return plain(a) === plain(b);
};
const tagOf = (ref: string): string => ref.slice(ref.lastIndexOf(":") + 1);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** The list for people. */
export function listText(entries: readonly Entry[]): string {
  const rows = (of: Entry[]): string[][] =>
    of.map((e) => [
      nameOf(e),
      e.published ?? "(lab only)",
      e.recipe ? e.recipe.from : "cannot be built here",
      e.recipe
        ? `${tagOf(e.recipe.image)}${e.published && !sameVersion(tagOf(e.published), tagOf(e.recipe.image)) ? " (other)" : ""}`
        : "",
      e.recipe ? (e.built ? megabytes(e.built.bytes) : "not built") : "",
      e.built ? e.built.digest.slice(0, 19) : "",
      e.built ? path.basename(e.built.archive) : "",
    ]);
  const table = [
    ["image", "the stack runs", "built here from", "version", "size", "digest", "archive"],
    ...rows(entries.filter((e) => e.recipe)),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((r) => r[i]!.length)));
  const lines = table.map((r) =>
    r
      .map((c, i) => c.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((w) => "─".repeat(w)).join("  "));
  const never = entries.filter((e) => !e.recipe);
  const built = entries.filter((e) => e.built);
  return [
    ...lines,
    "",
    `${built.length} of ${entries.filter((e) => e.recipe).length} built, ${megabytes(built.reduce((n, e) => n + e.built!.bytes, 0))} of archives.${lines.some((l) => l.includes("(other)")) ? " (other): not the version of the table, but the one that Debian testing or the Go proxy has." : ""}`,
    "",
    "Cannot be built from Debian, PyPI and Go modules; the stack runs the published image:",
    ...never.map(
      (e) =>
        `  ${nameOf(e).padEnd(Math.max(...never.map((x) => nameOf(x).length)))}  ${e.published}\n  ${"".padEnd(Math.max(...never.map((x) => nameOf(x).length)))}  ${e.reason}`,
    ),
  ].join("\n");
}

/** Where an image goes in a registry: the prefix in place of localhost/matrix-ha. */
export const destination = (prefix: string, image: string): string =>
  `${prefix.replace(/\/+$/, "")}/${image.slice(image.lastIndexOf("/") + 1)}`;

/** Settings for a stack file that take the pushed images, each with its digest. */
export function snippet(prefix: string, entries: readonly Entry[]): string {
  const lines = entries
    .filter((e) => e.key && e.built)
    .map((e) => `      ${e.key}: ${destination(prefix, e.built!.image)}@${e.built!.digest}`);
  return ["  matrix-ha:images:", "    overrides:", ...lines].join("\n");
}

/** The recipes, and the images of them that are in the cache. */
export function readLab(list: string, cache: string): Entry[] {
  const index = path.join(cache, "images", "index.tsv");
  const built = (fs.existsSync(index) ? readIndex(fs.readFileSync(index, "utf8")) : [])
    .filter((b) => fs.existsSync(b.archive))
    .map((b) => ({ ...b, bytes: fs.statSync(b.archive).size }));
  return catalog(readRecipes(fs.readFileSync(list, "utf8")), built);
}
