/**
 * What `npm run diff -- --against REVISION` says beyond the changed objects: images, the order of the restarts and what
 * each costs, what is to be done by hand, and whether there is a way back. Pure.
 */
import { wayBack } from "../components/layers/synapse/schemaVersions";
import { isKubernetes, kindOf, objectTitle } from "../components/layers/resources";
import type { Plan } from "../components/sizing/types";
import type { Change } from "./diff";
import type { Evaluation, RegisteredResource } from "./evaluate";
import { restartCost } from "./restarts";
import { wrap } from "./table";

/** An image that is another one afterwards. */
export interface ImageChange {
  /** Registry and path; with both where the registry changes too. */
  repository: string;
  from: string;
  to: string;
  /** The objects whose pods run it. */
  users: string[];
}

/** A workload whose pods restart. */
export interface Restart {
  title: string;
  why: string;
  /** What restarts in the same step does so at the same time; a later step waits for the earlier ones. */
  step: number;
  /** Seconds by the plan; absent where its table has none. */
  seconds?: number;
  /** What users notice. */
  effect: string;
  /** Where the seconds, or the effect, come from. */
  origin: string;
}

export interface Upgrade {
  images: ImageChange[];
  restarts: Restart[];
  byHand: string[];
  wayBack: string[];
}

export interface UpgradeInput {
  before: Evaluation;
  after: Evaluation;
  changes: readonly Change[];
  failures: Plan["failures"];
  /** What the changelog asks for. @default nothing */
  duties?: ReadonlyArray<{ version: string; text: string }>;
  /** `images.overrides` of the settings. @default none */
  overrides?: Readonly<Record<string, string>>;
  /** The stack's own tags, by the keys of `images.overrides`. @default none */
  tags?: Readonly<Record<string, string>>;
}

/** Registry and path, tag and digest of a reference. */
export function referenceParts(ref: string): { repository: string; tag: string; digest?: string } {
  const [name = "", digest] = ref.split("@");
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  return {
    repository: tagged ? name.slice(0, colon) : name,
    tag: tagged ? name.slice(colon + 1) : "",
    ...(digest ? { digest } : {}),
  };
}

/** `1.163.2`, or with the digest where the tag alone does not tell the two apart. */
function versions(from: string, to: string): [string, string] {
  const [a, b] = [referenceParts(from), referenceParts(to)];
  if (a.repository !== b.repository) return [from, to];
  const shown = ({ tag, digest }: { tag: string; digest?: string }): string =>
    a.tag === b.tag ? `${tag}@${digest?.slice(0, 19) ?? "(no digest)"}` : tag;
  return [shown(a), shown(b)];
}

const IMAGE_FIELD = /(^|\.)(image|imageName)$/;

/** The images that change, each with all of its users. */
export function imageChanges(changes: readonly Change[]): ImageChange[] {
  const found = new Map<string, ImageChange>();
  for (const { title, fields } of changes)
    for (const { path, from, to } of fields) {
      if (!IMAGE_FIELD.test(path) || from === undefined || to === undefined) continue;
      const [old, now] = versions(from, to);
      const { repository } = referenceParts(to);
      const entry = found.get(`${from} ${to}`) ?? { repository, from: old, to: now, users: [] };
      if (!entry.users.includes(title)) entry.users.push(title);
      found.set(`${from} ${to}`, entry);
    }
  return [...found.values()].sort((a, b) => a.repository.localeCompare(b.repository));
}

/**
 * Pods that an operator makes and restarts for its own new version, though the objects that they are made from stay
 * the same: with the reason.
 */
const OPERATORS: Array<{ operator: string; changed: RegExp; restarts: RegExp; why: string }> = [
  {
    operator: "Deployment cnpg-system/cnpg-controller-manager",
    changed: /\.env\.OPERATOR_IMAGE_NAME\.value$/,
    restarts: /^(Cluster|Pooler)$/,
    why: "CloudNativePG puts its own program into these pods, and replaces them when it is upgraded (its documentation, installation_upgrade)",
  },
  {
    operator: "Deployment cnpg-system/barman-cloud",
    changed: /\.env\.SIDECAR_IMAGE\.value$/,
    restarts: /^Cluster$/,
    why: "the plugin's new version puts another sidecar into these pods",
  },
  {
    operator: "Deployment monitoring/prometheus-operator",
    changed: /\.(args\.\d+|image)$/,
    restarts: /^(Prometheus|Alertmanager)$/,
    why: "the operator's new version may make these pods anew; its reloader runs in them",
  },
];

function restartedByOperators(changes: readonly Change[], after: Evaluation): Map<string, string> {
  const found = new Map<string, string>();
  for (const { operator, changed, restarts, why } of OPERATORS) {
    if (!changes.some((c) => c.title === operator && c.fields.some((f) => changed.test(f.path)))) continue;
    for (const r of after.resources) if (isKubernetes(r) && restarts.test(kindOf(r))) found.set(objectTitle(r), why);
  }
  return found;
}

