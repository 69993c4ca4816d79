/**
 * What operators and clients rely on in haproxy.cfg, line by line, each with what breaks without it. The comparison
 * with docs/routing.md is silent after regenerating; these are not.
 */
import assert from "node:assert/strict";
import { backendName } from "../../components/layers/router/haproxyCfg";
import { classify, resolveRoutes } from "../../components/layers/synapse/routingTable";
import type { WorkerClass } from "../../components/domain/workerClasses";
import { API_BODY_BYTES } from "../../components/domain/bodies";
import { bodies, cfg, plan, section } from "./rendered";

const has = (head: string, line: string, text?: string): void => {
  assert.ok(section(head, text).includes(line), `${head} has no line "${line}"`);
};
/** The number after a word in the backend's server-template. */
const ofServers = (backend: string, word: string, text = cfg()): number =>
  Number(
    new RegExp(`(?:^| )${word} (\\d+)`).exec(
      section(`backend ${backend}`, text).find((l) => l.startsWith("server-template"))!,
    )![1],
  );

describe("haproxy.cfg: requests that belong together meet at one process", () => {
  interface Asked {
    path: string;
    authorization?: string;
    query?: string;
  }
  type Vars = Map<string, string>;

  /** What a sample fetch of HAProxy gives for a request. */
  function source(name: string, request: Asked, vars: Vars): string | undefined {
    const [, kind, argument] = /^([\w.]+)(?:\((.*)\))?$/.exec(name)!;
    if (kind === "var") return vars.get(argument!);
    if (kind === "url_param") return new URLSearchParams(request.query).get(argument!) ?? undefined;
    return kind === "path" ? request.path : request.authorization;
  }
  /** The few converters that the lines use, as HAProxy's manual defines them. */
  function converted(value: string, converter: string): string {
    const [, kind, n, separator = ""] = /^(\w+)(?:\((\d+),(.*)\))?$/.exec(converter)!;
    if (kind === "url_dec") return decodeURIComponent(value);
    const parts = value.split(separator.replace(/^'(.*)'$/, "$1"));
    return (kind === "word" ? parts.filter(Boolean) : parts)[Number(n) - 1] ?? "";
  }
  function evaluated(expression: string, request: Asked, vars: Vars): string | undefined {
    const [first, ...converters] = expression.split(/,(?![^(]*\))/);
    const value = source(first!, request, vars);
    return value === undefined ? undefined : converters.reduce(converted, value);
  }
  function holds(condition: string, request: Asked, vars: Vars): boolean {
    const [, not, left, flag, right = ""] = /^(!?)\{ (\S+)(?: -m)? ?(found|beg -i|beg)? ?(.*?) ?\}$/.exec(condition)!;
    const value = left!.startsWith("path") ? request.path : evaluated(left!, request, vars);
    const tests: Record<string, () => boolean> = {
      found: () => value !== undefined,
      beg: () => value?.startsWith(right) ?? false,
      "beg -i": () => value?.toLowerCase().startsWith(right.toLowerCase()) ?? false,
      path_beg: () => request.path.startsWith(right),
      path_reg: () => new RegExp(right).test(request.path),
    };
    return tests[flag ?? left!]!() !== (not === "!");
  }
  /** Value of a variable for a request, by the lines that set it. */
  function keyOf(name: string, request: Asked): string | undefined {
    const vars: Vars = new Map();
    for (const line of section("frontend public")) {
      const m = /^http-request set-var\((txn\.(?:token|user|room|media))\) (.*?)(?: if (.*))?$/.exec(line);
      if (!m || (m[3] && !holds(m[3], request, vars))) continue;
      const value = evaluated(m[2]!, request, vars);
      if (value !== undefined) vars.set(m[1]!, value);
    }
    return vars.get(`txn.${name}`);
  }
  const token = (user: string, device: string): string =>
    `syt_${Buffer.from(user).toString("base64url")}_${device}_abc123`;

  it("all devices of a user, whatever the rest of their tokens", () => {
    const path = "/_matrix/client/v3/sync";
    const phone = keyOf("user", { path, authorization: `Bearer ${token("alice", "PHONEPHONEPHONE")}` });
    assert.equal(phone, Buffer.from("alice").toString("base64url"));
    assert.equal(keyOf("user", { path, authorization: `bearer  ${token("alice", "LAPTOP")}` }), phone);
    assert.equal(keyOf("user", { path, query: `access_token=${token("alice", "OLD")}` }), phone);
    assert.notEqual(keyOf("user", { path, authorization: `Bearer ${token("bob", "PHONEPHONEPHONE")}` }), phone);
    assert.equal(keyOf("user", { path, authorization: "Bearer mat_opaque_x" }), "mat_opaque_x");
    assert.equal(keyOf("user", { path }), undefined);
  });
  it("a room, however its id is written and under each version of the API", () => {
    for (const path of [
      "/_matrix/client/v3/rooms/!r:x/send/m.room.message/1",
      "/_matrix/client/r0/rooms/%21r%3Ax/messages",
      "/_matrix/client/api/v1/rooms/!r:x/state",
    ])
      assert.equal(keyOf("room", { path }), "!r:x", path);
  });
  it("a file, in all its sizes", () => {
    for (const path of [
      "/_matrix/client/v1/media/download/x/abc",
      "/_matrix/client/v1/media/thumbnail/x/abc",
      "/_matrix/media/v3/download/x/abc",
    ])
      assert.equal(keyOf("media", { path }), "abc", path);
    assert.equal(keyOf("media", { path: "/_matrix/federation/v1/media/download/abc" }), "abc");
    assert.equal(keyOf("media", { path: "/_matrix/client/v1/media/config" }), undefined);
  });
  it("the lines that the keys come from are the ones that the backends hash by", () => {
    for (const [hash, variable] of [
      ["user", "user"],
      ["room", "room"],
      ["media", "media"],
      ["origin", "origin"],
    ] as const)
      for (const r of resolveRoutes({ plan, federation: true }).filter((x) => x.hash === hash))
        has(`backend ${backendName(r.classes[0]!, hash)}`, `balance hash var(txn.${variable})`);
    has("backend main", "balance leastconn");
  });
  it("keeps its users when a process comes or goes: consistent, and by the processes' addresses on every router", () => {
    has("defaults", "hash-type consistent");
    for (const line of cfg()
      .split(/^backend /m)
      .filter((b) => b.includes("balance hash")))
      assert.match(line, / hash-key addr$/m);
    assert.doesNotMatch(section("backend main").join("\n"), /hash-key/);
    assert.doesNotMatch(cfg({ hashByAddress: false }), /hash-key/);
  });
});

