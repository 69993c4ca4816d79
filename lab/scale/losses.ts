/** Hosts that are lost or drained, one after the other, and autoscalers at their maximum. */
import { setTimeout as sleep } from "node:timers/promises";
import { NODE_LABELS } from "../../components/core/names";
import { HOST_ROLES } from "../../components/domain/roles";
import type { Plan } from "../../components/plan";
import { until } from "../common/until";
import { Refusal } from "../scenarios/api";
import type { KubeObject } from "./played";
import { podPath, type Objects } from "./objects";
import { standing } from "./serving";
import { isReady, ownerOf, snapshot, tiedTo, titleOf, unsettled, type Snapshot } from "./snapshot";

/** Seconds in which everything must run again: pods start at once here, so it waits for the scheduler only. */
const SETTLE_SECONDS = 120;
const DRAIN_SECONDS = 120;
const EVERY_SECONDS = 0.5;
const nodePath = (name: string): string => `/api/v1/nodes/${name}`;

/** What was done, and what came of it. */
export interface Outcome {
  /** @example "lost: app-3 (application)" */
  what: string;
  /** Pods that were on the hosts, without those of DaemonSets. */
  pods: number;
  /** Those of them that have their volume there, and wait for the host. */
  waiting: number;
  /** Until everything else was ready. */
  seconds: number;
  /** Evictions that a budget refused at first. */
  refused?: number;
  /** What is wrong; empty where all is as planned. */
  faults: string[];
}

export interface Scene {
  objects: Objects;
  plan: Plan;
}

const onHosts = ({ pods }: Snapshot, names: ReadonlySet<string>): KubeObject[] =>
  pods.filter((p) => names.has(p.spec.nodeName) && !ownerOf(p).startsWith("DaemonSet"));

/** Waits until all but those pods runs; what is not so in time is the fault. */
export async function settled(
  objects: Objects,
  missing: (now: Snapshot) => ReadonlySet<string> = () => new Set(),
  seconds = SETTLE_SECONDS,
): Promise<{ seconds: number; faults: string[] }> {
  try {
    const took = await until(
      "everything runs",
      seconds,
      async () => {
        const now = await snapshot(objects);
        return unsettled(now, missing(now)).slice(0, 8).join("; ") || undefined;
      },
      EVERY_SECONDS,
    );
    return { seconds: took, faults: [] };
  } catch (error) {
    return { seconds, faults: [(error as Error).message] };
  }
}

/** Without what the API server and controllers wrote into it: as the kubelet registers it, with the stack's labels. */
function again({ metadata, spec, status }: KubeObject): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: metadata.name, labels: metadata.labels },
    spec: { taints: (spec.taints ?? []).filter((t: any) => !String(t.key).startsWith("node.kubernetes.io/")) },
    status: { capacity: status.capacity, allocatable: status.allocatable, addresses: status.addresses },
  };
}

/**
 * Hosts that are lost for good: their Nodes are deleted, as operators do after they have made sure that the machines
 * are off; their pods with them, as the controller manager does a minute later. Then they are back, with their volumes.
 */
export async function lose({ objects, plan }: Scene, hosts: readonly string[], what: string): Promise<Outcome> {
  const names = new Set(hosts);
  const before = await snapshot(objects);
  const tied = tiedTo(before, names);
  const lost = onHosts(before, names);
  const nodes = before.nodes.filter((n) => names.has(n.metadata.name));
  for (const name of hosts) await objects.remove(nodePath(name));
  const all = before.pods.filter((p) => names.has(p.spec.nodeName));
  await Promise.all(all.map((p) => objects.remove(podPath(p.metadata), 0)));
  const without = await settled(objects, () => tied);
  const now = await snapshot(objects);
  const faults = [...without.faults, ...standing(now, plan, tied)];
  for (const node of nodes) await objects.api.request({ method: "POST", path: "/api/v1/nodes", body: again(node) });
  const back = await settled(objects);
  return {
    what,
    pods: lost.length,
    waiting: lost.filter((p) => tied.has(titleOf(p))).length,
    seconds: without.seconds,
    faults: [...faults, ...back.faults.map((f) => `after it was back: ${f}`)],
  };
}

