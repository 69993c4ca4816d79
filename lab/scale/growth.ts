/** From one size to another and back, on the hosts of the larger one, as operators do: another number, and `up`. */
import { setTimeout as sleep } from "node:timers/promises";
import { heldBy, losses as lostBy } from "../../components/holds";
import { plan } from "../../components/plan";
import { applySets } from "../../components/settings/stackFile";
import { Least, needsOf, restarted } from "./needs";
import { settled } from "./losses";
import { broken, counted, faultsOf, said, inWorld, settingsOf, sizeConfig, type World } from "./size";
import { snapshot } from "./snapshot";

const FIRST_SECONDS = 300;
const LOOK_SECONDS = 0.25;

export interface Change {
  /** @example "1,000 to 20,000" */
  what: string;
  seconds: number;
  /** Number of objects by operation. */
  summary: Record<string, number>;
  /** Pods that were replaced, by workload. */
  restarted: Array<{ owner: string; pods: number; of: number }>;
  pods: { before: number; after: number };
  /** How often the ready pods were counted meanwhile. */
  looks: number;
  faults: string[];
}

export interface GrowthResult {
  from: number;
  to: number;
  hosts: number;
  changes: Change[];
  faults: string[];
}

export function runGrowth(from: number, to: number, say: (line: string) => void): Promise<GrowthResult> {
  const small = sizeConfig(from, to);
  const large = sizeConfig(to);
  const settings = settingsOf(large);
  return inWorld(settings, async (w) => {
    await w.engine.create(small);
    say(`${from} users on the hosts of ${to}: ${counted(await w.engine.up())}`);
    const first = await settled(w.objects, undefined, FIRST_SECONDS);
    const result: GrowthResult = { from, to, hosts: settings.hosts.length, changes: [], faults: first.faults };
    const needs = needsOf(await snapshot(w.objects));
    for (const [what, config] of [
      [`${from} to ${to}`, large],
      [`${to} back to ${from}`, keeping(small, large)],
    ] as const) {
      const change = await changed(w, { what, config, needs });
      result.changes.push(change);
      say(
        `${what}: ${counted(change)}; ${change.restarted.length} workloads restarted pods; ${change.pods.before} pods, then ${change.pods.after}: ${said(change.faults)}`,
      );
    }
    result.faults.push(...broken(w));
    return result;
  });
}

/** The smaller size with what the refusal tells to set: volumes do not shrink. */
export function keeping(small: Record<string, unknown>, large: Record<string, unknown>): Record<string, unknown> {
  const input = (config: Record<string, unknown>): Parameters<typeof heldBy>[0] => {
    const settings = settingsOf(config);
    return { settings, plan: plan(settings) };
  };
  const sets = lostBy({ holds: heldBy(input(large)) }, input(small)).map(({ remedy }) => {
    const told = /^set (\S+): (\S+)/.exec(remedy ?? "");
    if (!told) throw new Error(`a refusal does not say what to set: ${remedy}`);
    return `${told[1]}=${told[2]}`;
  });
  return applySets(small, sets);
}

async function changed(
  { objects, engine }: World,
  { what, config, needs }: { what: string; config: Record<string, unknown>; needs: ReadonlyMap<string, number> },
): Promise<Change> {
  const before = await snapshot(objects);
  const least = new Least();
  let going = true;
  const looking = (async () => {
    while (going) {
      least.see({ pods: await objects.list("v1", "pods") }, needs.keys());
      await sleep(LOOK_SECONDS * 1000);
    }
  })();
  engine.configure(config);
  const ran = await engine.up().finally(() => {
    going = false;
  });
  const end = await settled(objects, undefined, FIRST_SECONDS);
  await looking;
  const after = await snapshot(objects);
  return {
    what,
    seconds: ran.seconds,
    summary: ran.summary,
    restarted: restarted(before, after),
    pods: { before: before.pods.length, after: after.pods.length },
    looks: least.looks,
    faults: [...end.faults, ...least.below(needs), ...(await faultsOf(objects))],
  };
}
