/**
 * Whole sections of haproxy.cfg, line by line: each line is a promise to clients, to operators or to Synapse, and one
 * line more may break it as well as one less.
 */
import assert from "node:assert/strict";
import { backendName } from "../../components/layers/router";
import { fixturePlan } from "../fixtures/plan";
import { cfg, plan, section } from "./rendered";

/** An answer that clients of other origins may read, too. */
const answer = (status: number, errcode: string, error: string): string =>
  `status ${status} content-type application/json string '{"errcode":"${errcode}","error":"${error}"}' hdr Access-Control-Allow-Origin "*"`;
const before = (lines: string[], start: string): string[] =>
  lines.slice(
    0,
    lines.findIndex((l) => l.startsWith(start)),
  );

describe("haproxy.cfg: its sections", () => {
  it("are these, in this order", () => {
    const text = cfg();
    assert.ok(text.startsWith("# Generated from the routing table of matrix-ha.\nglobal\n"));
    // HAProxy refuses a last line without its end: "Missing LF on last line".
    assert.ok(text.endsWith("\n"));
    assert.deepEqual(
      text.split("\n").filter((l) => /^\w/.test(l)),
      [
        "global",
        "resolvers changing-names",
        "resolvers stable-names",
        "defaults",
        "frontend health",
        "frontend public",
        "frontend admin",
        "backend unrecognized",
        "backend bodies-by-class",
        "backend bodies-by-address",
        "backend account",
        "backend device-lists-by-user",
        "backend ephemeral",
        "backend generic",
        "backend generic-by-room",
        "backend generic-by-user",
        "backend initial-sync-by-user",
        "backend main",
        "backend main-by-origin",
        "backend media",
        "backend media-by-media",
        "backend media-uploads",
        "backend receipts-by-user",
        "backend synchrotron-by-user",
      ],
    );
    // A blank line between two sections, for people.
    assert.equal(text.match(/\n\n\w/g)!.length, 23);
  });

  it("global: connections, the log to the pod's output, and a soft stop of 30 s", () => {
    assert.deepEqual(section("global", cfg({ plan: { ...plan, router: { ...plan.router, maxConnections: 4321 } } })), [
      "maxconn 4321",
      "no strict-limits",
      "log stdout format raw local0 info",
      "hard-stop-after 30s",
      "close-spread-time 10s",
    ]);
  });

  it("resolvers: answers in large packets, kept for 10 min while a name server is away", () => {
    for (const [name, obsolete] of [
      ["changing-names", "hold obsolete 20s"],
      ["stable-names", "hold obsolete 0s"],
    ])
      assert.deepEqual(section(`resolvers ${name}`), [
        "parse-resolv-conf",
        "accepted_payload_size 8192",
        "timeout resolve 1s",
        "timeout retry 1s",
        "hold valid 3s",
        obsolete,
        "hold nx 600s",
        "hold other 600s",
        "hold timeout 600s",
        "hold refused 600s",
      ]);
  });

  it("defaults: time-outs, what is repeated, how processes are checked, and errors that Matrix clients understand", () => {
    assert.deepEqual(section("defaults"), [
      "mode http",
      "log global",
      "option httplog",
      "option dontlognull",
      "option redispatch 1",
      "retries 4",
      "retry-on conn-failure empty-response",
      "http-reuse safe",
      "hash-type consistent",
      "timeout connect 3s",
      "timeout queue 30s",
      "timeout client 900s",
      "timeout client-fin 10s",
      "timeout http-keep-alive 120s",
      "timeout http-request 15s",
      "timeout server 120s",
      "timeout check 3s",
      `http-error ${answer(503, "M_UNKNOWN", "Temporarily unavailable")} hdr Retry-After 2`,
      `http-error ${answer(502, "M_UNKNOWN", "The request failed")} hdr Retry-After 2`,
      `http-error ${answer(504, "M_UNKNOWN", "The request took too long")} hdr Retry-After 5`,
      "default-server init-addr none check inter 2s fastinter 1s downinter 1s fall 3 rise 1 port 8080 resolve-prefer ipv4",
      "option srvtcpka",
      "srvtcpka-idle 5s",
      "srvtcpka-intvl 2s",
      "srvtcpka-cnt 3",
    ]);
  });

  it("health: no longer well once it stops, and metrics for Prometheus", () => {
    assert.deepEqual(section("frontend health"), [
      "bind :8404",
      "timeout http-request 5s",
      "option dontlog-normal",
      "http-request return status 503 if { stopping }",
      "http-request return status 200 content-type text/plain string ok if { path /healthz }",
      "http-request use-service prometheus-exporter if { path /metrics }",
    ]);
  });

  it("unrecognized: says in Matrix's words that nothing is there", () => {
    assert.deepEqual(section("backend unrecognized"), [
      `http-request return ${answer(404, "M_UNRECOGNIZED", "Unrecognized request")}`,
    ]);
  });

  it("tables: what is under way to each class, and from each address of either family", () => {
    assert.deepEqual(section("backend bodies-by-class"), [
      "stick-table type string len 32 size 100 expire 10m store conn_cur",
    ]);
    assert.deepEqual(section("backend bodies-by-address"), ["stick-table type ipv6 size 20k expire 1m store conn_cur"]);
  });
});

