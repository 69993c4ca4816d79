/**
 * HAProxy's configuration from the routing table and the plan. Pure. Written for HAProxy 3.2; with `hashByAddress`
 * off it is accepted by 2.6 too.
 */
import { PORTS, synapseService, NAMESPACES, serviceFqdn } from "../../core/names";
import type { Plan, PoolPlan } from "../../sizing/types";
import type { RouterFacts } from "../../domain/workerFacts";
import { WORKERS, type WorkerClass } from "../../domain/workers";
import { ADMIN_PREFIX, NEVER_SERVED, resolveRoutes, type HashKey, type ResolvedRoute } from "../synapse/routingTable";

export interface HaproxyInput {
  plan: Plan;
  clusterDomain: string;
  federation: boolean;
  /** Families of the cluster, first preferred. Default IPv4 only. */
  ipFamilies?: ReadonlyArray<"IPv4" | "IPv6">;
  /** Largest upload, MiB: bounds the body that is let in. */
  maxUploadMiB: number;
  /** `hash-key addr` (HAProxy 3.0 and newer): both routers send a user to the same pod. Default true. */
  hashByAddress?: boolean;
}

const HASH: Record<HashKey, string> = {
  none: "balance leastconn",
  user: "balance hash var(txn.user)",
  room: "balance hash var(txn.room)",
  origin: "balance hash var(txn.origin)",
  media: "balance hash var(txn.media)",
};

const CORS = [
  `hdr Access-Control-Allow-Origin "*"`,
  `hdr Access-Control-Allow-Methods "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"`,
  `hdr Access-Control-Allow-Headers "X-Requested-With, Content-Type, Authorization, Date"`,
];

const matrixError = (status: number, errcode: string, error: string, more: string[] = []): string =>
  `status ${status} content-type application/json string '${JSON.stringify({ errcode, error })}' ${[...CORS.slice(0, 1), ...more].join(" ")}`;

/** A socket for both families fails where the node has no IPv6, so only where the cluster has it. */
const bind = (port: number, input: HaproxyInput): string =>
  input.ipFamilies?.includes("IPv6") ? `  bind :::${port} v4v6` : `  bind :${port}`;

/** A class under one way of keeping requests together is one backend. */
export const backendName = (cls: WorkerClass, hash: HashKey): string => (hash === "none" ? cls : `${cls}-by-${hash}`);

/**
 * Seconds for which a process that has left DNS stays a server: longer than it takes to end. What is on its way to it
 * is answered, or cut off by its end and then asked of another process, POSTs apart. No `on-marked-down
 * shutdown-sessions`: what is cut that way HAProxy repeats nowhere, and each rollout answered 503 to every long poll,
 * and to whoever was just connecting.
 */
const LEAVING_SECONDS = 20;

/**
 * Processes of a StatefulSet keep their names and come back at another address. Held for as long, the old address would
 * keep the name's only server for itself: a writer was away for 20 s instead of 8 (measured, local cluster).
 */
const STABLE_NAMES = "stable-names",
  CHANGING_NAMES = "changing-names";

function resolvers(name: string, obsoleteSeconds: number): string[] {
  return [
    `resolvers ${name}`,
    "  parse-resolv-conf",
    // SRV answers of many pods do not fit 512 bytes.
    "  accepted_payload_size 8192",
    "  timeout resolve 1s",
    "  timeout retry 1s",
    "  hold valid 3s",
    `  hold obsolete ${obsoleteSeconds}s`,
    // A name server that is away must not take the servers away: health checks decide.
    "  hold nx 600s",
    "  hold other 600s",
    "  hold timeout 600s",
    "  hold refused 600s",
    "",
  ];
}

function serverSlots(pool: PoolPlan): number {
  // The autoscaler's bound, while a Deployment rolls its 25 % surge, and the old ones that are leaving.
  return pool.kind === "Deployment" ? pool.maxReplicas * 2 + Math.ceil(pool.maxReplicas * 0.25) : pool.maxReplicas;
}

/** @throws where a route leads to a class that should have none: every bound has to be chosen. */
function factsOf(cls: WorkerClass): RouterFacts {
  const { router } = WORKERS[cls];
  if (router === "none")
    throw new Error(
      `router: a route leads to class ${cls}, of which components/domain/workers.ts says router: "none"; give it its bound and time-out there`,
    );
  return router;
}

function inFlight(pool: PoolPlan, ccu: number): number {
  const { inFlight: least, inFlightPerUser = 0 } = factsOf(pool.class);
  return Math.max(least, Math.ceil((ccu * inFlightPerUser) / pool.replicas));
}

