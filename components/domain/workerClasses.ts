/** Synapse's worker classes and streams. Pure. */

/** The most pods of one workload that overrides take. Event persisters have a port for each number of them. */
export const MAX_REPLICAS = 500;

/** The classes of Synapse processes. A class is a Service, a workload and a router backend of that name. */
export const WORKER_CLASSES = [
  "main",
  "synchrotron",
  "initial-sync",
  "generic",
  "event-persister",
  "media",
  "ephemeral",
  "presence",
  "to-device",
  "account",
  "receipts",
  "device-lists",
  "federation-reader",
  "federation-sender",
  "pusher",
  "background",
  "user-directory",
] as const;
export type WorkerClass = (typeof WORKER_CLASSES)[number];

/** Streams of Synapse with configurable writers. */
export const STREAMS = [
  "events",
  "typing",
  "to_device",
  "account_data",
  "receipts",
  "presence",
  "push_rules",
  "device_lists",
  "thread_subscriptions",
  "quarantined_media_changes",
] as const;
export type Stream = (typeof STREAMS)[number];
