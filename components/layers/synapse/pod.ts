/** The pod of one class: what it starts, what it mounts, when it counts as alive. Pure. */
import type { Input } from "@pulumi/pulumi";
import { bodyLimits } from "../../domain/bodies";
import { WORKERS } from "../../domain/workers";
import { PRIORITIES } from "../../core/priorities";
import { imageRef } from "../../core/images";
import { NAMESPACES, ONLY_ONE, PORTS, SECRETS, SERVICES, serviceFqdn } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { PoolPlan } from "../../sizing/types";
import type { ContainerSpec, MountSpec, PodSpec, Probes, VolumeSpec } from "../../core/workload";
import { LOST_NODE_TOLERATION } from "../../sizing/failures";
import { aliased } from "../cluster/reach/hostAliases";
import { proxyEnv } from "../cluster/reach/proxy";
import { isAlone, isSingleton, isWriter } from "./instances";
import { MOUNTS, SHARED_FILES } from "./paths";
import { resourcesOf, routingInput } from "./routingTable";
import { synapseStart, waitFor, type SynapseStartInput } from "./synapseStart";
import { termsItems } from "./terms";
import { portsOf } from "./workerYaml";
import { IMAGES } from "./images";

/** User of the processes. Synapse's image has 991; uids of pods are above 1000 here. */
export const SYNAPSE_UID = 1991;

/** What the pod of a class is made from. */
export interface SynapsePodInput extends SynapseStartInput {
  /** Name of the ConfigMap that all processes read. */
  sharedMap: string;
  /** Name of the class's ConfigMap. */
  classMap: string;
  /** Name of the Secret with the database's `password`. */
  databaseSecret: string;
  /** Name of the Secret with the object store's `accessKey` and `secretKey`; used by classes that serve media. */
  mediaSecret: string;
  /** Name of the Secret with those options of all processes that are secret. @default there is none */
  email?: Input<string>;
  /** Name of the class's Secret with further options. @default it has none */
  extra?: Input<string>;
  /** Where the registrations of appservices are. @default there are none */
  appservices?: RegistrationSource[];
  /** Name of the ConfigMap with the terms' pages. @default there are none */
  termsMap?: string;
}

/** A Secret with registrations; of one that the stack did not make, the one key and the file's name. */
export interface RegistrationSource {
  secret: string;
  items?: Record<string, string>;
}
/** Every process reads them: which users and rooms are an appservice's, and whose a token is. */
export const appservicesVolume = (sources: RegistrationSource[]): VolumeSpec => ({
  name: "appservices",
  projected: sources,
});
/** Every process refuses to start without the folder, though only the main one serves the pages. */
export const termsVolume = ({ terms }: Settings, configMap?: string): VolumeSpec[] =>
  terms && configMap !== undefined ? [{ name: "terms", configMap, items: termsItems(terms) }] : [];
export const TERMS_MOUNT: MountSpec = { volume: "terms", path: MOUNTS.terms, readOnly: true };
export const APPSERVICES_MOUNT: MountSpec = { volume: "appservices", path: MOUNTS.appservices, readOnly: true };

/**
 * /health says that the process answers, and nothing about the database or Redis, so liveness depends on no other
 * service. It shares the reactor with all else: a process that resolves the state of a large room, or collects garbage,
 * answers late and is not dead. Where no other takes over, a restart makes it worse: caches are cold, and what it was
 * doing begins anew. So such a process gets three minutes; others, which the router replaces at once, get one. What
 * tells clients that it is slow is readiness.
 */
function probes(pool: PoolPlan, single: boolean): Probes {
  const health = { http: "/health", port: "health" };
  return {
    // A schema upgrade of the main process: up to half an hour. Measured: 11 s for a new schema, 3.5 s for a worker.
    startup: {
      ...health,
      timing: { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: pool.class === "main" ? 900 : 90 },
    },
    readiness: { ...health, timing: { periodSeconds: single ? 2 : 3, timeoutSeconds: 3, failureThreshold: 2 } },
    liveness: {
      ...health,
      timing: { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: single ? 18 : 6 },
    },
  };
}

/** Whether the router sends requests to the class: others get small ones only, from Synapse itself. */
const isRouted = (cls: PoolPlan["class"]): boolean => WORKERS[cls].router !== "none";

