/** The pod of one class: what it starts, what it mounts, when it counts as alive. Pure. */
import { PRIORITIES } from "../cluster/priorities";
import { imageRef } from "../images";
import { NAMESPACES, PORTS, SECRETS, SERVICES, serviceFqdn } from "../names";
import type { Settings } from "../settings/types";
import type { Plan, PoolPlan } from "../sizing/types";
import type { ContainerSpec, PodSpec, Probes } from "../workload";
import { isSingleton, isWriter } from "./instances";
import { CLASS_FILE, EMAIL_FILE, MOUNTS, SHARED_FILES } from "./paths";
import { resourcesOf } from "./routingTable";
import { portsOf } from "./workerYaml";

/** Synapse's image has 991; uids of pods are above 1000 here. */
export const SYNAPSE_UID = 1991;

export interface SynapsePodInput {
  settings: Settings;
  plan: Plan;
  pool: PoolPlan;
  /** ConfigMap of all processes, and of this class. */
  sharedMap: string;
  classMap: string;
  databaseSecret: string;
  mediaSecret: string;
  /** Whether the SMTP Secret exists. */
  email: boolean;
}

/** jemalloc keeps Python's memory from fragmenting and lets Synapse bound its caches; where an image has it differs. */
const JEMALLOC = ["/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/aarch64-linux-gnu/libjemalloc.so.2", "/usr/lib/libjemalloc.so.2"];

/** Less than the startup probe of a worker allows (180 s), with room for the start itself. */
const RESTART_WAIT_SECONDS = 120;
const waitFor = (cls: PoolPlan["class"]): string => (cls === "main" ? "connection" : "schema");

/** Each try took 4 to 8 s on a busy machine; the kubelet would wait 10, 20, 40 s between them. */
const TRY_AGAIN_SECONDS = 60;

/**
 * `run PROGRAM...` waits for the program's end and hands the kubelet's signal on. Without a trap the first process of a
 * container ignores that signal: a pod that was waiting for its database stayed for the whole grace period.
 */
const RUN = [
  "child= stopping=",
  `trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM INT`,
  "run() {",
  '  [ -z "$stopping" ] || exit 143',
  '  "$@" &',
  "  child=$! code=0",
  '  wait "$child" || code=$?',
  // A signal ends the wait before the process.
  '  while kill -0 "$child" 2>/dev/null; do code=0; wait "$child" || code=$?; done',
  '  [ -z "$stopping" ] || exit "$code"',
  '  child=; return "$code"',
  "}",
];

/**
 * Runs Synapse, and once more when it ends by itself soon after its start. Each process deletes at its start the positions
 * of event persisters that are no more, in a transaction that PostgreSQL refuses when such a one, which still runs while
 * their number becomes smaller, writes its position just then ("could not serialize access", _load_current_ids of
 * storage/util/id_generators.py): a writer ended three times, and was away for 70 s (`npm run test:cluster`, change-back).
 */
const runAgain = (command: string): string[] => [
  `end=$(($(date +%s) + ${TRY_AGAIN_SECONDS}))`,
  "while true; do",
  "  ended=0",
  `  run ${command} || ended=$?`,
  '  if [ "$ended" = 0 ] || [ "$(date +%s)" -ge "$end" ]; then exit "$ended"; fi',
  '  echo "Synapse ended at its start with $ended; once more" >&2',
  "  sleep 1",
  "done",
];

function startScript(input: SynapsePodInput, servesMedia: boolean): string {
  const { class: cls } = input.pool;
  const waits = `run python ${MOUNTS.shared}/${SHARED_FILES.wait} ${waitFor(cls)} ${RESTART_WAIT_SECONDS}`;
  const files = [`${MOUNTS.shared}/${SHARED_FILES.homeserver}`, ...(input.email ? [`${MOUNTS.email}/${EMAIL_FILE}`] : []), `${MOUNTS.class}/${CLASS_FILE}`, ...(cls === "main" ? [] : [`${MOUNTS.tmp}/name.yaml`])];
  const cacheBytes = input.settings.media.cacheGiB * 1024 ** 3;
  return [
    "set -eu",
    ...RUN,
    `for library in ${JEMALLOC.join(" ")}; do if [ -e "$library" ]; then export LD_PRELOAD="$library"; break; fi; done`,
    // A process is named after its pod: no two are alike, and the writers' names are those of instance_map.
    ...(cls === "main" ? [] : [`printf 'worker_name: "%s"\\n' "$HOSTNAME" > ${MOUNTS.tmp}/name.yaml`]),
    ...(servesMedia ? [`python ${MOUNTS.shared}/${SHARED_FILES.trim} ${MOUNTS.data}/media ${cacheBytes} &`] : []),
    // The init container waits before the first start only. A database that goes away during that start (a switchover while
    // a node is drained) ends the process; the next start waits instead of failing again into the kubelet's back-off.
    // A writer settles its sequences as well, each time and as late as possible (scripts/waitDatabase.ts).
    ...(isWriter(input.plan, cls) ? [`${waits} settle`] : [`if [ -e ${MOUNTS.tmp}/started ]; then ${waits}; fi`, `: > ${MOUNTS.tmp}/started`]),
    ...runAgain(`python -m synapse.app.${cls === "main" ? "homeserver" : "generic_worker"} ${files.map((f) => `-c ${f}`).join(" ")} --no-secrets-in-config`),
  ].join("\n");
}

