/**
 * One table of who serves what: HAProxy's configuration, the workers' listeners, docs/routing.md and the tests
 * read it. Pure.
 */
import type { Plan } from "../../sizing/types";
import type { RoutedClass, Stream, WorkerClass } from "../../domain/workers";
import { ROUTES } from "./routes";

/**
 * Where a path may be asked for: by anyone, by other servers (when federation is on), by the admin UI's ingress only.
 */
export type Surface = "public" | "federation" | "admin";
/** What keeps requests together on one process of the class. */
export type HashKey = "none" | "user" | "room" | "origin" | "media";
/** Listener resource of Synapse that must be on for the class to answer. */
export type Resource = "client" | "federation" | "media" | "openid";

export interface Route {
  id: string;
  /** Path patterns; see routes.ts for what they may contain. */
  patterns: readonly string[];
  /** Default: every method. */
  methods?: readonly string[];
  /** Matches only when this query parameter is absent or empty. */
  queryAbsent?: string;
  surface?: Surface;
  resource: Resource;
  target: { class: RoutedClass } | { stream: Stream };
  /** Classes that serve it while no process of the target does, in order. */
  fallback: readonly RoutedClass[];
  /** Why there is no fallback, where there is none. */
  why?: string;
  hash: HashKey;
  /** Where it is documented, or read. */
  doc: string;
}

/** Never served through the router, on no frontend. */
export const NEVER_SERVED: readonly string[] = ["^/+_synapse/+(replication|metrics|mas)(/|$)"];
/** Refused on the public frontend whatever a route says; matched on the decoded path, since Synapse decodes too. */
export const ADMIN_PREFIX = "^/+_synapse/+admin(/|$)";

export interface ResolvedRoute extends Route {
  /** Class that serves it in this plan, then those that step in. */
  classes: WorkerClass[];
}

const has = (plan: Plan, cls: WorkerClass): boolean => plan.synapse.pools.some((p) => p.class === cls);

/** Class of a route's target; the main process where the plan has no such pool. */
function classesOf(route: Route, plan: Plan): WorkerClass[] {
  const target = "stream" in route.target ? plan.synapse.streamWriters[route.target.stream] : route.target.class;
  const chain = [target, ...route.fallback].filter((c) => has(plan, c));
  return chain.length > 0 ? [...new Set(chain)] : ["main"];
}

/** The table as it applies to a plan. Federation's routes only where federation is on. */
export function resolveRoutes(input: { plan: Plan; federation: boolean }): ResolvedRoute[] {
  return ROUTES.filter((r) => input.federation || r.surface !== "federation").map((r) => ({
    ...r,
    classes: classesOf(r, input.plan),
  }));
}

/** Listener resources that a class must have, from the routes that end there. */
export function resourcesOf(cls: WorkerClass, input: { plan: Plan; federation: boolean }): Resource[] {
  const needed = new Set<Resource>(cls === "main" ? ["client"] : []);
  for (const r of resolveRoutes(input)) if (r.classes.includes(cls)) needed.add(r.resource);
  // `federation` holds openid already; asking for both mounts the path twice.
  if (needed.has("federation")) needed.delete("openid");
  // Media workers carry `client` too, as they ran when this was measured; the router sends them media only.
  if (needed.has("media")) needed.add("client");
  return (["media", "client", "federation", "openid"] as const).filter((r) => needed.has(r));
}

export interface Request {
  method: string;
  path: string;
  query?: string;
}

function matches(route: Route, request: Request): boolean {
  if (route.methods && !route.methods.includes(request.method)) return false;
  if (!route.patterns.some((p) => new RegExp(p).test(request.path))) return false;
  return route.queryAbsent === undefined || !new URLSearchParams(request.query ?? "").get(route.queryAbsent);
}

export interface Classified {
  route: string;
  class: WorkerClass;
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

/** What the router does with a request; undefined: refused (404). `frontend` is the one that it came in by. */
export function classify(
  request: Request,
  input: { plan: Plan; federation: boolean; frontend?: "public" | "admin" },
): Classified | undefined {
  const path = decoded(request.path);
  if (NEVER_SERVED.some((p) => new RegExp(p).test(path))) return undefined;
  if ((input.frontend ?? "public") === "public" && new RegExp(ADMIN_PREFIX).test(path)) return undefined;
  const route = resolveRoutes(input).find((r) => matches(r, request));
  if (!route) return undefined;
  const [first, ...fallback] = route.classes;
  return { route: route.id, class: first!, fallback, hash: route.hash, surface: route.surface ?? "public" };
}

/** Room that a request is hashed by: ids percent-encoded or not give the same; `api/v1` has it one field later. */
export function roomKey(path: string): string | undefined {
  const fields = path.split("/");
  const room = path.startsWith("/_matrix/client/api/v1/") ? fields[6] : fields[5];
  return room === undefined ? undefined : decoded(room);
}

/** Access token's user where the token says it (`syt_<localpart>_...`), else the whole token. */
export function userKey(token: string): string {
  return token.startsWith("syt_") ? (token.split("_")[1] ?? token) : token;
}
