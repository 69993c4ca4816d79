/** The two sides that `npm run diff` compares: a stack under other settings, or by the code of a revision. */
import { RunError } from "@pulumi/pulumi/errors";
import { stackNames } from "../components/settings/stackFile";
import { stackConfig, UsageError } from "./arguments";
import { evaluate, type Evaluation } from "./evaluate";
import { exampleConfig } from "./exampleStack";
import { commitOf, evaluateAt, named, notAClone } from "./revision";

/**
 * More users may need machines that are not in the file yet. Instead of refusing, the comparison uses hosts that are
 * large enough, and says so.
 */
async function evaluateTarget(
  stack: string,
  config: Record<string, unknown>,
): Promise<{ evaluation: Evaluation; config: Record<string, unknown>; note?: string }> {
  try {
    return { evaluation: await evaluate({ stack, config }), config };
  } catch (error) {
    if (!RunError.isInstance(error) || typeof config.ccu !== "number") throw error;
    const grown = withRecommendedHosts(config);
    const evaluation = await evaluate({ stack, config: grown.config }).catch(() => {
      throw error;
    });
    return {
      evaluation,
      config: grown.config,
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

export interface Sides {
  before: Evaluation;
  after: Evaluation;
  /** Settings of the later side. */
  config: Record<string, unknown>;
  note?: string;
  /** The earlier side's commit, where it is the code of one. */
  commit?: string;
}

export interface Asked {
  stack: string;
  set?: string[];
  against?: string;
  cwd?: string;
}

/** Under the same stack name on both sides: the comparison is about settings or code, not about names. */
export async function sides(values: Asked): Promise<Sides> {
  const { stack, against } = values;
  const base = stackConfig(stack, { cwd: values.cwd });
  const isStack = against === undefined || stackNames(values.cwd).includes(against);
  const commit = isStack ? undefined : commitNamed(against);
  const target = stackConfig((isStack && against) || stack, values);
  if (commit !== undefined) console.error(`Evaluating the code of ${named(against!, commit)} ...`);
  const before = commit === undefined ? await evaluate({ stack, config: base }) : await evaluateAt(commit, stack, base);
  const { evaluation, config, note } = await evaluateTarget(stack, target);
  return { before, after: evaluation, config, note, commit };
}

/** @throws UsageError With what to do, where there is no such revision */
function commitNamed(revision: string): string {
  const why = notAClone();
  const commit = why === undefined ? commitOf(revision) : undefined;
  if (commit === undefined)
    throw new UsageError(
      `--against ${revision}: there is no Pulumi.${revision}.yaml, and ${why ?? "no git revision of this name. Tags that are not here yet come with `git fetch --tags`; `git tag` lists them"}`,
    );
  return commit;
}