describe("haproxy.cfg: the addresses that it listens at, and looks for", () => {
  const binds = (text: string): string[] => text.match(/bind \S+( v4v6)?$/gm)!;
  const prefers = (text: string): string => /resolve-prefer (\S+)$/m.exec(text)![1]!;
  const v4 = ["bind :8404", "bind :8008", "bind :8010"];
  const both = ["bind :::8404 v4v6", "bind :::8008 v4v6", "bind :::8010 v4v6"];

  it("are of IPv4 alone where the cluster has no IPv6: on such a node, the other socket fails", () => {
    for (const text of [cfg(), cfg({ ipFamilies: ["IPv4"] })])
      assert.deepEqual([binds(text), prefers(text)], [v4, "ipv4"]);
  });
  it("are of both families where the cluster has IPv6, and processes are found by its first family", () => {
    const four = cfg({ ipFamilies: ["IPv4", "IPv6"] }),
      six = cfg({ ipFamilies: ["IPv6", "IPv4"] });
    assert.deepEqual([binds(four), prefers(four)], [both, "ipv4"]);
    assert.deepEqual([binds(six), prefers(six)], [both, "ipv6"]);
  });
});

describe("haproxy.cfg: what happens to a request before it is routed", () => {
  const PREFLIGHT =
    'http-request return status 204 hdr Access-Control-Allow-Origin "*" hdr Access-Control-Allow-Methods "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" hdr Access-Control-Allow-Headers "X-Requested-With, Content-Type, Authorization, Date" hdr Access-Control-Max-Age 86400 if METH_OPTIONS';
  const REFUSED = `http-request return ${answer(404, "M_UNRECOGNIZED", "Unrecognized request")} if refused`;
  const UPLOADS = "^/_matrix/media/(r0|v1|v3)/upload$ ^/_matrix/media/v3/upload/[^/]+/[^/]+$";
  const PUBLIC_MEDIA = `${UPLOADS} ^/_matrix/media/ ^/_matrix/client/(v1|unstable/org[.]matrix[.]msc3916)/media/ ^/_synapse/media/`;
  const RULES = [
    "acl no_length req.fhdr(Transfer-Encoding) -m found",
    // media.maxUploadMiB is 100, and one more: Synapse words the error for what is a little too large.
    `http-request return ${answer(413, "M_TOO_LARGE", "Request body too large")} if upload { req.hdr(Content-Length) -m int gt 105906176 }`,
    // 200 events of 64 KiB: Synapse's own limit.
    `http-request return ${answer(413, "M_TOO_LARGE", "Request body too large")} if !upload { req.hdr(Content-Length) -m int gt 13107200 }`,
    `http-request return ${answer(411, "M_UNKNOWN", "Content-Length is missing")} if media no_length`,
    "http-request set-var(txn.long) bool(true) if no_length",
    // Half of HAProxy's buffer.
    "http-request set-var(txn.long) bool(true) if { req.hdr(Content-Length) -m int gt 8192 }",
    "http-request set-var(txn.filed) bool(true) if no_length",
    // From 100,000 bytes on, Synapse's web server makes a file.
    "http-request set-var(txn.filed) bool(true) if { req.hdr(Content-Length) -m int gt 99999 }",
    "http-request track-sc0 var(txn.client),ipmask(32,64) table bodies-by-address if { var(txn.long) -m bool }",
    `http-request return ${answer(429, "M_LIMIT_EXCEEDED", "Too many large requests")} hdr Retry-After 2 if { var(txn.long) -m bool } { sc0_conn_cur gt 16 }`,
    "http-request wait-for-body time 15s if !{ var(txn.long) -m bool } { req.hdr(Content-Length) -m int gt 0 }",
    "http-request disable-l7-retry if METH_POST",
    "http-request set-var(txn.token) req.fhdr(Authorization),word(2,' ') if { req.fhdr(Authorization) -m beg -i Bearer }",
    "http-request set-var(txn.token) url_param(access_token) if !{ var(txn.token) -m found }",
    "http-request set-var(txn.user) var(txn.token)",
    "http-request set-var(txn.user) var(txn.token),field(2,_) if { var(txn.token) -m beg syt_ }",
    "http-request set-var(txn.room) path,field(6,/),url_dec if !{ path_beg /_matrix/client/api/v1/ }",
    "http-request set-var(txn.room) path,field(7,/),url_dec if { path_beg /_matrix/client/api/v1/ }",
    "http-request set-var(txn.media) path,field(7,/) if { path_reg ^/_matrix/(media/[^/]+|federation/v1/media)/(download|thumbnail)/ }",
    "http-request set-var(txn.media) path,field(8,/) if { path_reg ^/_matrix/client/[^/]+/media/(download|thumbnail)/ }",
  ];
  const ORIGIN = [
    `http-request set-var(txn.origin) "req.fhdr(Authorization),regsub('^.*origin=[^a-zA-Z0-9]?([^,\\"]+).*','\\1'),lower" if { req.fhdr(Authorization) -m beg -i X-Matrix }`,
    "http-request set-var(txn.origin) var(txn.client) if !{ var(txn.origin) -m found }",
  ];
  const CLIENT = [
    "http-request set-var(txn.client) src",
    "http-request set-var(txn.client) req.hdr(X-Forwarded-For,-1) if { req.hdr(X-Forwarded-For) -m found }",
    "http-request set-header X-Forwarded-For %[var(txn.client)]",
    "http-request set-header X-Forwarded-Proto https",
  ];

  it("on the public port: the admin API is refused as well", () =>
    assert.deepEqual(before(section("frontend public"), "acl m_"), [
      "bind :8008",
      PREFLIGHT,
      "acl refused path,url_dec -m reg ^/+_synapse/+(replication|metrics|mas)(/|$)",
      "acl refused path,url_dec -m reg ^/+_synapse/+admin(/|$)",
      REFUSED,
      ...CLIENT,
      `acl upload path_reg ${UPLOADS}`,
      `acl media path_reg ${PUBLIC_MEDIA} ^/_matrix/federation/v1/media/`,
      ...RULES,
      ...ORIGIN,
    ]));

  it("on the admin port: only what no client may ever see is refused", () =>
    assert.deepEqual(
      before(section("frontend admin"), "acl m_").filter((l) => !l.startsWith("acl media ")),
      [
        "bind :8010",
        PREFLIGHT,
        "acl refused path,url_dec -m reg ^/+_synapse/+(replication|metrics|mas)(/|$)",
        REFUSED,
        ...CLIENT,
        `acl upload path_reg ${UPLOADS}`,
        ...RULES,
        ...ORIGIN,
      ],
    ));

  it("without federation: nothing that only servers send is looked at", () => {
    const lines = before(section("frontend public", cfg({ federation: false })), "acl m_");
    assert.deepEqual(lines.slice(-RULES.length), RULES);
    assert.ok(lines.includes(`acl media path_reg ${PUBLIC_MEDIA}`));
  });
});

