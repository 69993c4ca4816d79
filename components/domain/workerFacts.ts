/** What there is to know of a class of Synapse processes; the table itself is workers.ts. Pure. */
import type { Anchor } from "./anchors";

/** What one process of a class gets, by the number of users. Source: the anchors (anchors.ts). */
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

/** Who says how many processes there are. `why` completes "because ..." for people: in errors and in docs/policy.md. */
export type Scaling =
  /** An autoscaler adds and removes them: stateless, found by the name of their Service. A Deployment. */
  | { mode: "autoscaled"; why: string }
  /**
   * The plan, or an override: peers find each by its name. A StatefulSet.
   * `alone`: why one process may be enough (rule 12 of policy/ asks for two). @default two at least, in every stack
   */
  | { mode: "fixed"; why: string; alone?: string }
  /** Always one: Synapse refuses a second, or silently breaks with it. A StatefulSet. */
  | { mode: "single"; why: string };

/** What has to be true of the settings for the class to exist; all of it. */
export interface Needs {
  /** `federation.enabled`. */
  federation?: true;
  /** `presence.enabled`. */
  presence?: true;
  /** At least so many concurrent users (`ccu`). */
  ccu?: number;
}

/** A stream of Synapse with configurable writers. Source: docs/workers.md of Synapse, stream writers. */
export interface StreamFacts {
  /** What people know it as; in the plan's costs of a loss. */
  known: string;
  /** Synapse takes exactly one writer: a second is a ConfigError in every process. */
  single: boolean;
  /** Its place in homeserver.yaml's `stream_writers`. A new stream goes last: another order restarts every process. */
  place: number;
}

/** What the router must know of a class that it sends requests to. */
export interface RouterFacts {
  /** Requests in flight in each process; more wait in the router, where they cost nothing, not in Synapse's reactor. */
  inFlight: number;
  /** As many for each concurrent user, shared by the processes, where that is more than `inFlight`. @default 0 */
  inFlightPerUser?: number;
  /** Seconds until an answer must begin (HAProxy's `timeout server`). */
  answerSeconds: number;
}

/** What the loss of one process costs. */
export interface Loss {
  /** What is felt meanwhile. @default the streams that the class writes "answer 503 or wait" */
  effect?: string;
  /** Seconds to be serving again, a bound; absent where others take over at once. */
  seconds?: number;
  /** Where the seconds come from. */
  source: string;
}

/**
 * Who starts in which order; each group when the one before it is ready. The main process owns the schema. Then the
 * writers, which nobody replaces: on small machines they do not start in a crowd. Then the event persisters together
 * with those who hand them events (layers/synapse/routes.ts), and nobody else: while the number of persisters changes,
 * those of before and after do not speak with each other, so nothing may hold them up.
 */
export const START_ORDER = ["main", "writers", "events", "others"] as const;
export type StartGroup = (typeof START_ORDER)[number];

/** What processes of a class call outside of Synapse, its database and Redis. */
export type Destination =
  /** Gateways of push notifications, anywhere. */
  | "push-gateways"
  /** The SMTP server of the settings: notices, registration and password reset, reminders. */
  | "mail"
  /** OpenID providers of the settings: for the classes that answer logins. */
  | "identity-providers"
  /** The object store of media, and where they are on, the pages that URL previews show. */
  | "media-store";

/** Options of homeserver.yaml that name a class's processes. Source: Synapse's configuration documentation. */
export type NamingOption =
  | "pusher_instances"
  | "run_background_tasks_on"
  | "notify_appservices_from_worker"
  | "update_user_directory_from_worker"
  | "media_instance_running_background_jobs"
  | "federation_sender_instances";

/** Everything that is said of one class; `Class` are the names of all classes. */
export interface WorkerFacts<Class extends string = string> {
  size: WorkerSize;
  scaling: Scaling;
  /** @default every deployment has the class */
  needs?: Needs;
  /** Who writes its streams where the class does not exist. @default main, as Synapse has it */
  otherwise?: Class;
  /** Streams that it writes. Each stream is written by one class. */
  streams: Readonly<Record<string, StreamFacts>>;
  /**
   * "none": no path leads to it, which layers/synapse/routes.ts must agree with (the compiler and a test see to it).
   */
  router: RouterFacts | "none";
  loss: Loss;
  start: StartGroup;
  /** @default nothing */
  calls?: readonly Destination[];
  /** @default none */
  namedBy?: readonly NamingOption[];
}