/** Cordons a host and evicts its pods by the eviction API, which asks the budgets, as `kubectl drain` does. */
export async function drain({ objects, plan }: Scene, host: string, what: string): Promise<Outcome> {
  const names = new Set([host]);
  await objects.merge(nodePath(host), { spec: { unschedulable: true } });
  const before = await snapshot(objects);
  const mine = onHosts(before, names);
  const left = new Map(mine.map((p) => [p.metadata.uid!, p]));
  const tied = tiedTo(before, names);
  let refused = 0;
  const faults: string[] = [];
  const started = Date.now();
  while (left.size > 0) {
    for (const [uid, pod] of left)
      if (await evicted(objects, pod)) left.delete(uid);
      else refused++;
    if (left.size === 0) break;
    if (Date.now() - started > DRAIN_SECONDS * 1000) {
      faults.push(`not evicted in ${DRAIN_SECONDS} s: ${[...left.values()].map(titleOf).join(", ")}`);
      break;
    }
    await sleep(EVERY_SECONDS * 1000);
  }
  const without = await settled(objects, () => tied);
  const now = await snapshot(objects);
  faults.push(...without.faults, ...standing(now, plan, tied));
  await objects.merge(nodePath(host), { spec: { unschedulable: null } });
  const back = await settled(objects);
  return {
    what,
    pods: mine.length,
    waiting: mine.filter((p) => tied.has(titleOf(p))).length,
    seconds: (Date.now() - started) / 1000,
    refused,
    faults: [...faults, ...back.faults.map((f) => `after it was uncordoned: ${f}`)],
  };
}

/** Whether a pod may go; a budget that refuses now may allow it later. */
async function evicted(objects: Objects, { metadata: { name, namespace, uid } }: KubeObject): Promise<boolean> {
  try {
    await objects.api.request({
      method: "POST",
      path: `${podPath({ name, namespace })}/eviction`,
      body: {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace },
        deleteOptions: { preconditions: { uid } },
      },
    });
    return true;
  } catch (error) {
    // 404 and 409: another pod of this name has taken its place.
    if (error instanceof Refusal && [404, 409].includes(error.code)) return true;
    if (error instanceof Refusal && error.code === 429) return false;
    throw error;
  }
}

/** The fullest host of each role: its loss moves the most. */
export function fullest(now: Snapshot): Array<{ role: string; host: string }> {
  return HOST_ROLES.flatMap((role) => {
    const hosts = now.nodes.filter((n) => n.metadata.labels?.[NODE_LABELS.role(role)] === "true");
    const count = (n: KubeObject): number => onHosts(now, new Set([n.metadata.name])).length;
    const [most] = [...hosts].sort((a, b) => count(b) - count(a) || a.metadata.name.localeCompare(b.metadata.name));
    return most ? [{ role, host: most.metadata.name }] : [];
  });
}

/** Hosts by zone. */
export function zones(now: Snapshot): Array<{ zone: string; hosts: string[] }> {
  const byZone = new Map<string, string[]>();
  for (const n of now.nodes) {
    const zone = n.metadata.labels?.[NODE_LABELS.zone];
    if (zone !== undefined) byZone.set(zone, [...(byZone.get(zone) ?? []), n.metadata.name]);
  }
  return [...byZone].map(([zone, hosts]) => ({ zone, hosts })).sort((a, b) => a.zone.localeCompare(b.zone));
}

/** Every autoscaler at its maximum, by the scale of its Deployment; and with it, the fullest application host lost. */
export async function atMaximum(scene: Scene): Promise<Outcome[]> {
  const { objects } = scene;
  const { autoscalers } = await snapshot(objects);
  const scale = async (count: (a: KubeObject) => number): Promise<void> => {
    for (const a of autoscalers)
      await objects.merge(
        `/apis/apps/v1/namespaces/${a.metadata.namespace}/deployments/${a.spec.scaleTargetRef.name}/scale`,
        { spec: { replicas: count(a) } },
      );
  };
  const before = (await snapshot(objects)).pods.length;
  await scale((a) => a.spec.maxReplicas);
  const { seconds, faults } = await settled(objects);
  const now = await snapshot(objects);
  const full: Outcome = {
    what: "every autoscaler at its maximum",
    pods: now.pods.filter(isReady).length - before,
    waiting: 0,
    seconds,
    faults,
  };
  const host = fullest(now).find((f) => f.role === "application")!.host;
  const lost = await lose(scene, [host], `every autoscaler at its maximum, and ${host} (application) lost`);
  await scale((a) => a.spec.minReplicas);
  const down = await settled(objects);
  return [full, { ...lost, faults: [...lost.faults, ...down.faults] }];
}

/** All of it. */
export async function losses(scene: Scene, say: (line: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const told = (outcome: Outcome): void => {
    outcomes.push(outcome);
    say(
      `${outcome.what}: ${outcome.faults.length ? outcome.faults.join("; ") : `${outcome.pods} pods, ${outcome.waiting} wait for the host, ${outcome.seconds.toFixed(0)} s`}`,
    );
  };
  const now = await snapshot(scene.objects);
  for (const { role, host } of fullest(now)) {
    told(await lose(scene, [host], `lost: ${host} (${role})`));
    // What was on it is elsewhere now.
    const next = fullest(await snapshot(scene.objects)).find((f) => f.role === role)!.host;
    told(await drain(scene, next, `drained: ${next} (${role})`));
  }
  for (const { zone, hosts } of zones(now))
    told(await lose(scene, hosts, `lost: zone ${zone} (${hosts.length} hosts)`));
  for (const outcome of await atMaximum(scene)) told(outcome);
  return outcomes;
}
