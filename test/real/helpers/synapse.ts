/** Every Synapse process of a stack, its configuration read by Synapse itself; and what Synapse would accept in silence. */
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../../../lab/capture";
import type { KubernetesObject, PodTemplate, Subject } from "../../../policy/types";
import known from "../../synapse/known-keys.json";
import { containerScript, layOutPod } from "./podFiles";
import { SYNAPSE_SOURCE } from "./programs";
import { readPods } from "./synapseReader";

export interface Process {
  id: string; error?: string;
  name: string | null; instance: string; module: string; raw: Record<string, any>;
  listeners: Array<{ port: number; type: string; resources: string[] }>;
  database: string; databaseHost: string; redis: boolean; redisPassword: boolean; mediaRepo: boolean; background: boolean; userDirectory: boolean; appservices: boolean;
  sender: boolean; pusher: boolean; baseUrl: string; writers: Record<string, string[]>; instanceMap: Record<string, number>; secrets: Record<string, boolean>; warnings: string[];
}

export const isSynapse = (t: PodTemplate): boolean => t.longRunning && t.labels["app.kubernetes.io/name"] === "synapse";
export const synapseTemplates = (s: Subject): PodTemplate[] => s.templates.filter(isSynapse);

/** The most pods that a controller ever has: with an autoscaler, its bound. */
export function replicasOf(t: PodTemplate, objects: KubernetesObject[]): number {
  const scaler = objects.find((o) => o.kind === "HorizontalPodAutoscaler" && o.inputs.spec?.scaleTargetRef?.name === t.owner.name);
  return scaler?.inputs.spec.maxReplicas ?? t.owner.inputs.spec.replicas ?? 1;
}
export const podNames = (t: PodTemplate, objects: KubernetesObject[]): string[] =>
  Array.from({ length: replicasOf(t, objects) }, (_, i) => (t.owner.kind === "StatefulSet" ? `${t.owner.name}-${i}` : `${t.owner.name}-7d9f8b6c5-${(i + 46656).toString(36)}x`));

/** @param objects the stack's objects, or a changed copy: a mistake made on purpose. */
export async function readAll(dir: string, templates: PodTemplate[], objects: KubernetesObject[], firstOnly = false): Promise<Process[]> {
  const read = templates.map((t) => {
    const pod = layOutPod(path.join(dir, t.owner.name), t, objects, { name: `${t.owner.name}-0`, namespace: t.owner.namespace });
    const c = pod.containers.find((x) => x.name === "synapse")!;
    fs.mkdirSync(path.join(pod.dir, "containers/synapse/skeleton/shim"));
    const shim = path.join(pod.dir, "shim");
    fs.mkdirSync(shim);
    fs.chmodSync(shim, 0o777);
    const pods = podNames(t, objects).slice(0, firstOnly ? 1 : undefined).map((id) => ({ id, env: { ...c.env, HOSTNAME: id }, command: c.argv }));
    return readPods({ mount: `${c.mountScript}\nmount --bind ${shim} ${c.root}/shim`, root: c.root, uid: c.uid, pods });
  });
  return (await Promise.all(read)).flat() as unknown as Process[];
}

/**
 * Runs the Job that checks the configuration before a deployment, as registered.
 * @param whole in an interpreter of its own, as the pod does; else in a copy of the one that has Synapse loaded.
 */
export async function runCheckJob(dir: string, subject: Subject, objects: KubernetesObject[], whole = false): Promise<{ status: number | null; text: string }> {
  const job = subject.templates.find((t) => t.owner.kind === "Job" && t.owner.name.startsWith("synapse-check-config"))!;
  const c = layOutPod(dir, job, objects, { name: "check", namespace: job.owner.namespace }).containers[0]!;
  if (whole) {
    const r = await capture("unshare", ["--mount", "bash", "-c", containerScript(c)]);
    return { status: r.status, text: r.stdout + r.stderr };
  }
  const [r] = await readPods({ mount: c.mountScript, root: c.root, uid: c.uid, pods: [{ id: "check", env: c.env, command: c.argv }], run: true });
  if (r!.error) throw new Error(`the check Job: ${r!.error}\n${r!.printed}`);
  return { status: r!.status, text: r!.printed };
}

