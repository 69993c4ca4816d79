/**
 * The classes of Synapse processes: all facts about each, in one place. Settings, sizing, layers and policy read them
 * here. To add or remove a class, change its entry here and its routes in layers/synapse/routes.ts. Pure.
 */
import { decision, run, type Anchor } from "./anchors";
import type { StreamFacts, WorkerFacts, WorkerSize } from "./workerFacts";

// ------------------------------------------------------------------ sizes that several classes share
const ONE = decision("Synapse allows exactly one", "processes", 1, 1, 1, 1, 1);
const LIGHT_CPU = decision(
  "one Python process: at most one busy core, bursts are not limited",
  "vCPU",
  0.1,
  0.5,
  0.75,
  1,
  1,
);
const LIGHT_MEMORY = decision("idle 0.14 GiB measured; caches grow with global_factor", "GB", 0.3125, 0.75, 1.5, 2, 2);
/**
 * The pools that were run (8 to 15 for every worker) do not fit at the autoscalers' maximum: at 20,000 users the
 * starting replicas alone would hold 565 of 600 connections. So the classes that write or read the database most keep
 * larger pools, and the others hold five: that fits 0.85 x max_connections of every anchor.
 */
const SMALL_POOL = decision("mostly memory and replication, few transactions at a time", "connections", 5, 5, 5, 5, 5);
const READER_POOL = decision(
  "what fits the budget at the autoscaling maximum; run with 8 to 15 without that budget",
  "connections",
  7,
  7,
  7,
  7,
  7,
);
const light = (replicas: Anchor): WorkerSize => ({
  replicas,
  cpu: LIGHT_CPU,
  memoryGiB: LIGHT_MEMORY,
  cpMax: SMALL_POOL,
});

/** From here on typing, presence and to-device each have a process of their own. */
const OWN_WRITERS_CCU = 5_000;

/** Stateless processes replace each other. */
const STATELESS = { mode: "autoscaled", why: "it keeps no state and is found by the name of its Service" } as const;
/** Why one process is enough in small stacks, for a class whose work is divided among its processes. */
const SMALL_STACKS = "a second would halve the effect of a loss, which small stacks do not need";

/** A stream at its place in `stream_writers` (StreamFacts.place), with one writer or several. */
const oneWriter = (place: number, known: string): StreamFacts => ({ known, single: true, place });
const writers = (place: number, known: string): StreamFacts => ({ known, single: false, place });

/** For classes that answer clients' requests at once. */
const REQUESTS = { inFlight: 256, answerSeconds: 120 } as const;

const TAKEN_OVER = "measured: 0 client errors when one of several is killed";
/** A worker was back after 3.5 s when it started alone, and after up to 15 s while others started. */
const WORKER_BACK = {
  seconds: 15,
  source: "measured: a worker starts in 3.5 s alone; the bound allows for others that start",
} as const;