describe("haproxy.cfg: how a route is chosen", () => {
  const of = (frontend: string, id: string): string[] =>
    section(`frontend ${frontend}`).filter((l) => new RegExp(`\\b[mvq]_${id}( |$)`).test(l));

  it("by path, method and a parameter that is not there: a first sync falls back to the sync processes, then to the generic ones", () =>
    assert.deepEqual(of("public", "initial-sync"), [
      "acl m_initial-sync path_reg ^/_matrix/client/(r0|v3|unstable)/sync$",
      "acl v_initial-sync method GET HEAD",
      "acl q_initial-sync url_param(since) -m len ge 1",
      "use_backend initial-sync-by-user if m_initial-sync v_initial-sync !q_initial-sync { nbsrv(initial-sync-by-user) gt 0 }",
      "use_backend synchrotron-by-user if m_initial-sync v_initial-sync !q_initial-sync { nbsrv(synchrotron-by-user) gt 0 }",
      "use_backend generic-by-user if m_initial-sync v_initial-sync !q_initial-sync",
    ]));
  it("by several paths", () =>
    assert.deepEqual(of("public", "media-upload"), [
      "acl m_media-upload path_reg ^/_matrix/media/(r0|v1|v3)/upload$",
      "acl m_media-upload path_reg ^/_matrix/media/v3/upload/[^/]+/[^/]+$",
      "use_backend media-uploads if m_media-upload",
    ]));
  it("by method alone beside the path, where reads go elsewhere than writes", () => {
    assert.deepEqual(of("public", "presence-write").slice(1), [
      "acl v_presence-write method PUT POST DELETE",
      "use_backend ephemeral if m_presence-write v_presence-write",
    ]);
    // The main process is one: as a fallback it has no hash.
    assert.deepEqual(of("public", "presence-read").slice(1), [
      "acl v_presence-read method GET HEAD",
      "use_backend generic if m_presence-read v_presence-read { nbsrv(generic) gt 0 }",
      "use_backend main if m_presence-read v_presence-read",
    ]);
  });
  it("with the same key at the fallback, but for the main process, of which there is one", () =>
    assert.deepEqual(of("public", "device-lists").slice(-3), [
      "use_backend device-lists-by-user if m_device-lists { nbsrv(device-lists-by-user) gt 0 }",
      "use_backend generic-by-user if m_device-lists { nbsrv(generic-by-user) gt 0 }",
      "use_backend main if m_device-lists",
    ]));
  it("by the sending server even where the main process is the only class", () =>
    assert.equal(
      of("public", "federation-transactions").at(-1),
      "use_backend main-by-origin if m_federation-transactions",
    ));
  it("for administration on its own port alone", () => {
    for (const id of ["media-admin", "admin-rooms", "admin-user", "admin"]) {
      assert.deepEqual(of("public", id), [], id);
      assert.ok(of("admin", id).length >= 2, id);
    }
  });
  it("and what no route takes is not recognised", () => {
    for (const f of ["public", "admin"]) assert.equal(section(`frontend ${f}`).at(-1), "default_backend unrecognized");
  });
});