/** Options that Synapse's own documentation of this version lists. */
export function documentedOptions(): Set<string> {
  const text = fs.readFileSync(path.join(SYNAPSE_SOURCE, "docs/usage/configuration/config_documentation.md"), "utf8");
  return new Set([...text.matchAll(/^### `([a-z0-9_.]+)`/gm)].map((m) => m[1]!));
}

function paths(value: unknown, at = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((v) => paths(v, `${at}[]`));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([k, v]) => { const p = at ? `${at}.${k}` : k; return [p, ...paths(v, p)]; });
}

/** Read by Synapse's code, though its documentation has no heading for them (1.163.2). */
const UNDOCUMENTED = new Set(["worker_app", "matrix_rtc", "notify_appservices_from_worker", "update_user_directory_from_worker", "max_event_delay_duration", "rc_delayed_event_mgmt", "worker_pid_file", "worker_log_config", "experimental_features"]);

/** What is wrong with the processes together, that none of them says by itself. */
export function silentProblems(processes: Process[]): string[] {
  const bad: string[] = [];
  const documented = documentedOptions(), reads = new Set<string>(known.keys);
  const ok = processes.filter((p) => {
    if (p.error) bad.push(`${p.id}: ${p.error}`);
    return !p.error;
  });
  const names = new Set(ok.map((p) => p.id));
  const exactlyOne = (what: string, list: Process[]): void => { if (list.length !== 1) bad.push(`${what} is done by ${list.length ? list.map((p) => p.id).join(", ") : "no process"}`); };
  for (const p of ok) {
    for (const key of Object.keys(p.raw)) if (!documented.has(key) && !UNDOCUMENTED.has(key)) bad.push(`${p.id}: Synapse has no option ${key}`);
    for (const at of new Set(paths(p.raw))) if (at.includes(".") && !reads.has(at) && !known.open.some((o) => at === o || at.startsWith(`${o}.`) || at.startsWith(`${o}[`))) bad.push(`${p.id}: Synapse does not read ${at}`);
    const main = p.module === "synapse.app.homeserver";
    if (!main && !p.name) bad.push(`${p.id}: a worker without worker_name`);
    if (main ? p.instance !== "master" : p.instance !== p.id) bad.push(`${p.id}: the process calls itself ${p.instance}`);
    if (p.database !== "psycopg2") bad.push(`${p.id}: the database is ${p.database}`);
    if (!p.redis) bad.push(`${p.id}: Redis is off`);
    if (!p.redisPassword) bad.push(`${p.id}: no Redis password`);
    if (!p.raw.public_baseurl) bad.push(`${p.id}: no public_baseurl`);
    for (const [what, there] of Object.entries(p.secrets)) if (!there) bad.push(`${p.id}: no ${what} secret`);
    const resources = p.listeners.flatMap((l) => l.resources);
    if (!resources.includes("health")) bad.push(`${p.id}: no health listener`);
    if (!p.listeners.some((l) => l.type === "metrics")) bad.push(`${p.id}: no metrics listener`);
    if (resources.includes("media") && !p.mediaRepo) bad.push(`${p.id}: a media listener with the media repository off`);
    const key = main ? "main" : p.id;
    const replication = p.listeners.find((l) => l.resources.includes("replication"))?.port;
    if (p.instanceMap[key] !== replication) bad.push(`${p.id}: instance_map says port ${p.instanceMap[key]}, the replication listener is ${replication}`);
    for (const w of p.warnings) bad.push(`${p.id}: warns: ${w}`);
  }
  if (ok.length === 0) return bad;
  exactlyOne("the background work", ok.filter((p) => p.background));
  exactlyOne("the user directory", ok.filter((p) => p.userDirectory));
  exactlyOne("the notification of application services", ok.filter((p) => p.appservices));
  const media = ok.filter((p) => p.listeners.some((l) => l.resources.includes("media")));
  if (media.length === 0) bad.push("no process serves media");
  const cleaner = ok[0]!.raw.media_instance_running_background_jobs;
  if (media.length > 1 && !cleaner) bad.push("several processes serve media and media_instance_running_background_jobs is not set");
  if (cleaner && !media.some((p) => p.id === cleaner)) bad.push(`media_instance_running_background_jobs names ${cleaner}, which serves no media`);
  for (const option of ["federation_sender_instances", "pusher_instances"]) for (const n of ok[0]!.raw[option] ?? []) if (!names.has(n)) bad.push(`${option} names ${n}, which is no process`);
  if (ok[0]!.raw.send_federation !== false && !ok.some((p) => p.sender)) bad.push("no process sends to other servers");
  if (!ok.some((p) => p.pusher)) bad.push("no process sends push notifications");
  for (const [stream, list] of Object.entries(ok[0]!.writers)) for (const w of list) if (w !== "master" && !names.has(w)) bad.push(`stream ${stream} has the writer ${w}, which is no process`);
  return bad;
}
