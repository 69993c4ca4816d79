/** Each request that Synapse knows reaches a process that serves it. */
import assert from "node:assert/strict";
import { classify, resolveRoutes, resourcesOf, roomKey, userKey } from "../../components/layers/synapse/routingTable";
import { EVENT_SENDERS } from "../../components/layers/synapse/instances";
import { ROUTES } from "../../components/layers/synapse/routes";
import type { WorkerClass } from "../../components/domain/workerClasses";
import { fixturePlan } from "../fixtures/plan";
import servlets from "./servlets.json";

const federatedPlan = () => {
  const plan = fixturePlan();
  plan.synapse.pools.push({ ...plan.synapse.pools[1]!, class: "federation-reader" });
  return plan;
};
const plan = federatedPlan();
const at = (method: string, path: string, query?: string, frontend: "public" | "admin" = "public") =>
  classify({ method, path, query }, { plan, federation: true, frontend });

const C = "/_matrix/client";
/** method, path (with query), class, hash. */
const EXPECTED: Array<[string, string, WorkerClass, string?]> = [
  ["GET", `${C}/v3/sync`, "initial-sync", "user"],
  ["GET", `${C}/v3/sync?since=s1_2`, "synchrotron", "user"],
  ["GET", `${C}/r0/sync?timeout=0&since=`, "initial-sync"],
  ["GET", `${C}/r0/sync?timeout=30000&since=s72594_4483_1934`, "synchrotron"],
  ["GET", `${C}/v3/events?from=x`, "synchrotron"],
  ["GET", `${C}/v3/initialSync`, "initial-sync"],
  ["GET", `${C}/api/v1/rooms/!r:x/initialSync`, "initial-sync"],
  ["POST", `${C}/unstable/org.matrix.simplified_msc3575/sync?timeout=30000`, "synchrotron", "user"],
  ["PUT", `${C}/v3/rooms/!r:x/typing/@u:x`, "ephemeral"],
  ["PUT", `${C}/api/v1/rooms/!r:x/typing/@u:x`, "ephemeral"],
  ["PUT", `${C}/v3/sendToDevice/m.room.encrypted/t1`, "account"],
  ["PUT", `${C}/v3/user/@u:x/account_data/m.direct`, "account"],
  ["GET", `${C}/v3/user/@u:x/account_data/m.direct`, "generic"],
  ["PUT", `${C}/v3/user/@u:x/rooms/!r:x/account_data/m.fully_read`, "account"],
  ["DELETE", `${C}/v3/user/@u:x/rooms/!r:x/tags/m.favourite`, "account"],
  ["GET", `${C}/v3/user/@u:x/rooms/!r:x/tags`, "generic"],
  ["POST", `${C}/v3/rooms/!r:x/receipt/m.read/$e`, "receipts"],
  ["POST", `${C}/v3/rooms/!r:x/read_markers`, "receipts"],
  ["PUT", `${C}/v3/presence/@u:x/status`, "ephemeral"],
  ["GET", `${C}/v3/presence/@u:x/status`, "generic"],
  ["PUT", `${C}/v3/pushrules/global/content/x`, "account"],
  ["GET", `${C}/v3/pushrules/`, "generic"],
  ["PUT", `${C}/unstable/io.element.msc4306/rooms/!r:x/thread/$e/subscription`, "receipts"],
  ["GET", `${C}/unstable/io.element.msc4306/rooms/!r:x/thread/$e/subscription`, "generic"],
  ["POST", `${C}/v3/keys/upload`, "device-lists"],
  ["POST", `${C}/v3/keys/device_signing/upload`, "device-lists"],
  ["GET", `${C}/v3/devices`, "device-lists"],
  ["POST", `${C}/v3/delete_devices`, "device-lists"],
  ["POST", `${C}/v3/keys/query`, "generic"],
  ["GET", `${C}/v3/room_keys/version`, "generic"],
  ["POST", "/_matrix/media/v3/upload?filename=x", "media"],
  ["GET", `${C}/v1/media/download/x/abc`, "media", "media"],
  ["GET", "/_matrix/federation/v1/media/download/abc", "media", "media"],
  ["PUT", `${C}/v3/rooms/!r:x/send/m.room.message/t1`, "generic", "room"],
  ["PUT", `${C}/v3/rooms/!r:x/state/m.room.name/`, "generic", "room"],
  ["POST", `${C}/v3/rooms/!r:x/join`, "generic", "room"],
  ["POST", `${C}/v3/join/%23a%3Ax`, "generic", "room"],
  ["GET", `${C}/v3/rooms/!r:x/messages?dir=b`, "generic", "room"],
  ["GET", `${C}/v3/rooms/!r:x/members`, "generic"],
  ["GET", `${C}/v1/rooms/!r:x/relations/$e/m.thread`, "generic"],
  ["POST", `${C}/v3/login`, "generic"],
  ["GET", `${C}/v3/login/sso/redirect/oidc-kc?redirectUrl=x`, "main"],
  ["GET", "/_synapse/client/oidc/callback?code=x", "main"],
  ["GET", "/_synapse/client/pick_idp", "main"],
  ["POST", `${C}/v3/logout`, "main"],
  ["POST", `${C}/v3/refresh`, "main"],
  ["POST", `${C}/v3/rooms/!r:x/report/$e`, "main"],
  ["POST", `${C}/v3/rooms/!r:x/upgrade`, "main"],
  ["POST", `${C}/v3/user/@u:x/openid/request_token`, "main"],
  ["POST", `${C}/unstable/org.matrix.msc4140/delayed_events/abc`, "main"],
  ["POST", `${C}/unstable/org.matrix.msc4140/delayed_events/abc/send`, "main"],
  ["POST", `${C}/unstable/org.matrix.msc4140/delayed_events/abc/restart`, "generic"],
  ["GET", `${C}/unstable/org.matrix.msc4140/delayed_events`, "generic"],
  ["POST", `${C}/v3/register`, "generic"],
  ["POST", `${C}/v3/register/email/requestToken`, "main"],
  ["GET", `${C}/versions`, "generic"],
  ["PUT", "/_matrix/federation/v1/send/123", "federation-reader", "origin"],
  ["POST", "/_matrix/federation/v1/user/keys/query", "federation-reader", "origin"],
  ["GET", "/_matrix/key/v2/server", "federation-reader"],
  ["POST", "/_matrix/key/v2/query", "federation-reader"],
  ["GET", "/_matrix/federation/v1/openid/userinfo?access_token=x", "generic"],
  ["GET", `${C}/v3/something/new`, "main"],
  ["GET", "/health", "main"],
];