const TABLE = {
  main: {
    size: {
      replicas: ONE,
      cpu: run("vCPU", 2, 2, 4, 4, 4),
      memoryGiB: run("GB", 4, 8, 12, 16, 16),
      cpMax: run("connections", 10, 15, 18, 20, 25),
    },
    scaling: { mode: "single", why: "there is one main process by design" },
    streams: {},
    router: { inFlight: 512, answerSeconds: 120 },
    loss: {
      effect: "logins wait and main-only calls answer 503; sending, sync, media and keys go on",
      seconds: 20,
      source: "measured: back in 3 to 4 s as a process, in 11 s as a pod; 20 s is a bound",
    },
    start: "main",
    calls: ["mail", "identity-providers", "password-directories", "appservices"],
  },
  synchrotron: {
    size: {
      replicas: run("processes", 2, 4, 8, 12, 16),
      cpu: run("vCPU", 1, 1.5, 2, 2, 2),
      memoryGiB: run("GB", 1, 2, 3, 4, 4),
      cpMax: READER_POOL,
    },
    scaling: STATELESS,
    streams: {},
    // Long polls are idle connections: each user holds one or two, and half of the pods may have to carry all of them.
    // They last 30 s and more.
    router: { inFlight: 512, inFlightPerUser: 4, answerSeconds: 180 },
    loss: { effect: "none: requests go to the others at once", source: TAKEN_OVER },
    start: "others",
  },
  "initial-sync": {
    size: {
      replicas: decision(
        "first syncs are rare and heavy: processes of their own keep them from slowing other requests",
        "processes",
        2,
        2,
        3,
        4,
        5,
      ),
      cpu: decision("as synchrotron; seldom busy at the small end", "vCPU", 0.25, 1, 2, 2, 2),
      memoryGiB: decision("as synchrotron", "GB", 0.5, 2, 3, 4, 4),
      cpMax: SMALL_POOL,
    },
    scaling: STATELESS,
    streams: {},
    // First syncs are heavy, so each process takes few at a time; those of large accounts take minutes.
    router: { inFlight: 32, answerSeconds: 600 },
    loss: { effect: "first syncs on it start again on another", source: TAKEN_OVER },
    start: "others",
  },
  generic: {
    size: {
      replicas: run("processes", 2, 4, 6, 8, 10),
      cpu: decision("a quarter of a synchrotron at the small end", "vCPU", 0.25, 1, 1.5, 2, 2),
      memoryGiB: decision("as synchrotron, without its caches", "GB", 0.5, 1.5, 2, 3, 3),
      cpMax: READER_POOL,
    },
    scaling: STATELESS,
    streams: {},
    router: REQUESTS,
    loss: { effect: "none: requests go to the others at once", source: TAKEN_OVER },
    // It hands clients' writes in rooms to the persisters.
    start: "events",
    calls: ["identity-providers", "password-directories", "appservices"],
  },
  "event-persister": {
    size: {
      replicas: run("processes", 2, 2, 3, 4, 4),
      cpu: decision("one busy core at most", "vCPU", 0.25, 1, 1.5, 2, 2),
      memoryGiB: decision("event cache", "GB", 0.5, 1.5, 2, 3, 3),
      cpMax: decision("as run, without the dip from 15 to 12", "connections", 8, 12, 12, 12, 12),
    },
    scaling: { mode: "fixed", why: "each event persister is the only one for its share of the rooms" },
    streams: { events: writers(0, "events") },
    router: "none",
    loss: {
      effect: "sends in its share of the rooms wait, then complete",
      // 15 s as for any worker, and another 12 s until the waiting processes try again (back-off).
      seconds: 27,
      source: "measured: waiting sends resume about 12 s after it is healthy",
    },
    start: "events",
  },
  media: {
    size: {
      replicas: run("processes", 2, 2, 3, 3, 4),
      cpu: LIGHT_CPU,
      memoryGiB: decision("thumbnails of large images", "GB", 0.5, 1, 2, 2, 2),
      cpMax: SMALL_POOL,
    },
    scaling: { mode: "fixed", why: "one of them is named for the media repository's own jobs and for quarantine" },
    streams: { quarantined_media_changes: writers(9, "quarantine of media") },
    // Uploads of large files take their time.
    router: { inFlight: 256, answerSeconds: 300 },
    loss: {
      effect: "none for uploads and downloads; quarantine calls wait if it is media-0",
      source: TAKEN_OVER,
    },
    start: "writers",
    calls: ["media-store"],
    namedBy: ["media_instance_running_background_jobs"],
  },
  ephemeral: {
    size: light(ONE),
    scaling: { mode: "single", why: "it writes typing notifications" },
    streams: { typing: oneWriter(1, "typing notices") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
  },
  presence: {
    size: light(ONE),
    scaling: { mode: "single", why: "it writes presence" },
    needs: { presence: true, ccu: OWN_WRITERS_CCU },
    // The stream needs a writer even where presence is off.
    otherwise: "ephemeral",
    streams: { presence: oneWriter(5, "presence") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
  },
  "to-device": {
    size: light(ONE),
    scaling: { mode: "single", why: "it writes to-device messages" },
    needs: { ccu: OWN_WRITERS_CCU },
    otherwise: "account",
    streams: { to_device: oneWriter(2, "to-device messages (keys)") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
  },
  account: {
    size: light(ONE),
    scaling: { mode: "single", why: "it writes account data and push rules" },
    streams: { account_data: oneWriter(3, "changes of account data"), push_rules: oneWriter(6, "push rules") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
  },
  receipts: {
    size: light(run("processes", 2, 2, 2, 2, 3)),
    scaling: {
      mode: "fixed",
      why: "each writer of receipts is the only one for its share of the users",
      alone: "one only where the overrides ask for it, as on the local stack",
    },
    streams: { receipts: writers(4, "read receipts"), thread_subscriptions: writers(8, "thread subscriptions") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
  },
  "device-lists": {
    size: light(decision("several allowed; two from 5,000 on", "processes", 1, 1, 2, 2, 2)),
    scaling: {
      mode: "fixed",
      why: "each writer of device lists is the only one for its share of the users",
      alone: SMALL_STACKS,
    },
    streams: { device_lists: writers(7, "device list updates") },
    router: REQUESTS,
    loss: WORKER_BACK,
    start: "writers",
    // Whoever deletes a device or replaces keys confirms it with a password.
    calls: ["password-directories"],
  },
  "federation-reader": {
    size: {
      replicas: decision("inbound transactions of other servers", "processes", 2, 2, 4, 4, 6),
      cpu: LIGHT_CPU,
      memoryGiB: LIGHT_MEMORY,
      cpMax: SMALL_POOL,
    },
    scaling: STATELESS,
    needs: { federation: true },
    streams: {},
    router: REQUESTS,
    loss: { effect: "other servers' transactions go to the others, or are sent again", source: TAKEN_OVER },
    // It hands other servers' writes in rooms to the persisters.
    start: "events",
    calls: ["appservices"],
  },
  "federation-sender": {
    size: light(run("processes (6 to 8 at 20,000)", 2, 2, 4, 4, 8)),
    scaling: { mode: "fixed", why: "each federation sender is the only one for its share of the other servers" },
    needs: { federation: true },
    streams: {},
    router: "none",
    loss: { effect: "its share of the outgoing federation waits", ...WORKER_BACK },
    start: "others",
    namedBy: ["federation_sender_instances"],
  },
  pusher: {
    size: light(decision("sharded by user; two from 5,000 on", "processes", 1, 1, 2, 2, 2)),
    scaling: { mode: "fixed", why: "each pusher is the only one for its share of the users", alone: SMALL_STACKS },
    streams: {},
    router: "none",
    loss: { effect: "push notices of its share wait", ...WORKER_BACK },
    start: "others",
    calls: ["push-gateways", "mail"],
    namedBy: ["pusher_instances"],
  },
  /**
   * Their own process from the first one on. Each event goes through it, and each room's members are compared with
   * their expressions; cleanups beside that would delay every bridge. And as it exists only while there are
   * appservices, no event is ever sent by two processes while one takes the work over from the other.
   */
  appservice: {
    size: light(ONE),
    scaling: { mode: "single", why: "notify_appservices_from_worker names one process" },
    needs: { appservices: true },
    streams: {},
    router: "none",
    loss: { effect: "bridges and bots get no events meanwhile, and all of them afterwards", ...WORKER_BACK },
    start: "others",
    calls: ["appservices"],
    namedBy: ["notify_appservices_from_worker"],
  },
  background: {
    size: {
      replicas: ONE,
      cpu: LIGHT_CPU,
      memoryGiB: LIGHT_MEMORY,
      cpMax: decision("cleanups run side by side", "connections", 6, 8, 10, 10, 10),
    },
    scaling: { mode: "single", why: "run_background_tasks_on names one process" },
    streams: {},
    router: "none",
    loss: { effect: "cleanups wait", ...WORKER_BACK },
    start: "others",
    calls: ["mail"],
    namedBy: ["run_background_tasks_on", "notify_appservices_from_worker"],
  },
  "user-directory": {
    size: light(ONE),
    scaling: { mode: "single", why: "update_user_directory_from_worker names one process" },
    streams: {},
    router: "none",
    loss: { effect: "searches find no new users meanwhile", ...WORKER_BACK },
    start: "others",
    namedBy: ["update_user_directory_from_worker"],
  },
} as const satisfies Record<string, WorkerFacts>;

/** Name of a class; its Service, workload and router backend are named after it. */
export type WorkerClass = keyof typeof TABLE;
/** Classes that paths may lead to. */
export type RoutedClass = {
  [C in WorkerClass]: (typeof TABLE)[C]["router"] extends "none" ? never : C;
}[WorkerClass];
/** Streams of Synapse with configurable writers. */
export type Stream = { [C in WorkerClass]: keyof (typeof TABLE)[C]["streams"] }[WorkerClass];

/** The table, in the order in which the plan and docs/policy.md list the classes. */
export const WORKERS: Readonly<Record<WorkerClass, WorkerFacts<WorkerClass>>> = TABLE;