/**
 * By title, the step in which each of these is restarted: the engine changes what another one waits for first, whether
 * directly or through objects between them.
 */
export function stepsOf(titles: ReadonlySet<string>, resources: readonly RegisteredResource[]): Map<string, number> {
  const byUrn = new Map(resources.map((r) => [r.urn, r]));
  const known = new Map<string, number>();
  /** Restarts on the longest way to here, this one included. */
  const depth = (urn: string): number => {
    const cached = known.get(urn);
    if (cached !== undefined) return cached;
    // Against a cycle, which a program cannot have.
    known.set(urn, 0);
    const r = byUrn.get(urn);
    const before = Math.max(0, ...(r?.dependencies ?? []).map(depth));
    const own = before + (r?.custom && titles.has(objectTitle(r)) ? 1 : 0);
    known.set(urn, own);
    return own;
  };
  return new Map(
    resources.filter((r) => r.custom && titles.has(objectTitle(r))).map((r) => [objectTitle(r), depth(r.urn)]),
  );
}

/** The pods that a workload has at least; undefined where the object does not say it. */
function replicasOf(r: RegisteredResource, resources: readonly RegisteredResource[]): number | undefined {
  if (typeof r.inputs?.spec?.replicas === "number") return r.inputs.spec.replicas;
  const scaler = resources.find(
    (s) =>
      kindOf(s) === "HorizontalPodAutoscaler" &&
      s.inputs.metadata?.namespace === r.inputs?.metadata?.namespace &&
      s.inputs.spec?.scaleTargetRef?.name === r.inputs?.metadata?.name,
  );
  return scaler?.inputs.spec.minReplicas;
}

/** The major versions of PostgreSQL, where they change. */
function majorChange(changes: readonly Change[]): { from: string; to: string } | undefined {
  for (const { title, fields } of changes) {
    const image = title.startsWith("Cluster ") && fields.find((f) => f.path === "spec.imageName");
    if (!image || image.from === undefined || image.to === undefined) continue;
    const [from, to] = [image.from, image.to].map((ref) => referenceParts(ref).tag.split(/[.-]/)[0]!);
    if (from !== to) return { from: from!, to: to! };
  }
  return undefined;
}

/** Layers through which no request of a user passes. */
const BESIDE: Record<string, string> = {
  cluster: "no request of a user passes through it; what it does waits",
  monitoring: "no request of a user passes through it; figures and alerts wait",
};

function cost(
  title: string,
  r: RegisteredResource | undefined,
  { changes, after, failures }: UpgradeInput,
): Pick<Restart, "seconds" | "effect" | "origin"> {
  if (title.startsWith("Cluster ") && majorChange(changes))
    return {
      effect: "every instance stops until pg_upgrade has ended, then the standbys are copied anew; nothing is served",
      origin: "CloudNativePG's documentation, postgres_upgrades; not measured",
    };
  const row = restartCost(title, failures);
  if (row) return { seconds: row.seconds, effect: row.effect, origin: row.source };
  const beside = BESIDE[r?.layer ?? ""];
  if (beside) return { effect: beside, origin: "design" };
  const replicas = r && replicasOf(r, after.resources);
  return replicas !== undefined && replicas > 1
    ? { effect: `one of its ${replicas} pods after the other: costs no request`, origin: "design" }
    : { effect: "away while its pod is replaced", origin: "the plan has no figure for it" };
}

function restartsOf(input: UpgradeInput): Restart[] {
  const { changes, after } = input;
  const why = new Map(restartedByOperators(changes, after));
  for (const c of changes) if (c.restarts !== undefined) why.set(c.title, c.restarts);
  const steps = stepsOf(new Set(why.keys()), after.resources);
  const byTitle = new Map(after.resources.filter((r) => r.custom).map((r) => [objectTitle(r), r]));
  return [...why]
    .map(([title, reason]) => ({
      title,
      why: reason,
      step: steps.get(title) ?? 1,
      ...cost(title, byTitle.get(title), input),
    }))
    .sort((a, b) => a.step - b.step || (b.seconds ?? -1) - (a.seconds ?? -1) || a.title.localeCompare(b.title));
}

const plainVersion = (tag: string): string => tag.replace(/^v/, "").split("-")[0]!;

