/**
 * Every Synapse process of a stack, with its configuration read by Synapse itself; and checks for mistakes that Synapse
 * accepts silently.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../capture";
import type { KubernetesObject, PodTemplate, Subject } from "../../policy/types";
import known from "./known-keys.json";
import { containerScript, layOutPod } from "./podFiles";
import { SYNAPSE_SOURCE } from "./programs";
import { readPods } from "./synapseReader";

export interface Process {
  id: string;
  error?: string;
  name: string | null;
  instance: string;
  module: string;
  raw: Record<string, any>;
  listeners: Array<{ port: number; type: string; resources: string[] }>;
  database: string;
  databaseHost: string;
  redis: boolean;
  redisPassword: boolean;
  mediaRepo: boolean;
  background: boolean;
  userDirectory: boolean;
  appservices: boolean;
  sender: boolean;
  pusher: boolean;
  baseUrl: string;
  writers: Record<string, string[]>;
  instanceMap: Record<string, number>;
  secrets: Record<string, boolean>;
  warnings: string[];
}

export const isSynapse = (t: PodTemplate): boolean => t.longRunning && t.labels["app.kubernetes.io/name"] === "synapse";
export const synapseTemplates = (s: Subject): PodTemplate[] => s.templates.filter(isSynapse);

/** The largest number of pods of a controller: with an autoscaler, its maximum. */
export function replicasOf(t: PodTemplate, objects: KubernetesObject[]): number {
  const scaler = objects.find(
    (o) => o.kind === "HorizontalPodAutoscaler" && o.inputs.spec?.scaleTargetRef?.name === t.owner.name,
  );
  return scaler?.inputs.spec.maxReplicas ?? t.owner.inputs.spec.replicas ?? 1;
}
export const podNames = (t: PodTemplate, objects: KubernetesObject[]): string[] =>
  Array.from({ length: replicasOf(t, objects) }, (_, i) =>
    t.owner.kind === "StatefulSet" ? `${t.owner.name}-${i}` : `${t.owner.name}-7d9f8b6c5-${(i + 46656).toString(36)}x`,
  );

/** @param objects the stack's objects, or a changed copy: a mistake made on purpose. */
export async function readAll(
  dir: string,
  templates: PodTemplate[],
  objects: KubernetesObject[],
  firstOnly = false,
): Promise<Process[]> {
  const read = templates.map((t) => {
    const pod = layOutPod(path.join(dir, t.owner.name), {
      template: t,
      objects,
      identity: { name: `${t.owner.name}-0`, namespace: t.owner.namespace },
    });
    const c = pod.containers.find((x) => x.name === "synapse")!;
    fs.mkdirSync(path.join(pod.dir, "containers/synapse/skeleton/shim"));
    const shim = path.join(pod.dir, "shim");
    fs.mkdirSync(shim);
    fs.chmodSync(shim, 0o777);
    const pods = podNames(t, objects)
      .slice(0, firstOnly ? 1 : undefined)
      .map((id) => ({ id, env: { ...c.env, HOSTNAME: id }, command: c.argv }));
    return readPods({ mount: `${c.mountScript}\nmount --bind ${shim} ${c.root}/shim`, root: c.root, uid: c.uid, pods });
  });
  return (await Promise.all(read)).flat() as unknown as Process[];
}

/**
 * Runs the Job that checks the configuration before a deployment, as registered.
 * @param whole in an interpreter of its own, as the pod does; else in a copy of the one that has Synapse loaded.
 */
export async function runCheckJob(
  dir: string,
  subject: Subject,
  objects: KubernetesObject[],
  whole = false,
): Promise<{ status: number | null; text: string }> {
  const job = subject.templates.find((t) => t.owner.kind === "Job" && t.owner.name.startsWith("synapse-check-config"))!;
  const c = layOutPod(dir, { template: job, objects, identity: { name: "check", namespace: job.owner.namespace } })
    .containers[0]!;
  if (whole) {
    const r = await capture("unshare", ["--mount", "bash", "-c", containerScript(c)]);
    return { status: r.status, text: r.stdout + r.stderr };
  }
  const [r] = await readPods({
    mount: c.mountScript,
    root: c.root,
    uid: c.uid,
    pods: [{ id: "check", env: c.env, command: c.argv }],
    run: true,
  });
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
  return Object.entries(value).flatMap(([k, v]) => {
    const p = at ? `${at}.${k}` : k;
    return [p, ...paths(v, p)];
  });
}

/** Read by Synapse's code, though its documentation has no heading for them (1.163.2). */
const UNDOCUMENTED = new Set([
  "worker_app",
  "matrix_rtc",
  "notify_appservices_from_worker",
  "update_user_directory_from_worker",
  "max_event_delay_duration",
  "rc_delayed_event_mgmt",
  "worker_pid_file",
  "worker_log_config",
  "experimental_features",
]);

const READ = new Set<string>(known.keys);
/** Synapse's code reads this path, or hands on what is below one that it takes as a whole. */
const isRead = (at: string): boolean =>
  READ.has(at) || known.open.some((o) => at === o || at.startsWith(`${o}.`) || at.startsWith(`${o}[`));