describe("haproxy.cfg: which routes are hashed", () => {
  const C = "/_matrix/client/v3";
  /** A cache, a lock or a position in the process is of use to the next request with the same key. */
  const HASHED: Array<[string, string, string]> = [
    ["GET", `${C}/sync`, "user"],
    ["GET", `${C}/events`, "user"],
    ["POST", `${C}/rooms/!r:x/receipt/m.read/$e`, "user"],
    ["POST", `${C}/keys/upload`, "user"],
    ["PUT", `${C}/rooms/!r:x/send/m.room.message/1`, "room"],
    ["GET", `${C}/rooms/!r:x/messages`, "room"],
    ["GET", `${C}/rooms/!r:x/state`, "room"],
    ["GET", `${C}/rooms/!r:x/context/$e`, "room"],
    ["PUT", "/_matrix/federation/v1/send/1", "origin"],
    ["GET", "/_matrix/client/v1/media/download/x/a", "media"],
  ];
  it("by what", () => {
    const got = HASHED.map(([method, path]) => [
      method,
      path,
      classify({ method, path }, { plan, federation: true })!.hash,
    ]);
    assert.deepEqual(got, HASHED);
  });
});

describe("haproxy.cfg: limits and time-outs", () => {
  it("a long poll outlives a client's own time-out, which is 30 s by default and at most 180 s behind the ingress", () => {
    for (const backend of ["synchrotron-by-user", "generic-by-user"]) {
      const [, seconds] = /^timeout server (\d+)s$/.exec(
        section(`backend ${backend}`).find((l) => l.startsWith("timeout server"))!,
      )!;
      assert.ok(Number(seconds) >= 120, `${backend}: ${seconds} s`);
    }
    has("backend synchrotron-by-user", "timeout server 180s");
    has("backend initial-sync-by-user", "timeout server 600s");
    has("backend media", "timeout server 300s");
    has("backend main", "timeout server 120s");
    has("defaults", "timeout client 900s");
    has("defaults", "timeout queue 30s");
    has("defaults", "timeout connect 3s");
    has("defaults", "timeout http-request 15s");
    has("defaults", "timeout check 3s");
  });
  it("a sync process takes four requests for each of its users, and never fewer than 512", () => {
    const pool = plan.synapse.pools.find((p) => p.class === "synchrotron")!;
    const at = (ccu: number): number => ofServers("synchrotron-by-user", "maxconn", cfg({ plan: { ...plan, ccu } }));
    assert.equal(at(100), 512);
    assert.equal(at(20_000), Math.ceil((20_000 * 4) / pool.replicas));
    assert.equal(ofServers("initial-sync-by-user", "maxconn"), 32);
    assert.equal(ofServers("main", "maxconn"), 512);
    assert.equal(ofServers("generic", "maxconn"), 256);
  });
  it("holds as many connections as the plan says, or as the node allows", () => {
    has("global", `maxconn ${plan.router.maxConnections}`);
    has("global", "no strict-limits");
  });
  it("refuses a body that is too large for its path, before it is read", () => {
    const limits = section("frontend public").filter((l) => l.startsWith("http-request return status 413"));
    assert.deepEqual(
      limits.map((l) => / if (.*)$/.exec(l)![1]),
      [
        `upload { req.hdr(Content-Length) -m int gt ${bodies.routerUploadBytes} }`,
        `!upload { req.hdr(Content-Length) -m int gt ${API_BODY_BYTES} }`,
      ],
    );
  });
});