/**
 * /health says that the process answers and nothing about the database or Redis, so liveness hangs on nothing else.
 * Where no other process takes over, a hung one is killed after 15 s instead of a minute.
 */
function probes(pool: PoolPlan, tight: boolean): Probes {
  const health = { http: "/health", port: "health" };
  return {
    // A schema upgrade of the main process: up to half an hour. Measured: 11 s for a new schema, 3.5 s for a worker.
    startup: { ...health, timing: { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: pool.class === "main" ? 900 : 90 } },
    readiness: { ...health, timing: { periodSeconds: tight ? 2 : 3, timeoutSeconds: 3, failureThreshold: 2 } },
    liveness: { ...health, timing: tight ? { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 } : { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 } },
  };
}

export function synapsePod(input: SynapsePodInput): PodSpec {
  const { settings, plan, pool } = input;
  const image = imageRef(settings, "synapse");
  const servesMedia = resourcesOf(pool.class, { plan, federation: settings.federation.enabled }).includes("media");
  const singleton = isSingleton(pool);
  const database: ContainerSpec["env"] = {
    PGPASSWORD: { secret: input.databaseSecret, key: "password" },
    DB_HOST: serviceFqdn(SERVICES.pooler, NAMESPACES.matrix, settings.cluster.domain), DB_PORT: String(PORTS.postgres),
  };
  const wait: ContainerSpec = {
    // Bounded: a pod that has waited five minutes says so by failing.
    name: "wait-database", image, command: ["python", `${MOUNTS.shared}/${SHARED_FILES.wait}`, waitFor(pool.class), "300"],
    env: { ...database, PYTHONDONTWRITEBYTECODE: "1" },
    resources: { cpu: 0.05, memoryMiB: 128 }, mounts: [{ volume: "shared", path: MOUNTS.shared, readOnly: true }, { volume: "tmp", path: MOUNTS.tmp }],
  };
  const synapse: ContainerSpec = {
    name: "synapse", image, command: ["sh", "-c", startScript(input, servesMedia)],
    env: {
      // log.yaml names a filter, homeserver.yaml a module, that lie beside them.
      ...database, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", PYTHONPATH: MOUNTS.shared,
      ...(servesMedia ? { AWS_ACCESS_KEY_ID: { secret: input.mediaSecret, key: "accessKey" }, AWS_SECRET_ACCESS_KEY: { secret: input.mediaSecret, key: "secretKey" } } : {}),
    },
    ports: Object.fromEntries(Object.entries(portsOf({ settings, plan, class: pool.class })).map(([n, port]) => [n, { port }])),
    probes: probes(pool, singleton || isWriter(plan, pool.class)),
    resources: { cpu: pool.cpu, memoryMiB: pool.memoryMiB },
    mounts: [
      { volume: "shared", path: MOUNTS.shared, readOnly: true }, { volume: "class", path: MOUNTS.class, readOnly: true }, { volume: "secrets", path: MOUNTS.secrets, readOnly: true },
      ...(input.email ? [{ volume: "email", path: MOUNTS.email, readOnly: true }] : []), { volume: "data", path: MOUNTS.data }, { volume: "tmp", path: MOUNTS.tmp },
    ],
  };
  return {
    uid: SYNAPSE_UID, runtimePriority: PRIORITIES.core.name, containers: [synapse], initContainers: [wait],
    // Stopping took 2.3 s when measured. No rest before it: the router repeats elsewhere what the end cuts off (haproxyCfg.ts).
    terminationGracePeriodSeconds: 20,
    // At most one of each singleton, ever: nothing in the database fences a second. A lost node's come back when the
    // node is declared out of service, so there is no hurry to mark them; the others move soon.
    lostNodeSeconds: pool.kind === "StatefulSet" ? 300 : 30,
    volumes: [
      { name: "shared", configMap: input.sharedMap }, { name: "class", configMap: input.classMap }, { name: "secrets", secret: SECRETS.synapse },
      ...(input.email ? [{ name: "email", secret: "synapse-email" }] : []),
      // Half as much again as the cache may have: the trim runs once a minute.
      { name: "data", emptyDir: { sizeMiB: servesMedia ? settings.media.cacheGiB * 1024 * 1.5 : 256 } },
      // Twisted spools uploads to files here.
      { name: "tmp", emptyDir: { sizeMiB: servesMedia ? Math.max(1024, settings.media.maxUploadMiB * 10) : 256 } },
    ],
  };
}