/** The pod of one class. */
export function synapsePod(input: SynapsePodInput): PodSpec {
  const { settings, plan, pool } = input;
  const image = imageRef(settings, IMAGES.synapse);
  const servesMedia = resourcesOf(pool.class, routingInput(input)).includes("media");
  const singleton = isSingleton(pool);
  const bodies = bodyLimits(settings, plan.router);
  const database: ContainerSpec["env"] = {
    PGPASSWORD: { secret: input.databaseSecret, key: "password" },
    DB_HOST: serviceFqdn(SERVICES.pooler, NAMESPACES.matrix, settings.cluster.domain),
    DB_PORT: String(PORTS.postgres),
  };
  const wait: ContainerSpec = {
    // Bounded: a pod that has waited five minutes says so by failing.
    name: "wait-database",
    image,
    command: ["python", `${MOUNTS.shared}/${SHARED_FILES.wait}`, waitFor(pool.class), "300"],
    env: { ...database, PYTHONDONTWRITEBYTECODE: "1" },
    resources: { cpu: 0.05, memoryMiB: 128 },
    mounts: [
      { volume: "shared", path: MOUNTS.shared, readOnly: true },
      { volume: "tmp", path: MOUNTS.tmp },
    ],
  };
  const synapse: ContainerSpec = {
    name: "synapse",
    image,
    command: ["sh", "-c", synapseStart(input, servesMedia)],
    env: {
      ...database,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      // log.yaml names a filter and homeserver.yaml a module; both are files beside them.
      PYTHONPATH: MOUNTS.shared,
      // What PostgreSQL calls the sessions, unless scripts/only_one.py gives them the name of the process.
      PGAPPNAME: "synapse",
      ...(isAlone(pool) ? { POD_UID: { field: "metadata.uid" } } : {}),
      ...(servesMedia
        ? {
            AWS_ACCESS_KEY_ID: { secret: input.mediaSecret, key: "accessKey" },
            AWS_SECRET_ACCESS_KEY: { secret: input.mediaSecret, key: "secretKey" },
          }
        : {}),
      // Synapse's own options for it could not hold a password; boto3 reads these as well.
      ...proxyEnv(settings),
    },
    ports: Object.fromEntries(
      Object.entries(portsOf({ settings, plan, class: pool.class })).map(([n, port]) => [n, { port }]),
    ),
    probes: probes(pool, singleton || isWriter(plan, pool.class)),
    resources: { cpu: pool.cpu, memoryMiB: pool.memoryMiB },
    mounts: [
      { volume: "shared", path: MOUNTS.shared, readOnly: true },
      { volume: "class", path: MOUNTS.class, readOnly: true },
      { volume: "secrets", path: MOUNTS.secrets, readOnly: true },
      ...(input.appservices ? [APPSERVICES_MOUNT] : []),
      ...(input.termsMap === undefined ? [] : [TERMS_MOUNT]),
      ...(input.email === undefined ? [] : [{ volume: "email", path: MOUNTS.email, readOnly: true }]),
      ...(input.extra === undefined ? [] : [{ volume: "extra", path: MOUNTS.extra, readOnly: true }]),
      { volume: "data", path: MOUNTS.data },
      { volume: "tmp", path: MOUNTS.tmp },
    ],
  };
  return {
    uid: SYNAPSE_UID,
    runtimePriority: PRIORITIES.core.name,
    containers: [synapse],
    initContainers: [wait],
    // Stopping took 2.3 s when measured. There is no pause before it: the router repeats requests that it cuts off on
    // another process (haproxyCfg.ts).
    terminationGracePeriodSeconds: 20,
    lostNodeSeconds: LOST_NODE_TOLERATION,
    ...aliased(settings),
    // One machine shall carry as few of them as possible.
    ...(isAlone(pool) ? { labels: ONLY_ONE, apartFrom: { labels: ONLY_ONE, always: false } } : {}),
    volumes: [
      { name: "shared", configMap: input.sharedMap },
      { name: "class", configMap: input.classMap },
      { name: "secrets", secret: SECRETS.synapse },
      ...(input.appservices ? [appservicesVolume(input.appservices)] : []),
      ...termsVolume(settings, input.termsMap),
      ...(input.email === undefined ? [] : [{ name: "email", secret: input.email }]),
      ...(input.extra === undefined ? [] : [{ name: "extra", secret: input.extra }]),
      {
        name: "data",
        emptyDir: servesMedia
          ? { sizeMiB: bodies.cacheMiB, usualMiB: settings.media.cacheGiB * 1024 }
          : { sizeMiB: 256 },
      },
      // Bodies of requests are files here.
      {
        name: "tmp",
        emptyDir: {
          sizeMiB: servesMedia ? bodies.uploadFilesMiB : isRouted(pool.class) ? bodies.filesMiB : 256,
          usualMiB: 64,
        },
      },
    ],
  };
}
