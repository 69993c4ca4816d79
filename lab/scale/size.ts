/** One size: the plan's hosts, the stack on them, and what it survives. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { evaluate } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { SettingsInvalid } from "../../components/core/errors";
import { plan } from "../../components/plan";
import { isKubernetes } from "../../components/layers/resources";
import { resolveSettings } from "../../components/settings";
import type { Settings } from "../../components/settings/types";
import { ROOT } from "../common/folders";
import { applyAll } from "./apply";
import { ControlPlane } from "./controlPlane";
import { Engine, type Ran } from "./engine";
import { losses, settled, type Outcome } from "./losses";
import { nodeOf } from "./nodes";
import { Objects } from "./objects";
import { Player } from "./player";
import { blocking, misplaced, snapshot, together, unsettled } from "./snapshot";

/** Of tmpfs in the command's own namespaces: it ends with them. */
const RUN = "/run/scale";
/** Autoscalers are asked four times a minute, and the first answer sets their minimum. */
const FIRST_SECONDS = 300;
/** As many open ends of a failure are told. */
const MOST_OPEN = 20;

export interface SizeResult {
  ccu: number;
  /** How it was deployed. */
  by: "pulumi up" | "server-side apply";
  hosts: number;
  /** Objects of the API server that the stack has. */
  objects: number;
  pods: number;
  /** Seconds of each step; without the engine only of the plan. */
  seconds: Partial<Record<"plan" | "preview" | "up" | "second", number>>;
  /** What is wrong with the deployed stack; empty where nothing is. */
  faults: string[];
  losses: Outcome[];
}

/** The stack of a size, as an operator would write it. */
export const sizeConfig = (ccu: number, hostsFor = ccu): Record<string, unknown> => ({
  ...exampleConfig(ccu),
  hosts: exampleConfig(hostsFor).hosts,
  // There are no machines that could be reached.
  prepareHosts: false,
  deletionProtection: false,
  savedKeys: "disposable",
});

export function settingsOf(config: Record<string, unknown>): Settings {
  const { settings, errors } = resolveSettings(config, "scale");
  if (!settings) throw new SettingsInvalid(errors);
  return settings;
}

/** A control plane with the hosts of the settings, and the operators played. */
export interface World {
  objects: Objects;
  engine: Engine;
  player: Player;
  plane: ControlPlane;
}

/** Why the world itself does not work: processes that ended, an operator that could not be played. */
export const broken = ({ plane, player }: World): string[] => [
  ...plane.dead().map((name) => `${name} ended:\n${plane.tail(name)}`),
  ...[...player.problems].map(([play, why]) => `playing the operators: ${play}: ${why}`),
];

async function world(settings: Settings): Promise<World> {
  const plane = await ControlPlane.start({ run: RUN });
  const objects = new Objects(plane.api);
  for (const host of settings.hosts)
    await plane.api.request({ method: "POST", path: "/api/v1/nodes", body: nodeOf(settings, host) });
  const player = new Player(objects);
  player.start();
  return { plane, objects, player, engine: new Engine(path.join(RUN, "pulumi"), plane.kubeconfig) };
}

/** Does something in a world of its own; what fails there is told with the state of the cluster. */
export async function inWorld<T>(settings: Settings, act: (w: World) => Promise<T>): Promise<T> {
  const w = await world(settings);
  try {
    return await act(w);
  } catch (error) {
    const open = unsettled(await snapshot(w.objects)).slice(0, MOST_OPEN);
    throw new Error([(error as Error).message, ...open, ...broken(w)].join("\n"), { cause: error });
  } finally {
    await w.player.stop();
    w.plane.stop();
  }
}

/** What is not as it should be on a settled stack. */
export async function faultsOf(objects: Objects): Promise<string[]> {
  const now = await snapshot(objects);
  return [...misplaced(now), ...together(now), ...blocking(now)];
}

export interface SizeOptions {
  /** Server-side apply instead of the engine. */
  apply: boolean;
  losses: boolean;
}

export const counted = ({ seconds, summary }: Pick<Ran, "seconds" | "summary">): string =>
  `${Object.entries(summary)
    .map(([op, n]) => `${n} ${op}`)
    .join(", ")} in ${seconds.toFixed(0)} s`;

export const said = (faults: readonly string[]): string => (faults.length ? faults.join("; ") : "nothing amiss");

type Deploy = (
  w: World,
  config: Record<string, unknown>,
  result: SizeResult,
  say: (line: string) => void,
) => Promise<void>;

const applied: Deploy = async ({ objects }, config, result, say) => {
  const evaluation = await evaluate({ stack: "scale", config });
  result.objects = evaluation.resources.filter(isKubernetes).length;
  result.faults.push(...(await applyAll(objects, evaluation)));
  say(`${result.objects} objects applied: ${said(result.faults)}`);
};

const deployed: Deploy = async ({ engine }, config, result, say) => {
  await engine.create(config);
  const preview = await engine.preview();
  result.seconds.preview = preview.seconds;
  say(`preview: ${counted(preview)}`);
  const up = await engine.up();
  result.seconds.up = up.seconds;
  result.objects = up.summary.create ?? 0;
  say(`up: ${counted(up)}`);
};

export function runSize(ccu: number, options: SizeOptions, say: (line: string) => void): Promise<SizeResult> {
  const settings = settingsOf(sizeConfig(ccu));
  const result: SizeResult = {
    ccu,
    by: options.apply ? "server-side apply" : "pulumi up",
    hosts: settings.hosts.length,
    objects: 0,
    pods: 0,
    seconds: { plan: secondsOfPlan(ccu) },
    faults: [],
    losses: [],
  };
  return inWorld(settings, async (w) => {
    const config = sizeConfig(ccu);
    say(`${settings.hosts.length} hosts`);
    await (options.apply ? applied : deployed)(w, config, result, say);
    const { seconds, faults } = await settled(w.objects, undefined, FIRST_SECONDS);
    result.pods = (await snapshot(w.objects)).pods.length;
    result.faults.push(...faults, ...(await faultsOf(w.objects)));
    say(`${result.pods} pods, all ready after another ${seconds.toFixed(0)} s: ${said(result.faults)}`);
    if (!options.apply) await again(w.engine, result, say);
    if (options.losses) result.losses = await losses({ objects: w.objects, plan: plan(settings) }, say);
    result.faults.push(...broken(w));
    return result;
  });
}

/** A second deployment must change nothing. */
async function again(engine: Engine, result: SizeResult, say: (line: string) => void): Promise<void> {
  const second = await engine.up();
  result.seconds.second = second.seconds;
  result.faults.push(...second.changes.map((c) => `the second up: ${c}`));
  say(`second up: ${counted(second)}`);
}

/** `npm run plan`, as an operator types it. */
function secondsOfPlan(ccu: number): number {
  const started = Date.now();
  const done = spawnSync(process.execPath, ["--import", "tsx", "cli/plan.ts", "--ccu", String(ccu)], { cwd: ROOT });
  if (done.status !== 0) throw new Error(`npm run plan -- --ccu ${ccu} ended with ${done.status}: ${done.stderr}`);
  return (Date.now() - started) / 1000;
}
