/**
 * What a container of Synapse runs: it waits for the database where it must, then Synapse, which it ends when it is
 * told to. Pure.
 */
import type { Settings } from "../../settings/types";
import type { Plan, PoolPlan } from "../../sizing/types";
import { isWriter } from "./instances";
import { CLASS_FILE, EMAIL_FILE, MOUNTS, SHARED_FILES } from "./paths";

export interface SynapseStartInput {
  settings: Settings;
  plan: Plan;
  pool: PoolPlan;
  /** Whether the SMTP Secret exists. */
  email: boolean;
}

/** jemalloc keeps Python's memory from fragmenting and lets Synapse bound its caches; where an image has it differs. */
const JEMALLOC = [
  "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
  "/usr/lib/aarch64-linux-gnu/libjemalloc.so.2",
  "/usr/lib/libjemalloc.so.2",
];

/** Less than the startup probe of a worker allows (180 s), with room for the start itself. */
const RESTART_WAIT_SECONDS = 120;
/** What the database must have before a process of this class starts. */
export const waitFor = (cls: PoolPlan["class"]): string => (cls === "main" ? "connection" : "schema");

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
  // The signal may have come while the shell had started it and did not know it yet.
  '  [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null || true',
  '  wait "$child" || code=$?',
  // A signal ends the wait before the process.
  '  while kill -0 "$child" 2>/dev/null; do code=0; wait "$child" || code=$?; done',
  '  [ -z "$stopping" ] || exit "$code"',
  '  child=; return "$code"',
  "}",
];

/**
 * Runs Synapse, and once more when it ends by itself soon after its start. Each process deletes at its start the
 * positions of event persisters that are no more, in a transaction that PostgreSQL refuses when such a one, which still
 * runs while their number becomes smaller, writes its position just then ("could not serialize access",
 * _load_current_ids of storage/util/id_generators.py): a writer ended three times, and was away for 70 s (`npm run
 * test:cluster`, change-back).
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

export function synapseStart(input: SynapseStartInput, servesMedia: boolean): string {
  const { class: cls } = input.pool;
  const waits = `run python ${MOUNTS.shared}/${SHARED_FILES.wait} ${waitFor(cls)} ${RESTART_WAIT_SECONDS}`;
  const files = [
    `${MOUNTS.shared}/${SHARED_FILES.homeserver}`,
    ...(input.email ? [`${MOUNTS.email}/${EMAIL_FILE}`] : []),
    `${MOUNTS.class}/${CLASS_FILE}`,
    ...(cls === "main" ? [] : [`${MOUNTS.tmp}/name.yaml`]),
  ];
  const cacheBytes = input.settings.media.cacheGiB * 1024 ** 3;
  return [
    "set -eu",
    ...RUN,
    `for library in ${JEMALLOC.join(" ")}; do if [ -e "$library" ]; then export LD_PRELOAD="$library"; break; fi; done`,
    // A process is named after its pod: no two are alike, and the writers' names are those of instance_map.
    ...(cls === "main" ? [] : [`printf 'worker_name: "%s"\\n' "$HOSTNAME" > ${MOUNTS.tmp}/name.yaml`]),
    ...(servesMedia ? [`python ${MOUNTS.shared}/${SHARED_FILES.trim} ${MOUNTS.data}/media ${cacheBytes} &`] : []),
    // The init container waits before the first start only. A database that goes away during that start (a switchover
    // while a node is drained) ends the process; the next start waits instead of failing again into the kubelet's
    // back-off. A writer settles its sequences as well, each time and as late as possible (scripts/waitDatabase.ts).
    ...(isWriter(input.plan, cls)
      ? [`${waits} settle`]
      : [`if [ -e ${MOUNTS.tmp}/started ]; then ${waits}; fi`, `: > ${MOUNTS.tmp}/started`]),
    ...runAgain(
      `python -m synapse.app.${cls === "main" ? "homeserver" : "generic_worker"} ${files.map((f) => `-c ${f}`).join(" ")} --no-secrets-in-config`,
    ),
  ].join("\n");
}