describe("haproxy.cfg: a class of processes", () => {
  const bounded = (cls: string): string[] => [
    `http-request track-sc1 str(${cls}) table bodies-by-class if { var(txn.filed) -m bool }`,
    // 128 such bodies have room in /tmp; two routers, each with its successor, in steps of four: 128 / 8.
    `http-request return ${answer(503, "M_UNKNOWN", "Too many large requests")} hdr Retry-After 2 if { var(txn.filed) -m bool } { sc1_conn_cur gt 16 }`,
  ];

  it("whose names change is found for 20 s more, and hashed by address", () =>
    assert.deepEqual(section("backend initial-sync-by-user"), [
      "balance hash var(txn.user)",
      ...bounded("initial-sync"),
      "timeout server 600s",
      "option httpchk GET /health",
      // At most three: twice that, and a quarter more in a rollout.
      "server-template initial-sync 7 _http._tcp.synapse-initial-sync.matrix.svc.cluster.local resolvers changing-names maxconn 32 hash-key addr",
    ]));
  it("whose names stay has as many servers as processes", () =>
    assert.deepEqual(section("backend media"), [
      "balance leastconn",
      ...bounded("media"),
      "timeout server 300s",
      "option httpchk GET /health",
      "server-template media 2 _http._tcp.synapse-media.matrix.svc.cluster.local resolvers stable-names maxconn 256",
    ]));
  it("takes few uploads at a time; they are counted by their own bound", () =>
    assert.deepEqual(section("backend media-uploads"), [
      "balance leastconn",
      "timeout server 300s",
      "option httpchk GET /health",
      "server-template media 2 _http._tcp.synapse-media.matrix.svc.cluster.local resolvers stable-names maxconn 6",
    ]));
  it("shares one count of large bodies, however it is hashed", () => {
    for (const name of ["generic", "generic-by-room", "generic-by-user"])
      assert.deepEqual(
        section(`backend ${name}`).filter((l) => l.includes("txn.filed")),
        bounded("generic"),
      );
  });
  it("is looked for in the cluster's own domain", () =>
    assert.ok(
      section("backend main", cfg({ clusterDomain: "k8s.example" }))
        .at(-1)!
        .startsWith("server-template main 1 _http._tcp.synapse-main.matrix.svc.k8s.example resolvers stable-names "),
    ));
  it("is named by class and key", () =>
    assert.deepEqual(
      [backendName("generic", "room"), backendName("main", "none"), backendName("media", "media", true)],
      ["generic-by-room", "main", "media-uploads"],
    ));
  it("without a bound and a time-out of its own gets no request", () => {
    const wrong = fixturePlan();
    // Pushers take none.
    wrong.synapse.streamWriters.typing = "pusher";
    assert.throws(() => cfg({ plan: wrong }), {
      message:
        'router: a route leads to class pusher, of which components/domain/workers.ts says router: "none"; give it its bound and time-out there',
    });
  });
});
