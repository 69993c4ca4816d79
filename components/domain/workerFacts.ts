/** The facts that are kept about a class of Synapse processes; the table itself is workers.ts. Pure. */
import type { Anchor } from "./anchors";

/** Number and size of a class's processes, by the number of users. Each row says where it comes from (anchors.ts). */
export interface WorkerSize {
  /** Processes to start with. */
  replicas: Anchor;
  /** Requested cores of each, vCPU. */
  cpu: Anchor;
  /** Memory of each, GiB. */
  memoryGiB: Anchor;
  /** Largest database connection pool of each (`cp_max`), connections. */
  cpMax: Anchor;
}

/**
 * What decides the number of processes. `why` completes "because ..." for people, in errors and in docs/policy.md.
 */
export type Scaling =
  /** An autoscaler: processes are stateless and found by the name of their Service. A Deployment. */
  | { mode: "autoscaled"; why: string }
  /**
   * The plan, or an override: peers find each process by its name. A StatefulSet.
   * `alone`: why one process may be enough (rule 12 of policy/ asks for two). @default at least two in every stack
   */
  | { mode: "fixed"; why: string; alone?: string }
  /** Synapse: it refuses a second process, or silently breaks with one. A StatefulSet. */
  | { mode: "single"; why: string };

/** Conditions on the settings for the class to exist; all of them must hold. */
export interface Needs {
  /** Only with `federation.enabled`. @default with or without */
  federation?: true;
  /** Only with `presence.enabled`. @default with or without */
  presence?: true;
  /** Only with `appservices`. @default with or without */
  appservices?: true;
  /** Only with at least this many concurrent users (`ccu`). @default any number */
  ccu?: number;
}

/** A stream of Synapse with configurable writers. Source: docs/workers.md of Synapse, stream writers. */
export interface StreamFacts {
  /** Its name for people, in the plan's costs of a loss. @example "read receipts" */
  known: string;
  /** Synapse takes exactly one writer: a second is a ConfigError in every process. */
  single: boolean;
  /** Its place in homeserver.yaml's `stream_writers`. A new stream goes last: another order restarts every process. */
  place: number;
}

/** Limits that the router applies to a class that it sends requests to. */
export interface RouterFacts {
  /** Most requests in flight in each process. More wait in the router, where they cost nothing, not in the process. */
  inFlight: number;
  /** Requests in flight per concurrent user, shared by the processes, where that exceeds `inFlight`. @default 0 */
  inFlightPerUser?: number;
  /** Seconds until an answer must begin (HAProxy's `timeout server`). */
  answerSeconds: number;
}

/** What the loss of one process costs. */
export interface Loss {
  /** What users notice meanwhile. @default the streams that the class writes "answer 503 or wait" */
  effect?: string;
  /** Upper bound of the seconds until it serves again. Absent where others take over at once. */
  seconds?: number;
  /** Where the seconds come from. @example "measured: 0 client errors when one of several is killed" */
  source: string;
}

/**
 * Groups in the order of their start; each starts when the one before it is ready. The main process comes first: it
 * owns the schema. Then come the writers, which no other process replaces: on small machines they do not start in a
 * crowd. Then come the event persisters with the classes that hand them events (layers/synapse/routes.ts), and no
 * others: while the number of persisters changes, old and new processes do not speak with each other, so nothing may
 * delay them.
 */
export const START_ORDER = ["main", "writers", "events", "others"] as const;
export type StartGroup = (typeof START_ORDER)[number];

/** Destinations that processes of a class call, outside of Synapse, its database and Redis. */
export type Destination =
  /** Gateways of push notifications, anywhere. */
  | "push-gateways"
  /** The SMTP server of the settings: notices, registration and password reset, reminders. */
  | "mail"
  /** OpenID providers of the settings: for the classes that answer logins. */
  | "identity-providers"
  /** LDAP servers of the settings: for the classes that check passwords, also of who confirms an action. */
  | "password-directories"
  /** Appservices of the settings: for the class that sends them events, and those that ask them for users and rooms. */
  | "appservices"
  /** The object store of media, and the pages that URL previews show where those are on. */
  | "media-store";

/** Options of homeserver.yaml that name a class's processes. Source: Synapse's configuration documentation. */
export type NamingOption =
  | "pusher_instances"
  | "run_background_tasks_on"
  | "notify_appservices_from_worker"
  | "update_user_directory_from_worker"
  | "media_instance_running_background_jobs"
  | "federation_sender_instances";

/** All facts about one class; `Class` is the union of all classes' names. */
export interface WorkerFacts<Class extends string = string> {
  size: WorkerSize;
  scaling: Scaling;
  /** @default every deployment has the class */
  needs?: Needs;
  /** The class that writes its streams where it does not exist itself. @default main, as Synapse does it */
  otherwise?: Class;
  /** Streams that it writes. Each stream is written by one class. */
  streams: Readonly<Record<string, StreamFacts>>;
  /** "none": no path leads to it. The compiler and a test check that layers/synapse/routes.ts agrees. */
  router: RouterFacts | "none";
  loss: Loss;
  /** The group in which it starts. */
  start: StartGroup;
  /** Destinations that its processes call. @default none */
  calls?: readonly Destination[];
  /** Options of homeserver.yaml that name its processes. @default none */
  namedBy?: readonly NamingOption[];
}