describe("haproxy.cfg: who is up", () => {
  it("asks every process for its health, on the port of its health listener", () => {
    for (const [, name] of cfg().matchAll(/^backend (\S+)$/gm)) {
      // The others have no servers: they refuse, or only hold a table of counters.
      if (!section(`backend ${name}`).some((l) => l.startsWith("server-template"))) continue;
      has(`backend ${name}`, "option httpchk GET /health");
    }
    assert.ok(
      section("defaults").some((l) =>
        /^default-server init-addr none check inter 2s fastinter 1s downinter 1s fall 3 rise 1 port 8080 resolve-prefer ipv4$/.test(
          l,
        ),
      ),
    );
    assert.match(cfg({ ipFamilies: ["IPv6"] }), /resolve-prefer ipv6$/m);
  });
  it("notices a machine that vanished within 11 s, and repeats elsewhere what may be repeated", () => {
    for (const line of [
      "option srvtcpka",
      "srvtcpka-idle 5s",
      "srvtcpka-intvl 2s",
      "srvtcpka-cnt 3",
      "option redispatch 1",
      "retries 4",
      "retry-on conn-failure empty-response",
      "http-reuse safe",
    ])
      has("defaults", line);
  });
  it("does not forget a process because a name server is away", () => {
    for (const name of ["stable-names", "changing-names"])
      for (const line of ["hold nx 600s", "hold other 600s", "hold timeout 600s", "hold refused 600s", "hold valid 3s"])
        has(`resolvers ${name}`, line);
    has("resolvers changing-names", "accepted_payload_size 8192");
  });
  it("ends its own long polls within 30 s when it is replaced, and says so to its own probe first", () => {
    has("global", "hard-stop-after 30s");
    has("frontend health", "http-request return status 503 if { stopping }");
    assert.ok(
      section("frontend health").indexOf("http-request return status 503 if { stopping }") <
        section("frontend health").findIndex((l) => l.includes("/healthz")),
    );
  });
  it("has room for what a rollout and the autoscaler add", () => {
    const slots = (cls: WorkerClass): string | undefined =>
      new RegExp(`server-template ${cls} (\\d+) `).exec(cfg())?.[1];
    const pool = (cls: WorkerClass) => plan.synapse.pools.find((p) => p.class === cls)!;
    const { maxReplicas } = pool("generic");
    assert.equal(slots("generic"), String(maxReplicas * 2 + Math.ceil(maxReplicas / 4)));
    assert.equal(slots("main"), "1");
  });
});

describe("haproxy.cfg: clients of other origins, and addresses", () => {
  it("answers preflights itself, for a day", () => {
    const [line] = section("frontend public").filter((l) => l.endsWith("if METH_OPTIONS"));
    assert.match(line!, /^http-request return status 204 hdr Access-Control-Allow-Origin "\*"/);
    assert.match(line!, /Access-Control-Allow-Methods "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"/);
    assert.match(line!, /Access-Control-Allow-Headers "X-Requested-With, Content-Type, Authorization, Date"/);
    assert.match(line!, /Access-Control-Max-Age 86400/);
  });
  it("gives every error of its own a Matrix error code and the time to come back", () => {
    for (const [status, retry] of [
      [503, 2],
      [502, 2],
      [504, 5],
    ])
      assert.match(
        cfg(),
        new RegExp(
          `http-error status ${status} content-type application/json string '\\{"errcode":"M_UNKNOWN".*Retry-After ${retry}$`,
          "m",
        ),
      );
    assert.match(section("backend unrecognized").join("\n"), /status 404 .*M_UNRECOGNIZED/);
  });
  it("binds both families only where the cluster has both", () => {
    has("frontend public", "bind :8008");
    has("frontend admin", "bind :8010");
    has("frontend public", "bind :::8008 v4v6", cfg({ ipFamilies: ["IPv4", "IPv6"] }));
  });
  it("tells Synapse that the client came by HTTPS, and who it is", () => {
    for (const f of ["public", "admin"]) {
      has(`frontend ${f}`, "http-request set-header X-Forwarded-Proto https");
      const lines = section(`frontend ${f}`);
      assert.ok(
        lines.indexOf("http-request set-var(txn.client) src") <
          lines.findIndex((l) => l.startsWith("http-request set-var(txn.client) req.hdr(X-Forwarded-For,-1)")),
      );
    }
  });
  it("names a sending server by its signature, or by its address", () => {
    const lines = section("frontend public");
    assert.ok(lines.includes("http-request set-var(txn.origin) var(txn.client) if !{ var(txn.origin) -m found }"));
    assert.ok(!cfg({ federation: false }).includes("txn.origin"));
  });
});
