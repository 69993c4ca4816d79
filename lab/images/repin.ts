/**
 * `npm run images -- repin`: other versions of the images that the stack runs, with their registry's digests.
 * Everything is looked up before anything is written: one error leaves all files as they are.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { IMAGES, type ImageKey } from "../../components/layers/registry";
import { recipeName } from "./catalog";
import { skopeo } from "./push";

/** What is asked for: an image, and its new tag or `patch` for the newest of its series. */
export interface Wanted {
  /** @example "haproxy", "metallb-controller", "metallbController" */
  name: string;
  /** @example "3.2.27", "patch" */
  tag: string;
}

/** An image with its new pin. */
export interface Pin {
  key: ImageKey;
  repository: string;
  from: string;
  tag: string;
  digest: string;
}

export interface RepinOptions {
  /** The repository whose files are changed. */
  root: string;
  /** Registry and path that is asked in place of each image's own. @default the image's own */
  mirror?: string;
  /** Speak http, or accept any certificate. */
  insecure: boolean;
}

/** Raised with all reasons at once; nothing was written. */
export class RepinRefused extends Error {
  constructor(readonly reasons: string[]) {
    super(`nothing was changed:\n${reasons.map((r) => `  ${r}`).join("\n")}`);
  }
}

/** Images that are one program: they have one version. */
const TOGETHER: ImageKey[][] = [
  ["barmanPlugin", "barmanSidecar"],
  ["metallbController", "metallbSpeaker"],
  ["certManagerController", "certManagerWebhook", "certManagerCainjector", "certManagerAcmesolver"],
  ["prometheusOperator", "prometheusConfigReloader"],
];

/** Images whose manifests are vendored, by the name in vendor/versions.json. */
const VENDORED: Partial<Record<ImageKey, string>> = {
  cloudnativePg: "cloudnative-pg",
  barmanPlugin: "plugin-barman-cloud",
  metallbController: "metallb",
  certManagerController: "cert-manager",
  metricsServer: "metrics-server",
  localPathProvisioner: "local-path-provisioner",
  prometheusOperator: "prometheus-operator",
};

const TAG = /^\w[\w.-]{0,127}$/;
const PARTS = /^(v?\d+(?:\.\d+)*)\.(\d+)((?:-.*)?)$/;

/** The newest tag that differs from this one in its last number only; itself where there is none. */
export function newestPatch(tag: string, tags: readonly string[]): string | undefined {
  const [, series, , suffix] = PARTS.exec(tag) ?? [];
  if (series === undefined) return undefined;
  const numbers = [tag, ...tags].flatMap((t) => {
    const m = PARTS.exec(t);
    return m && m[1] === series && m[3] === suffix ? [Number(m[2])] : [];
  });
  return `${series}.${Math.max(...numbers)}${suffix}`;
}

/** The text of an images.ts with one image's tag and digest changed; undefined where it has no such image. */
export function rewritten(text: string, { key, tag, digest }: Pick<Pin, "key" | "tag" | "digest">): string | undefined {
  const start = new RegExp(`^  ${key}: \\{`, "m").exec(text)?.index;
  if (start === undefined) return undefined;
  const end = text.indexOf("}", start);
  const block = text.slice(start, end).replace(/(\s*)digest: "[^"]*",/, "");
  const changed = block.replace(/(\s*)tag: "[^"]*",/, `$1tag: "${tag}",$1digest: "${digest}",`);
  return text.slice(0, start) + changed + text.slice(end);
}

const place = (repository: string, mirror: string | undefined): string =>
  mirror ? `${mirror.replace(/\/+$/, "")}/${repository.replace(/^[^/]*[.:][^/]*\//, "")}` : repository;

