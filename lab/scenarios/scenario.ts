/** The form of a scenario, and helpers that several of them use. */
import type { Access } from "../local/access";
import { until } from "../common/until";
import { CLUSTER, get, kill, NS, pods, replaced, sleep } from "./cluster";
import { FLOWING_SECONDS, type Client, type Load } from "./load";

export interface Table {
  head: string[];
  rows: Array<Array<string | number>>;
}

export interface Run {
  a: Access;
  admin: Client;
  /** The steady load; a scenario with `quiet` has none. */
  load: Load;
  /** Call it at the moment of the cause. */
  cause(): void;
  note(text: string): void;
  fail(text: string): void;
  /** Absent if nothing is recorded (`npm run local -- chaos`). */
  table?(t: Table): void;
}

export interface Scenario {
  id: string;
  group: "proof" | "failure" | "change" | "restore";
  title: string;
  how: string;
  /** The promise of the deployments that this stack replaces. */
  promised?: string;
  /** Approximate duration, all included, on a machine that does nothing else. */
  seconds: number;
  /** In the part that runs on every change (`--part quick`). */
  quick?: boolean;
  /** Left out of a whole run, because the named scenario includes it. */
  partOf?: string;
  /** Left out of a whole run: it is run for a new version, by its name. */
  onRequest?: boolean;
  /** Another scenario that takes back the changes of this one; it runs whenever this one does. */
  takenBackBy?: string;
  /** Preparations before the load starts. */
  prepare?(note: (text: string) => void): Promise<void>;
  /** No steady load: the scenario measures for itself. */
  quiet?: boolean;
  /** Seconds without any acknowledgement, and sends that may fail after one retry. */
  bounds: { gap: number; failedAfterRetry: number };
  /** Runs under load; ends when the part is back. What it returns is called when the last send has been answered. */
  action(run: Run): Promise<void | (() => void)>;
}

/** Columns of a table whose rows were measured one after the other under the steady load. */
export const LOAD_HEAD = ["Sends meanwhile: gap", "failed after one retry"];
/** Their cells, for each row's period; call it after the load's `finish`. */
export const withLoad = (
  load: Load,
  rows: Table["rows"],
  windows: ReadonlyArray<readonly [number, number]>,
): Table["rows"] =>
  rows.map((row, i) => {
    const w = load.between(...windows[i]!);
    return [...row, `${w.gap.toFixed(1)} s`, `${w.failedAfterRetry} of ${w.sends}`];
  });

export const NODES = ["node1", "node2", "node3"];
export const component = (name: string): string => `app.kubernetes.io/component=${name}`;
export const since = (started: number): string => `${((Date.now() - started) / 1000).toFixed(0)} s`;
export const flowing = (load: Load, seconds: number): Promise<number> =>
  until("sends to every room", seconds, () => (load.flowing(FLOWING_SECONDS) ? undefined : "some room is silent"));
export const primary = async (): Promise<string> =>
  (await get("clusters.postgresql.cnpg.io", "-n", NS, CLUSTER)).status.currentPrimary;
export const nodeOf = async (ns: string, pod: string): Promise<string> =>
  (await get("pod", "-n", ns, pod)).spec.nodeName;
export const anyOf = async (selector: string, ns = NS): Promise<string> => {
  const all = await pods(ns, selector);
  if (!all.length) throw new Error(`no ready pod with ${selector}`);
  return all[0].metadata.name;
};

/** One pod of a class that has several, or the only one. */
export async function killOne(r: Run, pod: string, seconds = 120): Promise<void> {
  const before = await get("pod", "-n", NS, pod);
  r.note(`${pod} on ${before.spec.nodeName}`);
  r.cause();
  await kill(NS, pod);
  if (before.metadata.ownerReferences?.[0].kind === "StatefulSet")
    r.note(`its successor was ready after ${(await replaced(NS, pod, before.metadata.uid, seconds)).toFixed(0)} s`);
  await sleep(3000);
}

/** The pods on a node that exist once, or of which each one matters. */
export async function whoRan(node: string): Promise<string> {
  const singles =
    /^(synapse-(main|event-persister|account|ephemeral|receipts|device-lists)-\d+|synapse-postgres-\d+|redis-synapse-\d|haproxy-.*)$/;
  const names = (await get("pods", "-A")).items
    .filter((p: any) => p.spec.nodeName === node && singles.test(p.metadata.name))
    .map((p: any) => p.metadata.name);
  const first = await primary();
  return names.map((n: string) => (n === first ? `${n} (primary)` : n)).join(", ");
}