function backend(cls: WorkerClass, hash: HashKey, input: HaproxyInput): string[] {
  const pool = input.plan.synapse.pools.find((p) => p.class === cls)!;
  const name = serviceFqdn(synapseService(cls), NAMESPACES.matrix, input.clusterDomain);
  const byAddress = input.hashByAddress ?? true;
  return [
    `backend ${backendName(cls, hash)}`,
    `  ${HASH[hash]}`,
    `  timeout server ${factsOf(cls).answerSeconds}s`,
    `  option httpchk GET /health`,
    `  server-template ${cls} ${serverSlots(pool)} _http._tcp.${name} resolvers ${pool.kind === "Deployment" ? CHANGING_NAMES : STABLE_NAMES} maxconn ${inFlight(pool, input.plan.ccu)}${hash !== "none" && byAddress ? " hash-key addr" : ""}`,
    "",
  ];
}

/** Lines that pick a backend for one route: the first class with a live process, the last without asking. */
function choose(route: ResolvedRoute): string[] {
  const conditions = [
    `m_${route.id}`,
    ...(route.methods ? [`v_${route.id}`] : []),
    ...(route.queryAbsent ? [`!q_${route.id}`] : []),
  ].join(" ");
  return route.classes.map((cls, i) => {
    const name = backendName(cls, i === 0 || cls !== "main" ? route.hash : "none");
    const last = i === route.classes.length - 1;
    return `  use_backend ${name} if ${conditions}${last ? "" : ` { nbsrv(${name}) gt 0 }`}`;
  });
}

/** The main process is one: nothing to hash over. */
function backendsOf(routes: ResolvedRoute[]): Array<[WorkerClass, HashKey]> {
  const seen = new Map<string, [WorkerClass, HashKey]>();
  for (const r of routes)
    for (const [i, cls] of r.classes.entries()) {
      const hash: HashKey = i === 0 || cls !== "main" ? r.hash : "none";
      seen.set(backendName(cls, hash), [cls, hash]);
    }
  return [...seen.values()].sort((a, b) => (backendName(...a) < backendName(...b) ? -1 : 1));
}

function routeAcls(route: ResolvedRoute): string[] {
  return [
    ...route.patterns.map((p) => `  acl m_${route.id} path_reg ${p}`),
    ...(route.methods ? [`  acl v_${route.id} method ${route.methods.join(" ")}`] : []),
    ...(route.queryAbsent ? [`  acl q_${route.id} url_param(${route.queryAbsent}) -m len ge 1`] : []),
  ];
}

/** Variables that backends hash by. */
const KEYS = [
  // The user: localpart inside a `syt_` token; any other token as it is.
  "  http-request set-var(txn.token) req.fhdr(Authorization),word(2,' ') if { req.fhdr(Authorization) -m beg -i Bearer }",
  "  http-request set-var(txn.token) url_param(access_token) if !{ var(txn.token) -m found }",
  "  http-request set-var(txn.user) var(txn.token)",
  "  http-request set-var(txn.user) var(txn.token),field(2,_) if { var(txn.token) -m beg syt_ }",
  // The room: percent-encoded or not, and one field later under api/v1.
  "  http-request set-var(txn.room) path,field(6,/),url_dec if !{ path_beg /_matrix/client/api/v1/ }",
  "  http-request set-var(txn.room) path,field(7,/),url_dec if { path_beg /_matrix/client/api/v1/ }",
  // The media id: a pod's cache serves all sizes of what it has fetched once.
  "  http-request set-var(txn.media) path,field(7,/) if { path_reg ^/_matrix/(media/[^/]+|federation/v1/media)/(download|thumbnail)/ }",
  "  http-request set-var(txn.media) path,field(8,/) if { path_reg ^/_matrix/client/[^/]+/media/(download|thumbnail)/ }",
];
const ORIGIN_KEYS = [
  // The sending server as it signs itself; its address where it does not.
  `  http-request set-var(txn.origin) "req.fhdr(Authorization),regsub('^.*origin=[^a-zA-Z0-9]?([^,\\"]+).*','\\1'),lower" if { req.fhdr(Authorization) -m beg -i X-Matrix }`,
  "  http-request set-var(txn.origin) var(txn.client) if !{ var(txn.origin) -m found }",
];