const isMain = (p: Process): boolean => p.module === "synapse.app.homeserver";
const when = (wrong: boolean, what: string): string[] => (wrong ? [what] : []);

/** Options that Synapse does not have, or does not read in this place. */
const deadOptions = (p: Process, documented: Set<string>): string[] => [
  ...Object.keys(p.raw)
    .filter((key) => !documented.has(key) && !UNDOCUMENTED.has(key))
    .map((key) => `Synapse has no option ${key}`),
  ...[...new Set(paths(p.raw))]
    .filter((at) => at.includes(".") && !isRead(at))
    .map((at) => `Synapse does not read ${at}`),
];

const identityProblems = (p: Process): string[] => [
  ...when(!isMain(p) && !p.name, "a worker without worker_name"),
  ...when(p.instance !== (isMain(p) ? "master" : p.id), `the process calls itself ${p.instance}`),
];

const serviceProblems = (p: Process): string[] => [
  ...when(p.database !== "psycopg2", `the database is ${p.database}`),
  ...when(!p.redis, "Redis is off"),
  ...when(!p.redisPassword, "no Redis password"),
  ...when(!p.raw.public_baseurl, "no public_baseurl"),
  ...Object.entries(p.secrets)
    .filter(([, there]) => !there)
    .map(([what]) => `no ${what} secret`),
];

function listenerProblems(p: Process): string[] {
  const resources = p.listeners.flatMap((l) => l.resources);
  const replication = p.listeners.find((l) => l.resources.includes("replication"))?.port,
    mapped = p.instanceMap[isMain(p) ? "main" : p.id];
  return [
    ...when(!resources.includes("health"), "no health listener"),
    ...when(!p.listeners.some((l) => l.type === "metrics"), "no metrics listener"),
    ...when(resources.includes("media") && !p.mediaRepo, "a media listener with the media repository off"),
    ...when(mapped !== replication, `instance_map says port ${mapped}, the replication listener is ${replication}`),
  ];
}

/** Mistakes of a single process. */
const problemsOf = (p: Process, documented: Set<string>): string[] =>
  [
    ...deadOptions(p, documented),
    ...identityProblems(p),
    ...serviceProblems(p),
    ...listenerProblems(p),
    ...p.warnings.map((w) => `warns: ${w}`),
  ].map((what) => `${p.id}: ${what}`);

const exactlyOne = (what: string, list: Process[]): string[] =>
  when(list.length !== 1, `${what} is done by ${list.length ? list.map((p) => p.id).join(", ") : "no process"}`);

function mediaProblems(all: Process[]): string[] {
  const media = all.filter((p) => p.listeners.some((l) => l.resources.includes("media")));
  const cleaner = all[0]!.raw.media_instance_running_background_jobs;
  return [
    ...when(media.length === 0, "no process serves media"),
    ...when(
      media.length > 1 && !cleaner,
      "several processes serve media and media_instance_running_background_jobs is not set",
    ),
    ...when(
      cleaner && !media.some((p) => p.id === cleaner),
      `media_instance_running_background_jobs names ${cleaner}, which serves no media`,
    ),
  ];
}

/** The lists of senders and pushers name existing processes, and some process does the work. */
function outgoingProblems(all: Process[]): string[] {
  const names = new Set(all.map((p) => p.id)),
    { raw } = all[0]!;
  const strangersIn = (option: string): string[] =>
    ((raw[option] ?? []) as string[])
      .filter((n) => !names.has(n))
      .map((n) => `${option} names ${n}, which is not a process`);
  return [
    ...strangersIn("federation_sender_instances"),
    ...strangersIn("pusher_instances"),
    ...when(raw.send_federation !== false && !all.some((p) => p.sender), "no process sends to other servers"),
    ...when(!all.some((p) => p.pusher), "no process sends push notifications"),
  ];
}

function writerProblems(all: Process[]): string[] {
  const names = new Set(["master", ...all.map((p) => p.id)]);
  return Object.entries(all[0]!.writers).flatMap(([stream, list]) =>
    list.filter((w) => !names.has(w)).map((w) => `stream ${stream} has the writer ${w}, which is not a process`),
  );
}

/** Mistakes that only all processes together show. */
const problemsTogether = (all: Process[]): string[] => [
  ...exactlyOne(
    "the background work",
    all.filter((p) => p.background),
  ),
  ...exactlyOne(
    "the user directory",
    all.filter((p) => p.userDirectory),
  ),
  ...exactlyOne(
    "the notification of application services",
    all.filter((p) => p.appservices),
  ),
  ...mediaProblems(all),
  ...outgoingProblems(all),
  ...writerProblems(all),
];

/** Mistakes of the processes, each and together, with which they would start nevertheless. */
export function silentProblems(processes: Process[]): string[] {
  const documented = documentedOptions();
  const failed = processes.filter((p) => p.error),
    started = processes.filter((p) => !p.error);
  return [
    ...failed.map((p) => `${p.id}: ${p.error}`),
    ...started.flatMap((p) => problemsOf(p, documented)),
    ...(started.length ? problemsTogether(started) : []),
  ];
}