function byHand({ changes, duties = [], overrides = {}, tags = {} }: UpgradeInput, images: ImageChange[]): string[] {
  const built = images.filter((i) => i.repository.startsWith("localhost/"));
  const names = [...new Set(built.map((i) => i.repository.slice(i.repository.lastIndexOf("/") + 1)))].join(" ");
  const major = majorChange(changes);
  return [
    ...duties.map(({ version, text }) => `${version}: ${text}`),
    ...(names
      ? [
          `before: build and push what no registry publishes: npm run images -- build ${names}, then npm run images -- push REGISTRY ${names}`,
        ]
      : []),
    ...Object.entries(overrides)
      .filter(
        ([key, ref]) => tags[key] !== undefined && plainVersion(referenceParts(ref).tag) !== plainVersion(tags[key]!),
      )
      .map(
        ([key, ref]) =>
          `images.overrides.${key} keeps ${referenceParts(ref).tag || ref}, and this version was tested with ${tags[key]}: change or remove it`,
      ),
    ...(major
      ? [
          `PostgreSQL ${major.from} -> ${major.to} is a major version: before it a base backup, and another backups.archiveName; after it a base backup again (docs/operate.md, "Upgrade")`,
        ]
      : []),
    ...changes
      .filter((c) => c.action === "replace" && /^(StatefulSet|DaemonSet|Deployment) /.test(c.title))
      .map((c) => `${c.title} is deleted and made again, all of its pods at once: choose a quiet hour`),
  ];
}

const RESTORE = "only a restore of the database to a moment before the upgrade leads back";
const BACK = { yes: "open", no: `closed: ${RESTORE}`, unknown: "not known" } as const;
const FORTH = { yes: "it starts on this database", no: "it refuses to start on this database", unknown: "not known" };

/** The main process changes the schema. */
const SYNAPSE = "StatefulSet matrix/synapse-main";

const olderThan = (a: string, b: string): boolean => a.localeCompare(b, "en", { numeric: true }) < 0;

/** Synapse's versions, where they change. */
function synapseChange(changes: readonly Change[]): { from: string; to: string } | undefined {
  const field = changes
    .filter((c) => c.title === SYNAPSE)
    .flatMap((c) => c.fields)
    .find((f) => IMAGE_FIELD.test(f.path) && f.from !== undefined && f.to !== undefined);
  if (!field) return undefined;
  const [from, to] = [field.from!, field.to!].map((ref) => referenceParts(ref).tag) as [string, string];
  return from === to ? undefined : { from, to };
}

function waysBack(changes: readonly Change[]): string[] {
  const synapse = synapseChange(changes);
  const major = majorChange(changes);
  const lines: string[] = [];
  if (synapse && olderThan(synapse.to, synapse.from)) {
    const { open, reason } = wayBack(synapse.to, synapse.from);
    lines.push(`this goes back: Synapse ${synapse.to} after ${synapse.from}: ${FORTH[open]} (${reason})`);
  } else if (synapse) {
    const { open, reason } = wayBack(synapse.from, synapse.to);
    lines.push(`Synapse ${synapse.to} back to ${synapse.from}: ${BACK[open]} (${reason})`);
  }
  if (major) lines.push(`PostgreSQL ${major.to} back to ${major.from}: closed once pg_upgrade has ended: ${RESTORE}`);
  return lines;
}

export function upgradeOf(input: UpgradeInput): Upgrade {
  const images = imageChanges(input.changes);
  return {
    images,
    restarts: restartsOf(input),
    byHand: byHand(input, images),
    wayBack: waysBack(input.changes),
  };
}

const WIDTH = 120;
const point = (text: string): string => wrap(text, WIDTH, "  - ", "    ");

const someOf = (users: readonly string[]): string =>
  users.length > 3 ? `${users.slice(0, 2).join(", ")} and ${users.length - 2} more` : users.join(", ");

function restartText({ title, why, step, seconds, effect, origin }: Restart): string {
  const lasts = seconds === undefined ? effect : seconds === 0 ? `0 s: ${effect}` : `about ${seconds} s: ${effect}`;
  return wrap(`${title}: ${lasts} (${origin}). Why: ${why}`, WIDTH, `  ${String(step).padStart(2)}. `, "      ");
}

const section = (title: string, lines: string[], nothing: string): string[] =>
  lines.length ? [title, ...lines, ""] : [nothing, ""];

/** The report as lines, for what `npm run diff` prints above the changed objects. */
export const formatUpgrade = ({ images, restarts, byHand: steps, wayBack: back }: Upgrade): string[] => [
  ...section(
    "Images:",
    images.map((i) =>
      wrap(
        i.from.includes("/")
          ? `${i.from} -> ${i.to}: ${someOf(i.users)}`
          : `${i.repository}: ${i.from} -> ${i.to}; ${someOf(i.users)}`,
        WIDTH,
        "  ",
        "      ",
      ),
    ),
    "No image changes.",
  ),
  ...section("By hand:", steps.map(point), "Nothing is to be done by hand."),
  ...(back.length ? ["The way back:", ...back.map(point), ""] : []),
  ...section(
    "Restarts: those of one number together, one pod at a time within each; the next number when they are ready. Seconds are the plan's, for each pod that leaves:",
    restarts.map(restartText),
    "No workload restarts.",
  ),
];
