/**
 * The command of a container of Synapse: it waits for the database where it must, then runs Synapse, and passes on the
 * signal to end. Pure.
 */
import { scriptFrom, verbatim } from "../../core/scripts";
import type { Settings } from "../../settings/types";
import type { Plan, PoolPlan } from "../../sizing/types";
import { isAlone, isWriter } from "./instances";
import { CLASS_FILE, EMAIL_FILE, EXTRA_FILE, MOUNTS, SHARED_FILES } from "./paths";

/** What the command depends on. */
export interface SynapseStartInput {
  settings: Settings;
  plan: Plan;
  /** The class that it is for. */
  pool: PoolPlan;
  /** The Secret with secret options of all processes. @default there is none */
  email?: unknown;
  /** Whether the class has a Secret with further options. @default false */
  extra?: unknown;
}

/**
 * Bound of the wait for the database at a restart. Less than the startup probe of a worker allows (180 s), with room
 * for the start itself.
 */
const RESTART_WAIT_SECONDS = 120;
/** How often a writer looks whether another data centre has taken over: two that write are to be found soon. */
const WATCH_SECONDS = 30;
/** What the database must provide before a process of this class starts; an argument of scripts/wait_database.py. */
export const waitFor = (cls: PoolPlan["class"]): string => (cls === "main" ? "connection" : "schema");

/**
 * The shell command of a container. Notes on synapseStart.sh:
 *
 * `run PROGRAM...` waits for the program's end and passes on the kubelet's signal. Without a trap the first process of
 * a container ignores that signal: a pod that was waiting for its database stayed for the whole grace period. The
 * signal may arrive after the shell has started the program and before it knows its id, and it ends the wait before the
 * process.
 *
 * jemalloc keeps Python's memory from fragmenting and lets Synapse bound its caches; its path differs between images.
 *
 * Synapse is started again when it ends by itself soon after its start. At its start each process deletes the positions
 * of event persisters that no longer exist. PostgreSQL refuses that transaction when a removed persister, which still
 * runs while their number decreases, writes its position at that moment ("could not serialize access",
 * _load_current_ids of storage/util/id_generators.py): a writer ended three times, and was away for 70 s
 * (`npm run test:cluster`, change-back). Each try took 4 to 8 s on a busy machine, and tries go on for 60 s; the
 * kubelet would wait 10, 20, 40 s between them.
 * @param servesMedia Whether the class serves media: then it trims its cache as well
 */
export function synapseStart(input: SynapseStartInput, servesMedia: boolean): string {
  const { class: cls } = input.pool;
  const waits = `run python ${MOUNTS.shared}/${SHARED_FILES.wait} ${waitFor(cls)} ${RESTART_WAIT_SECONDS}`;
  const files = [
    `${MOUNTS.shared}/${SHARED_FILES.homeserver}`,
    ...(input.email === undefined ? [] : [`${MOUNTS.email}/${EMAIL_FILE}`]),
    `${MOUNTS.class}/${CLASS_FILE}`,
    ...(input.extra === undefined ? [] : [`${MOUNTS.extra}/${EXTRA_FILE}`]),
    ...(cls === "main" ? [] : [`${MOUNTS.tmp}/name.yaml`]),
  ];
  const cacheBytes = input.settings.media.cacheGiB * 1024 ** 3;
  const before = [
    // A process is named after its pod: the names are unique, and the writers' names are those of instance_map.
    ...(cls === "main" ? [] : [`printf 'worker_name: "%s"\\n' "$HOSTNAME" > ${MOUNTS.tmp}/name.yaml`]),
    ...(servesMedia ? [`python ${MOUNTS.shared}/${SHARED_FILES.trim} ${MOUNTS.data}/media ${cacheBytes} &`] : []),
    ...(input.settings.trustedAuthorities ? [trustOf(input.settings, servesMedia)] : []),
    // Each time, before anything is written: a machine that comes back starts its containers without the stack.
    ...(input.settings.dataCentre ? oneCentre(input.pool) : []),
    // The init container waits before the first start only. A database that goes away during that start (a switchover
    // while a node is drained) ends the process; the next start waits instead of failing again into the kubelet's
    // back-off. A writer settles its sequences as well, each time and as late as possible (scripts/wait_database.py).
    ...(isWriter(input.plan, cls)
      ? [`${waits} settle`]
      : [`if [ -e ${MOUNTS.tmp}/started ]; then ${waits}; fi`, `: > ${MOUNTS.tmp}/started`]),
  ];
  const app = cls === "main" ? "homeserver" : "generic_worker";
  return scriptFrom(__dirname, "synapseStart.sh", {
    BEFORE: verbatim(before.join("\n")),
    SYNAPSE: verbatim(`python -m synapse.app.${app} ${files.map((f) => `-c ${f}`).join(" ")} --no-secrets-in-config`),
  }).trimEnd();
}

/** Lines that keep a process from running beside another data centre's. The writers also look while they run. */
function oneCentre(pool: PoolPlan): string[] {
  const program = `python ${MOUNTS.shared}/${SHARED_FILES.centre}`;
  return [`run ${program} ${RESTART_WAIT_SECONDS}`, ...(isAlone(pool) ? [`${program} watch ${WATCH_SECONDS} &`] : [])];
}

/** Where the authorities are, or shall be. */
interface Trusted {
  /** The file of `trustedAuthorities`. */
  own: string;
  /** The file to write: the public ones and these. */
  both: string;
  /** The file that boto3 reads; undefined in processes that serve no media. */
  forS3?: string;
  /** Whether there are modules, which may call servers by libraries of their own. @default false */
  modules?: boolean;
}

/**
 * Lines that make Synapse trust `trustedAuthorities` beside the public authorities. Notes on trustAuthorities.sh:
 *
 * Twisted takes both from OpenSSL's one file, SSL_CERT_FILE (for OpenID Connect, SMTP, push and federation), and boto3
 * takes AWS_CA_BUNDLE in place of its own. The public ones are those that the process would use otherwise: the image's,
 * or in an image without them those of Python's certifi, which Synapse depends on.
 */
export const trust = ({ own, both, forS3, modules }: Trusted): string =>
  scriptFrom(__dirname, "trustAuthorities.sh", {
    OWN: own,
    BOTH: both,
    FOR_S3: verbatim(
      [
        ...(forS3 === undefined ? [] : [`export AWS_CA_BUNDLE=${forS3}`]),
        // Python's requests has certifi's file, unless this names another. aiohttp, httpx and ldap3 take SSL_CERT_FILE.
        ...(modules ? [`export REQUESTS_CA_BUNDLE=${both}`] : []),
      ].join("\n"),
    ),
  }).trimEnd();

function trustOf({ objectStore, synapse }: Settings, servesMedia: boolean): string {
  const own = `${MOUNTS.shared}/${SHARED_FILES.authorities}`,
    both = `${MOUNTS.tmp}/authorities.crt`;
  const only = objectStore.kind === "s3" && objectStore.privateAuthority;
  return trust({
    own,
    both,
    ...(servesMedia ? { forS3: only ? own : both } : {}),
    modules: synapse.modules.length > 0,
  });
}
