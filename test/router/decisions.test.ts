/** How the routing table decides: first match, method, missing parameter, fallbacks, what keeps requests together. */
import assert from "node:assert/strict";
import {
  ADMIN_PREFIX,
  classify,
  NEVER_SERVED,
  resolveRoutes,
  resourcesOf,
  roomKey,
  userKey,
} from "../../components/layers/synapse/routingTable";
import { isMedia, ROUTES } from "../../components/layers/synapse/routes";
import type { WorkerClass } from "../../components/domain/workerClasses";
import type { Plan } from "../../components/sizing/types";
import { fixturePlan } from "../fixtures/plan";

const plan = fixturePlan();
const federated = fixturePlan();
federated.synapse.pools.push({ ...federated.synapse.pools[1]!, class: "federation-reader" });
const C = "/_matrix/client";
const small = (...classes: WorkerClass[]): Plan => {
  const other = fixturePlan();
  other.synapse.pools = other.synapse.pools.filter((p) => classes.includes(p.class));
  return other;
};

describe("the router's decision", () => {
  it("names the route, the class, its fallbacks, what keeps requests together, and for whom it is", () => {
    const decided = (method: string, path: string, query?: string, frontend?: "public" | "admin") =>
      classify({ method, path, query }, { plan: federated, federation: true, frontend });
    assert.deepEqual(decided("GET", `${C}/v3/sync`, "since=s1"), {
      route: "sync",
      class: "synchrotron",
      fallback: ["generic"],
      hash: "user",
      surface: "public",
    });
    // A first sync is expensive; one with an empty `since` is a first one as well.
    for (const query of [undefined, "", "since=", "timeout=0"])
      assert.deepEqual(decided("GET", `${C}/v3/sync`, query), {
        route: "initial-sync",
        class: "initial-sync",
        fallback: ["synchrotron", "generic"],
        hash: "user",
        surface: "public",
      });
    assert.deepEqual(decided("PUT", "/_matrix/federation/v1/send/1"), {
      route: "federation-transactions",
      class: "federation-reader",
      fallback: ["main"],
      hash: "origin",
      surface: "federation",
    });
    assert.deepEqual(decided("POST", "/_synapse/admin/v1/purge_media_cache", undefined, "admin"), {
      route: "media-admin",
      class: "media",
      fallback: [],
      hash: "none",
      surface: "admin",
    });
    assert.equal(decided("POST", `${C}/v3/user/@u:x/account_data/a`)?.route, "account-data-write");
    assert.equal(decided("GET", `${C}/v3/user/@u:x/account_data/a`)?.route, "account-data-read");
    assert.equal(decided("PATCH", `${C}/v3/user/@u:x/account_data/a`)?.route, "default", "neither");
  });

  it("is a refusal of internal paths everywhere, and of the admin API but on its own port", () => {
    const input = { plan, federation: false };
    assert.deepEqual(NEVER_SERVED, ["^/+_synapse/+(replication|metrics|mas)(/|$)"]);
    assert.equal(ADMIN_PREFIX, "^/+_synapse/+admin(/|$)");
    for (const frontend of ["public", "admin", undefined] as const)
      assert.equal(classify({ method: "GET", path: "/_synapse/metrics" }, { ...input, frontend }), undefined);
    const admin = (frontend?: "public" | "admin") =>
      classify({ method: "GET", path: "/_synapse/admin/v2/users" }, { ...input, frontend })?.class;
    assert.deepEqual([admin("admin"), admin("public"), admin()], ["main", undefined, undefined]);
    assert.equal(classify({ method: "GET", path: "/_synapse/unknown" }, input), undefined);
  });

  it("is made on the path as it comes where that is no valid encoding", () => {
    assert.equal(
      classify({ method: "GET", path: `${C}/v3/profile/%zz` }, { plan, federation: false })?.class,
      "generic",
    );
    assert.equal(roomKey(`${C}/v3/rooms/%zz/messages`), "%zz");
  });

  it("steps to the next class that the plan has, each once, and to main at the end", () => {
    const classes = (id: string, p: Plan): WorkerClass[] =>
      resolveRoutes({ plan: p, federation: true }).find((r) => r.id === id)!.classes;
    assert.deepEqual(classes("initial-sync", plan), ["initial-sync", "synchrotron", "generic"]);
    assert.deepEqual(classes("initial-sync", small("main", "generic")), ["generic"]);
    assert.deepEqual(classes("initial-sync", small("main")), ["main"]);
    assert.deepEqual(classes("media", small("main")), ["main"]);
    assert.deepEqual(classes("typing", plan), ["ephemeral"]);
    const byGeneric = fixturePlan();
    byGeneric.synapse.streamWriters.device_lists = "generic";
    assert.deepEqual(classes("device-lists", byGeneric), ["generic", "main"], "not twice");
  });

  it("leaves out other servers' paths while federation is off", () => {
    const ids = (federation: boolean): string[] => resolveRoutes({ plan, federation }).map((r) => r.id);
    assert.deepEqual(
      ids(true).filter((id) => !ids(false).includes(id)),
      ["media-federation", "federation-transactions", "federation", "server-keys"],
    );
  });

  it("asks of each class the listeners for what it gets, in one order", () => {
    const resources = (cls: WorkerClass, p = plan, federation = false) => resourcesOf(cls, { plan: p, federation });
    assert.deepEqual(resources("main"), ["client", "openid"]);
    assert.deepEqual(resources("main", federated, true), ["client", "federation"], "which holds openid already");
    assert.deepEqual(resources("generic"), ["client", "openid"]);
    assert.deepEqual(resources("media"), ["media", "client"]);
    assert.deepEqual(resources("federation-reader", federated, true), ["federation"]);
    assert.deepEqual(resources("pusher"), []);
    assert.deepEqual(resources("main", small("main")), ["media", "client", "openid"]);
    assert.deepEqual(resources("main", small()), ["media", "client", "openid"], "main serves clients in every plan");
  });

  it("keeps a room together by its id, which stands one field later under api/v1", () => {
    assert.equal(roomKey(`${C}/v3/rooms/!r:x/messages`), "!r:x");
    assert.equal(roomKey(`${C}/api/v1/rooms/!r:x/messages`), "!r:x");
    assert.equal(roomKey(`${C}/v3/join/%23a%3Ax`), "#a:x");
    assert.equal(roomKey(`${C}/versions`), undefined);
  });

  it("keeps a user together by the first part of the token, or by all of it", () => {
    assert.equal(userKey("syt_YWxpY2U_abc_def"), "YWxpY2U");
    assert.equal(userKey("syt_"), "");
    assert.equal(userKey("mat_opaque_token"), "mat_opaque_token");
    assert.equal(userKey("xsyt_YWxpY2U_a"), "xsyt_YWxpY2U_a");
  });

  it("counts as a large body the upload alone, and as media what the media listener serves", () => {
    assert.deepEqual(
      ROUTES.filter((r) => r.uploads).map((r) => r.id),
      ["media-upload"],
    );
    assert.deepEqual(
      ROUTES.filter(isMedia).map((r) => r.id),
      ["media-upload", "media", "media-federation", "media-admin"],
    );
    const others = ROUTES.filter((r) => !isMedia(r) && r.resource !== "client").map((r) => [r.id, r.resource]);
    assert.deepEqual(others, [
      ["openid-userinfo", "openid"],
      ["federation-transactions", "federation"],
      ["federation", "federation"],
      ["server-keys", "federation"],
      ["terms", "consent"],
    ]);
  });
});