function frontend(name: "public" | "admin", routes: ResolvedRoute[], input: HaproxyInput): string[] {
  const served = name === "admin" ? routes : routes.filter((r) => r.surface !== "admin");
  return [
    `frontend ${name}`,
    bind(name === "public" ? PORTS.routerHttp : PORTS.routerAdmin, input),
    `  http-request return status 204 ${CORS.join(" ")} hdr Access-Control-Max-Age 86400 if METH_OPTIONS`,
    // Synapse decodes a path before it looks for the resource, so what is refused is matched decoded.
    ...[...NEVER_SERVED, ...(name === "public" ? [ADMIN_PREFIX] : [])].map(
      (p) => `  acl refused path,url_dec -m reg ${p}`,
    ),
    `  http-request return ${matrixError(404, "M_UNRECOGNIZED", "Unrecognized request")} if refused`,
    // One MiB more than the largest upload; Synapse itself answers what is only a little over.
    `  http-request return ${matrixError(413, "M_TOO_LARGE", "Request body too large")} if { req.hdr(Content-Length) -m int gt ${(input.maxUploadMiB + 1) * 1024 * 1024} }`,
    // The ingress controller appends the address that it saw: the last entry is true, the ones before are the client's
    // word.
    "  http-request set-var(txn.client) src",
    "  http-request set-var(txn.client) req.hdr(X-Forwarded-For,-1) if { req.hdr(X-Forwarded-For) -m found }",
    "  http-request set-header X-Forwarded-For %[var(txn.client)]",
    "  http-request set-header X-Forwarded-Proto https",
    // A POST may have taken effect when its answer is lost; PUTs carry a transaction id, GETs change nothing.
    "  http-request disable-l7-retry if METH_POST",
    ...KEYS,
    ...(input.federation ? ORIGIN_KEYS : []),
    ...served.flatMap(routeAcls),
    ...served.flatMap(choose),
    "  default_backend unrecognized",
    "",
  ];
}

export function renderHaproxyCfg(input: HaproxyInput): string {
  const routes = resolveRoutes(input);
  return [
    "# Generated from the routing table of matrix-ha.",
    "global",
    `  maxconn ${input.plan.router.maxConnections}`,
    // Where the node allows fewer descriptors, serve fewer connections instead of none.
    "  no strict-limits",
    "  log stdout format raw local0 info",
    // Long polls that are still open when a router is replaced: clients poll again, by the other router.
    "  hard-stop-after 30s",
    "  close-spread-time 10s",
    "",
    ...resolvers(CHANGING_NAMES, LEAVING_SECONDS),
    ...resolvers(STABLE_NAMES, 0),
    "defaults",
    "  mode http",
    "  log global",
    "  option httplog",
    "  option dontlognull",
    "  option redispatch 1",
    // Two processes that end one after the other cost two each: the answer that was lost, and a connection refused.
    "  retries 4",
    "  retry-on conn-failure empty-response",
    // The first request of a client never travels on a used connection, so that a POST meets no closed one.
    "  http-reuse safe",
    "  hash-type consistent",
    "  timeout connect 3s",
    "  timeout queue 30s",
    "  timeout client 900s",
    "  timeout client-fin 10s",
    "  timeout http-keep-alive 120s",
    "  timeout http-request 15s",
    "  timeout server 120s",
    "  timeout check 3s",
    `  http-error ${matrixError(503, "M_UNKNOWN", "Temporarily unavailable", ["hdr Retry-After 2"])}`,
    `  http-error ${matrixError(502, "M_UNKNOWN", "The request failed", ["hdr Retry-After 2"])}`,
    `  http-error ${matrixError(504, "M_UNKNOWN", "The request took too long", ["hdr Retry-After 5"])}`,
    `  default-server init-addr none check inter 2s fastinter 1s downinter 1s fall 3 rise 1 port ${PORTS.synapseHealth} resolve-prefer ${input.ipFamilies?.[0] === "IPv6" ? "ipv6" : "ipv4"}`,
    // A machine that went away without a word: known after 5 + 3 * 2 s, and what it was asked is asked of another.
    "  option srvtcpka",
    "  srvtcpka-idle 5s",
    "  srvtcpka-intvl 2s",
    "  srvtcpka-cnt 3",
    "",
    "frontend health",
    bind(PORTS.routerHealth, input),
    "  timeout http-request 5s",
    "  option dontlog-normal",
    "  http-request return status 503 if { stopping }",
    "  http-request return status 200 content-type text/plain string ok if { path /healthz }",
    "  http-request use-service prometheus-exporter if { path /metrics }",
    "",
    ...frontend("public", routes, input),
    ...frontend("admin", routes, input),
    "backend unrecognized",
    `  http-request return ${matrixError(404, "M_UNRECOGNIZED", "Unrecognized request")}`,
    "",
    ...backendsOf(routes).flatMap(([cls, hash]) => backend(cls, hash, input)),
  ].join("\n");
}