describe("routing table", () => {
  for (const [method, url, cls, hash] of EXPECTED) {
    it(`${method} ${url} goes to ${cls}${hash ? ` by ${hash}` : ""}`, () => {
      const [path, query] = url.split("?") as [string, string?];
      const got = at(method, path, query);
      assert.equal(got?.class, cls);
      if (hash) assert.equal(got?.hash, hash);
    });
  }

  it("sends rooms' writes to classes that start together with the event persisters", () => {
    const client = [
      "send/m.room.message/1",
      "redact/1/2",
      "state/m.room.name/",
      "join",
      "invite",
      "leave",
      "ban",
      "kick",
    ].map((x) => `${C}/v3/rooms/!r:x/${x}`);
    const servers = ["v1/send/1", "v2/send_join/!r:x/1", "v2/send_leave/!r:x/1", "v2/invite/!r:x/1"].map(
      (x) => `/_matrix/federation/${x}`,
    );
    for (const p of [...client, ...servers])
      assert.ok(EVENT_SENDERS.includes(at("PUT", p)!.class), `${p} goes to ${at("PUT", p)!.class}`);
  });

  it("sends each servlet of Synapse to a class, and to fallbacks, that register it", () => {
    const wrong: string[] = [];
    for (const line of servlets.requests) {
      const [method, path, where] = line.split(" ") as [string, string, string];
      const on = new Set(where.split("+"));
      const got = at(method, path, "since=1", "admin");
      if (!got) {
        wrong.push(`${line}: refused`);
        continue;
      }
      for (const cls of [got.class, ...got.fallback]) {
        const kind = cls === "main" ? "main" : cls === "media" ? "media" : "worker";
        if (!on.has(kind)) wrong.push(`${line}: ${cls} (${got.route})`);
        const resource = ROUTES.find((r) => r.id === got.route)!.resource;
        const resources: string[] = resourcesOf(cls, { plan, federation: true });
        if (!resources.includes(resource) && !(resource === "openid" && resources.includes("federation")))
          wrong.push(`${line}: ${cls} does not listen for ${resource}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("leaves to the main process only what workers do not serve, but for what must be one process", () => {
    const spared = servlets.requests.filter((line) => {
      const [method, path, where] = line.split(" ") as [string, string, string];
      return where.includes("worker") && at(method, path, "since=1", "admin")?.class === "main";
    });
    assert.deepEqual(spared, []);
  });

  it("gives every writer that Synapse allows once no fallback, and says why", () => {
    for (const r of ROUTES) {
      if (r.fallback.length === 0) assert.ok(r.why, `${r.id} has no fallback and no reason`);
      if ("stream" in r.target && r.target.stream !== "device_lists") assert.deepEqual([...r.fallback], [], r.id);
    }
  });

  it("refuses the admin API on the public port however it is written, and replication and metrics everywhere", () => {
    for (const path of [
      "/_synapse/admin/v1/register",
      "/%5fsynapse/admin/v1/register",
      "/_synapse/%61dmin/v2/users",
      "//_synapse//admin/v2/users",
    ]) {
      assert.equal(at("GET", path), undefined, path);
    }
    assert.equal(at("GET", "/_synapse/admin/v2/users", undefined, "admin")?.class, "main");
    for (const path of ["/_synapse/replication/x", "/_synapse/metrics", "/_synapse/mas/x"])
      assert.equal(at("GET", path, undefined, "admin"), undefined, path);
    assert.equal(at("GET", "/something/else"), undefined);
  });

  it("sends media administration to the media class, on the admin port only", () => {
    for (const path of [
      "/_synapse/admin/v1/media/quarantine/x/y",
      "/_synapse/admin/v1/purge_media_cache",
      "/_synapse/admin/v1/quarantine_media/!r:x",
      "/_synapse/admin/v1/users/@u:x/media",
    ]) {
      assert.equal(at("POST", path, undefined, "admin")?.class, "media", path);
      assert.equal(at("POST", path), undefined, path);
    }
  });

  it("serves no federation while federation is off, but for OpenID", () => {
    const off = (path: string) => classify({ method: "GET", path }, { plan: fixturePlan(), federation: false });
    assert.equal(off("/_matrix/federation/v1/version"), undefined);
    assert.equal(off("/_matrix/key/v2/server"), undefined);
    assert.equal(off("/_matrix/federation/v1/media/download/x"), undefined);
    assert.equal(off("/_matrix/federation/v1/openid/userinfo")?.class, "generic");
    for (const pool of fixturePlan().synapse.pools)
      assert.ok(
        !resourcesOf(pool.class, { plan: fixturePlan(), federation: false }).includes("federation"),
        pool.class,
      );
  });

  it("falls back to a class that the plan has", () => {
    const small = fixturePlan();
    small.synapse.pools = small.synapse.pools.filter((p) => ["main", "generic", "media"].includes(p.class));
    for (const key of Object.keys(small.synapse.streamWriters)) (small.synapse.streamWriters as any)[key] = "main";
    for (const r of resolveRoutes({ plan: small, federation: true }))
      for (const c of r.classes) assert.ok(["main", "generic", "media"].includes(c), `${r.id}: ${c}`);
    assert.equal(
      classify({ method: "GET", path: `${C}/v3/sync` }, { plan: small, federation: false })?.class,
      "generic",
    );
  });

  it("hashes a room alike whether its id is encoded or not, and under api/v1", () => {
    for (const path of [
      `${C}/v3/rooms/!r:x/send/m/1`,
      `${C}/v3/rooms/%21r%3Ax/messages`,
      `${C}/api/v1/rooms/!r%3ax/join`,
      `${C}/v3/join/!r:x`,
    ])
      assert.equal(roomKey(path), "!r:x", path);
  });

  it("hashes a user by the localpart of the token", () => {
    assert.equal(userKey("syt_YWxpY2U_abc_def"), "YWxpY2U");
    assert.equal(userKey("mat_opaque_token"), "mat_opaque_token");
  });

  it("writes patterns that HAProxy's parser leaves as they are", () => {
    for (const r of ROUTES) for (const p of r.patterns) assert.match(p, /^\^[^\\\s"'#]+$/, `${r.id}: ${p}`);
    const ids = ROUTES.map((r) => r.id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
