/**
 * HAProxy's configuration from the routing table and the plan. Pure. Written for HAProxy 3.2; without `hashByAddress`,
 * 2.6 accepts it too.
 */
import { PORTS, synapseService, NAMESPACES, serviceFqdn } from "../../core/names";
import type { Plan, PoolPlan } from "../../sizing/types";
import type { RouterFacts } from "../../domain/workerFacts";
import { WORKERS, type WorkerClass } from "../../domain/workers";
import {
  API_BODY_BYTES,
  FILED_BYTES,
  LONG_BODIES_PER_ADDRESS,
  WHOLE_BYTES,
  type BodyLimits,
} from "../../domain/bodies";
import { ADMIN_PREFIX, NEVER_SERVED, resolveRoutes, type HashKey, type ResolvedRoute } from "../synapse/routingTable";
import { isMedia } from "../synapse/routes";

/** What haproxy.cfg depends on. */
export interface HaproxyInput {
  /** Gives the pools of Synapse's processes and the limit of connections. */
  plan: Plan;
  /** DNS domain of the cluster. @example "cluster.local" */
  clusterDomain: string;
  /** Also route the paths that other homeservers call. */
  federation: boolean;
  /** Also route the pages of the terms. @default false */
  terms?: boolean;
  /** Address families of the cluster, the preferred one first. @default ["IPv4"] */
  ipFamilies?: ReadonlyArray<"IPv4" | "IPv6">;
  /** Largest bodies of requests, and how many uploads a media process takes at once. */
  bodies: Pick<BodyLimits, "routerUploadBytes" | "uploadsAtOnce" | "filedAtOnce">;
  /** Use `hash-key addr` (HAProxy 3.0 and newer), so that all routers send a user to the same pod. @default true */
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

/** Binds both families only where the cluster has IPv6: on a node without it, such a socket fails. */
const bind = (port: number, input: HaproxyInput): string =>
  input.ipFamilies?.includes("IPv6") ? `  bind :::${port} v4v6` : `  bind :${port}`;

/**
 * Name of the backend of a class and a hash key; uploads have one of their own, which takes few at a time.
 *
 * @example backendName("generic", "room") === "generic-by-room"
 */
export const backendName = (cls: WorkerClass, hash: HashKey, uploads = false): string =>
  uploads ? `${cls}-uploads` : hash === "none" ? cls : `${cls}-by-${hash}`;

/**
 * Seconds for which a process that has left DNS stays a server: longer than it takes to stop. It answers its pending
 * requests, or breaks them when it exits, and then HAProxy repeats them at another process, except POSTs. Without
 * `on-marked-down shutdown-sessions`, because HAProxy repeats no request that this option breaks: with it, each rollout
 * answered 503 to every long poll and to every client that was just connecting.
 */
const LEAVING_SECONDS = 20;

/**
 * Processes of a StatefulSet keep their names and come back at another address. If HAProxy held the old address for as
 * long, it would block the only server of that name: a writer was unavailable for 20 s instead of 8 (measured, local
 * cluster).
 */
const STABLE_NAMES = "stable-names",
  CHANGING_NAMES = "changing-names";

function resolvers(name: string, obsoleteSeconds: number): string[] {
  return [
    `resolvers ${name}`,
    "  parse-resolv-conf",
    // SRV answers for many pods do not fit into 512 bytes.
    "  accepted_payload_size 8192",
    "  timeout resolve 1s",
    "  timeout retry 1s",
    "  hold valid 3s",
    `  hold obsolete ${obsoleteSeconds}s`,
    // The loss of a name server must not remove servers: health checks decide.
    "  hold nx 600s",
    "  hold other 600s",
    "  hold timeout 600s",
    "  hold refused 600s",
    "",
  ];
}

function serverSlots(pool: PoolPlan): number {
  // The autoscaler's maximum, the 25 % surge of a rollout, and the old pods that are leaving.
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

/** A backend: a class of processes, and how the router picks one of them. */
interface Backend {
  cls: WorkerClass;
  hash: HashKey;
  uploads: boolean;
}

/** Counts the bodies that are under way to each class, and from each address. */
const BY_CLASS = "bodies-by-class",
  BY_ADDRESS = "bodies-by-address";
/** Set in the frontend: the body's size is not known to be small enough for Synapse to keep it in memory. */
const IS_FILED = "{ var(txn.filed) -m bool }";

/** Synapse writes such bodies to a file before it knows who sends them: no more than the file system has room for. */
const boundFiled = (cls: WorkerClass, atOnce: number): string[] => [
  `  http-request track-sc1 str(${cls}) table ${BY_CLASS} if ${IS_FILED}`,
  `  http-request return ${matrixError(503, "M_UNKNOWN", "Too many large requests", ["hdr Retry-After 2"])} if ${IS_FILED} { sc1_conn_cur gt ${atOnce} }`,
];

function backend({ cls, hash, uploads }: Backend, input: HaproxyInput): string[] {
  const pool = input.plan.synapse.pools.find((p) => p.class === cls)!;
  const name = serviceFqdn(synapseService(cls), NAMESPACES.matrix, input.clusterDomain);
  const byAddress = input.hashByAddress ?? true;
  return [
    `backend ${backendName(cls, hash, uploads)}`,
    `  ${HASH[hash]}`,
    ...(uploads ? [] : boundFiled(cls, input.bodies.filedAtOnce)),
    `  timeout server ${factsOf(cls).answerSeconds}s`,
    `  option httpchk GET /health`,
    `  server-template ${cls} ${serverSlots(pool)} _http._tcp.${name} resolvers ${pool.kind === "Deployment" ? CHANGING_NAMES : STABLE_NAMES} maxconn ${uploads ? input.bodies.uploadsAtOnce : inFlight(pool, input.plan.ccu)}${hash !== "none" && byAddress ? " hash-key addr" : ""}`,
    "",
  ];
}

/** Lines that pick a backend for one route: the first class with a live process, or else the last class. */
function choose(route: ResolvedRoute): string[] {
  const conditions = [
    `m_${route.id}`,
    ...(route.methods ? [`v_${route.id}`] : []),
    ...(route.queryAbsent ? [`!q_${route.id}`] : []),
  ].join(" ");
  return route.classes.map((cls, i) => {
    const name = backendName(cls, hashAt(route, i), route.uploads);
    const last = i === route.classes.length - 1;
    return `  use_backend ${name} if ${conditions}${last ? "" : ` { nbsrv(${name}) gt 0 }`}`;
  });
}

/** By what the i-th class of a route is hashed. There is only one main process, so as a fallback it has no hash. */
const hashAt = ({ classes, hash }: ResolvedRoute, i: number): HashKey =>
  i === 0 || classes[i] !== "main" ? hash : "none";

/** Backends of all routes, sorted by name. */
function backendsOf(routes: ResolvedRoute[]): Backend[] {
  const seen = new Map<string, Backend>();
  for (const route of routes)
    for (const [i, cls] of route.classes.entries()) {
      const { uploads = false } = route;
      const hash = hashAt(route, i);
      seen.set(backendName(cls, hash, uploads), { cls, hash, uploads });
    }
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

function routeAcls(route: ResolvedRoute): string[] {
  return [
    ...route.patterns.map((p) => `  acl m_${route.id} path_reg ${p}`),
    ...(route.methods ? [`  acl v_${route.id} method ${route.methods.join(" ")}`] : []),
    ...(route.queryAbsent ? [`  acl q_${route.id} url_param(${route.queryAbsent}) -m len ge 1`] : []),
  ];
}

/** Variables that the backends hash by. */
const KEYS = [
  // The user: the localpart inside a `syt_` token, or any other token as a whole.
  "  http-request set-var(txn.token) req.fhdr(Authorization),word(2,' ') if { req.fhdr(Authorization) -m beg -i Bearer }",
  "  http-request set-var(txn.token) url_param(access_token) if !{ var(txn.token) -m found }",
  "  http-request set-var(txn.user) var(txn.token)",
  "  http-request set-var(txn.user) var(txn.token),field(2,_) if { var(txn.token) -m beg syt_ }",
  // The room: percent-decoded; under api/v1 it is one field later.
  "  http-request set-var(txn.room) path,field(6,/),url_dec if !{ path_beg /_matrix/client/api/v1/ }",
  "  http-request set-var(txn.room) path,field(7,/),url_dec if { path_beg /_matrix/client/api/v1/ }",
  // The media id: the cache of one pod serves all sizes of a file that it has fetched once.
  "  http-request set-var(txn.media) path,field(7,/) if { path_reg ^/_matrix/(media/[^/]+|federation/v1/media)/(download|thumbnail)/ }",
  "  http-request set-var(txn.media) path,field(8,/) if { path_reg ^/_matrix/client/[^/]+/media/(download|thumbnail)/ }",
];
const ORIGIN_KEYS = [
  // The sending server as named in its signature, or its address where there is none.
  `  http-request set-var(txn.origin) "req.fhdr(Authorization),regsub('^.*origin=[^a-zA-Z0-9]?([^,\\"]+).*','\\1'),lower" if { req.fhdr(Authorization) -m beg -i X-Matrix }`,
  "  http-request set-var(txn.origin) var(txn.client) if !{ var(txn.origin) -m found }",
];

/**
 * Limits of bodies. Ingress controllers pass them on as they come, so it is here that a slow client occupies nothing: a
 * short body is waited for as a whole, a long one is one of few. Expects txn.client.
 */
function bodyRules(served: ResolvedRoute[], { bodies }: HaproxyInput): string[] {
  const patterns = (of: ResolvedRoute[]): string => of.flatMap((r) => r.patterns).join(" ");
  const length = (bytes: number): string => `{ req.hdr(Content-Length) -m int gt ${bytes} }`;
  const tooLarge = matrixError(413, "M_TOO_LARGE", "Request body too large");
  const noLength = matrixError(411, "M_UNKNOWN", "Content-Length is missing");
  const tooMany = matrixError(429, "M_LIMIT_EXCEEDED", "Too many large requests", ["hdr Retry-After 2"]);
  return [
    `  acl upload path_reg ${patterns(served.filter((r) => r.uploads))}`,
    `  acl media path_reg ${patterns(served.filter(isMedia))}`,
    "  acl no_length req.fhdr(Transfer-Encoding) -m found",
    `  http-request return ${tooLarge} if upload ${length(bodies.routerUploadBytes)}`,
    `  http-request return ${tooLarge} if !upload ${length(API_BODY_BYTES)}`,
    // Synapse ends other bodies without a length at its own limit, which for media is that of uploads.
    `  http-request return ${noLength} if media no_length`,
    "  http-request set-var(txn.long) bool(true) if no_length",
    `  http-request set-var(txn.long) bool(true) if ${length(WHOLE_BYTES)}`,
    "  http-request set-var(txn.filed) bool(true) if no_length",
    `  http-request set-var(txn.filed) bool(true) if ${length(FILED_BYTES - 1)}`,
    // An IPv6 customer has at least a /64.
    `  http-request track-sc0 var(txn.client),ipmask(32,64) table ${BY_ADDRESS} if { var(txn.long) -m bool }`,
    `  http-request return ${tooMany} if { var(txn.long) -m bool } { sc0_conn_cur gt ${LONG_BODIES_PER_ADDRESS} }`,
    `  http-request wait-for-body time 15s if !{ var(txn.long) -m bool } ${length(0)}`,
  ];
}

function frontend(name: "public" | "admin", routes: ResolvedRoute[], input: HaproxyInput): string[] {
  const served = name === "admin" ? routes : routes.filter((r) => r.surface !== "admin");
  return [
    `frontend ${name}`,
    bind(name === "public" ? PORTS.routerHttp : PORTS.routerAdmin, input),
    `  http-request return status 204 ${CORS.join(" ")} hdr Access-Control-Max-Age 86400 if METH_OPTIONS`,
    // Synapse decodes a path before it looks up the resource, so refused paths are matched in decoded form.
    ...[...NEVER_SERVED, ...(name === "public" ? [ADMIN_PREFIX] : [])].map(
      (p) => `  acl refused path,url_dec -m reg ${p}`,
    ),
    `  http-request return ${matrixError(404, "M_UNRECOGNIZED", "Unrecognized request")} if refused`,
    // The ingress controller appends the address that it saw. Only this last entry is reliable; the client may have
    // written the others.
    "  http-request set-var(txn.client) src",
    "  http-request set-var(txn.client) req.hdr(X-Forwarded-For,-1) if { req.hdr(X-Forwarded-For) -m found }",
    "  http-request set-header X-Forwarded-For %[var(txn.client)]",
    "  http-request set-header X-Forwarded-Proto https",
    ...bodyRules(served, input),
    // A POST whose answer is lost may have taken effect. PUTs carry a transaction id, and GETs change nothing.
    "  http-request disable-l7-retry if METH_POST",
    ...KEYS,
    ...(input.federation ? ORIGIN_KEYS : []),
    ...served.flatMap(routeAcls),
    ...served.flatMap(choose),
    "  default_backend unrecognized",
    "",
  ];
}

/** haproxy.cfg of the router. */
export function renderHaproxyCfg(input: HaproxyInput): string {
  const routes = resolveRoutes(input);
  return [
    "# Generated from the routing table of matrix-ha.",
    "global",
    `  maxconn ${input.plan.router.maxConnections}`,
    // If the node allows fewer descriptors, serve fewer connections instead of none.
    "  no strict-limits",
    "  log stdout format raw local0 info",
    // Ends the long polls that are still open when a router is replaced: clients poll again through another one.
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
    // Two processes that stop one after the other cost two retries each: for the lost answer, and for the refused
    // connection.
    "  retries 4",
    "  retry-on conn-failure empty-response",
    // A client's first request never uses an existing connection to a server, so a POST cannot meet a closed one.
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
    // Detects a machine that vanished without closing its connections after 5 + 3 * 2 s; then its requests are repeated
    // elsewhere.
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
    // Few entries are needed at once, and one that counts is not evicted.
    `backend ${BY_CLASS}`,
    "  stick-table type string len 32 size 100 expire 10m store conn_cur",
    "",
    `backend ${BY_ADDRESS}`,
    "  stick-table type ipv6 size 20k expire 1m store conn_cur",
    "",
    ...backendsOf(routes).flatMap((found) => backend(found, input)),
  ].join("\n");
}