/** What the registry has for one image; or the reason why it cannot be pinned. */
function lookUp({ name, tag }: Wanted, options: RepinOptions): Pin | string {
  const key = (Object.keys(IMAGES) as ImageKey[]).find((k) => k === name || recipeName(k) === name);
  if (!key) return `${name}: no image is called this; there are ${Object.keys(IMAGES).map(recipeName).join(", ")}`;
  const { repository, tag: from } = IMAGES[key];
  if (repository.startsWith("localhost/"))
    return `${name}: no registry publishes it. Change its recipe and lab/images/list.txt (Synapse: lab/images/recipes/synapse/lock.sh), then its images.ts, then npm run images -- build ${recipeName(key)}`;
  if (tag !== "patch" && !TAG.test(tag)) return `${name}: "${tag}" is no tag`;
  const at = place(repository, options.mirror);
  const tls = `--tls-verify=${!options.insecure}`;
  let wanted: string | undefined = tag;
  if (tag === "patch") {
    const listed = skopeo(["list-tags", tls, `docker://${at}`]);
    if (!listed.ok) return `${name}: the tags of ${at} could not be read: ${listed.error}`;
    wanted = newestPatch(from, (JSON.parse(listed.stdout.toString()) as { Tags: string[] }).Tags);
    if (wanted === undefined) return `${name}: ${from} does not end in a number: give the tag instead of "patch"`;
  }
  const found = skopeo(["inspect", "--raw", tls, `docker://${at}:${wanted}`]);
  if (!found.ok) return `${name}: ${at}:${wanted} could not be read: ${found.error}`;
  const digest = `sha256:${crypto.createHash("sha256").update(found.stdout).digest("hex")}`;
  return { key, repository, from, tag: wanted, digest };
}

function leftBehind(pins: readonly Pin[]): string[] {
  return TOGETHER.flatMap((group) => {
    const tags = new Set(group.map((key) => pins.find((p) => p.key === key)?.tag ?? IMAGES[key].tag));
    return pins.some((p) => group.includes(p.key)) && tags.size > 1
      ? [`${group.map(recipeName).join(", ")} are one program: give all of them the same tag`]
      : [];
  });
}

/** @throws RepinRefused With every reason; nothing is written then */
export function repin(wanted: readonly Wanted[], options: RepinOptions): Pin[] {
  const results = wanted.map((w) => lookUp(w, options));
  const reasons = results.filter((r): r is string => typeof r === "string");
  const pins = results.filter((r): r is Pin => typeof r !== "string");
  reasons.push(...leftBehind(pins));
  const texts = new Map<string, string>();
  for (const pin of pins) {
    const layers = path.join(options.root, "components/layers");
    const file = fs
      .readdirSync(layers)
      .map((layer) => path.join(layer, "images.ts"))
      .find(
        (f) => fs.existsSync(path.join(layers, f)) && rewritten(fs.readFileSync(path.join(layers, f), "utf8"), pin),
      );
    if (!file) {
      reasons.push(`${pin.key}: it is in no components/layers/*/images.ts`);
      continue;
    }
    const at = path.join(layers, file);
    texts.set(at, rewritten(texts.get(at) ?? fs.readFileSync(at, "utf8"), pin)!);
  }
  if (reasons.length) throw new RepinRefused(reasons);
  for (const [file, text] of texts) fs.writeFileSync(file, text);
  return pins;
}

/** What changed, and what to run now. */
export function repinText(pins: readonly Pin[]): string {
  const vendored = [...new Set(pins.flatMap((p) => (p.from === p.tag ? [] : (VENDORED[p.key] ?? []))))];
  return [
    ...pins.map(({ repository, from, tag, digest }) => `${repository}: ${from} -> ${tag}@${digest}`),
    "",
    ...(vendored.length
      ? [
          `Manifests too: the version of ${vendored.join(", ")} in scripts/vendor.ts, then npm run vendor, and read its diff.`,
        ]
      : []),
    "`source` beside each pin says where the version was seen: read it, and correct it.",
    "Now: npm run format && npm run generate && npm run check && npm test",
    "     npm run test:real                       # the programs themselves, in the versions that the lab has",
    "     npm run diff -- --stack NAME --against HEAD   # what this changes in a stack",
    "     npm run local && npm run test:cluster -- --part quick",
  ].join("\n");
}
