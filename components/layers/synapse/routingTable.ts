/**
 * One table of which class serves which path: HAProxy's configuration, the workers' listeners, docs/routing.md and the
 * tests read it. Pure.
 */
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import type { RoutedClass, Stream, WorkerClass } from "../../domain/workers";
import { ROUTES } from "./routes";

/**
 * Which callers a path is for: all clients, other servers (where federation is on), or the admin UI's ingress only.
 */
export type Surface = "public" | "federation" | "admin";
/** What keeps requests together on one process of the class. */
export type HashKey = "none" | "user" | "room" | "origin" | "media";
/** Listener resource of Synapse that the class must have on to answer. */
export type Resource = "client" | "federation" | "media" | "openid" | "consent";

/** Paths that one class serves. */
export interface Route {
  /** Name in HAProxy's configuration and in docs/routing.md. Unique. */
  id: string;
  /** Path patterns; see routes.ts for what they may contain. */
  patterns: readonly string[];
  /** HTTP methods that match. @default all */
  methods?: readonly string[];
  /** Matches only when this query parameter is absent or empty. */
  queryAbsent?: string;
  /** @default "public" */
  surface?: Surface;
  resource: Resource;
  /** The class that serves it, by its name or as the writer of a stream. */
  target: { class: RoutedClass } | { stream: Stream };
  /** Classes that serve it while no process of the target does, in this order. */
  fallback: readonly RoutedClass[];
  /** Why there is no fallback, where there is none. */
  why?: string;
  hash: HashKey;
  /** Only where there are `terms`. @default false */
  ofTerms?: boolean;
  /** The only paths that take large bodies: uploads of media. @default false */
  uploads?: boolean;
  /** Source: where it is documented, or the code that says it. */
  doc: string;
}

/** Paths that no frontend of the router serves. */
export const NEVER_SERVED: readonly string[] = ["^/+_synapse/+(replication|metrics|mas)(/|$)"];
/** Refused on the public frontend whatever a route says; matched on the decoded path, since Synapse decodes too. */
export const ADMIN_PREFIX = "^/+_synapse/+admin(/|$)";

/** A route as it applies to a plan. */
export interface ResolvedRoute extends Route {
  /** The class that serves it in this plan, then its fallbacks; at least one. */
  classes: WorkerClass[];
}

const has = (plan: Plan, cls: WorkerClass): boolean => plan.synapse.pools.some((p) => p.class === cls);

/** Class of a route's target; the main process where the plan has no such pool. */
function classesOf(route: Route, plan: Plan): WorkerClass[] {
  const target = "stream" in route.target ? plan.synapse.streamWriters[route.target.stream] : route.target.class;
  const chain = [target, ...route.fallback].filter((c) => has(plan, c));
  return chain.length > 0 ? [...new Set(chain)] : ["main"];
}

/** What the table depends on. */
export interface RoutingInput {
  plan: Plan;
  federation: boolean;
  /** Whether there are `terms`. @default false */
  terms?: boolean;
}

/** The same from the settings. */
export const routingInput = ({ settings, plan }: { settings: Settings; plan: Plan }): RoutingInput => ({
  plan,
  federation: settings.federation.enabled,
  terms: settings.terms !== undefined,
});

/** The table as it applies to a plan; without the routes of federation and of terms where these are off. */
export function resolveRoutes(input: RoutingInput): ResolvedRoute[] {
  return ROUTES.filter(
    (r) => (input.federation || r.surface !== "federation") && (input.terms === true || !r.ofTerms),
  ).map((r) => ({
    ...r,
    classes: classesOf(r, input.plan),
  }));
}

/** Listener resources that a class must have, from the routes that end there. */
export function resourcesOf(cls: WorkerClass, input: RoutingInput): Resource[] {
  const needed = new Set<Resource>();
  for (const r of resolveRoutes(input)) if (r.classes.includes(cls)) needed.add(r.resource);
  // `federation` holds openid already; asking for both mounts the path twice.
  if (needed.has("federation")) needed.delete("openid");
  // Media workers carry `client` too, as they ran when this was measured; the router sends them media only.
  if (needed.has("media")) needed.add("client");
  return (["media", "client", "federation", "openid", "consent"] as const).filter((r) => needed.has(r));
}

/** A request to classify. */
export interface Request {
  /** HTTP method, in upper case. */
  method: string;
  /** Path, which may be percent-encoded, without the query. */
  path: string;
  /** Query string. @default none */
  query?: string;
}

function matches(route: Route, request: Request): boolean {
  if (route.methods && !route.methods.includes(request.method)) return false;
  if (!route.patterns.some((p) => new RegExp(p).test(request.path))) return false;
  return route.queryAbsent === undefined || !new URLSearchParams(request.query ?? "").get(route.queryAbsent);
}

/** What the router does with a request. */
export interface Classified {
  /** Id of the route. */
  route: string;
  class: WorkerClass;
  /** Classes that serve it while no process of `class` does. */
  fallback: WorkerClass[];
  hash: HashKey;
  surface: Surface;
}

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/** What the router does with a request; undefined where it refuses it (404). @param input.frontend @default "public" */
export function classify(
  request: Request,
  input: RoutingInput & { frontend?: "public" | "admin" },
): Classified | undefined {
  const path = decoded(request.path);
  if (NEVER_SERVED.some((p) => new RegExp(p).test(path))) return undefined;
  if ((input.frontend ?? "public") === "public" && new RegExp(ADMIN_PREFIX).test(path)) return undefined;
  const route = resolveRoutes(input).find((r) => matches(r, request));
  if (!route) return undefined;
  const [first, ...fallback] = route.classes;
  return { route: route.id, class: first!, fallback, hash: route.hash, surface: route.surface ?? "public" };
}

/** Room id that a request is hashed by, decoded. It is one field later in paths under `api/v1`. */
export function roomKey(path: string): string | undefined {
  const fields = path.split("/");
  const room = path.startsWith("/_matrix/client/api/v1/") ? fields[6] : fields[5];
  return room === undefined ? undefined : decoded(room);
}

/** User that a request is hashed by: from the access token (`syt_<localpart>_...`), else the whole token. */
export function userKey(token: string): string {
  return token.startsWith("syt_") ? (token.split("_")[1] ?? token) : token;
}
