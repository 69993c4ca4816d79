/**
 * The generated HAProxy configuration, unmodified, in the real HAProxy, with a name service and a small server behind
 * every class. What must be routed where is read from Synapse's own documentation of the pinned version, and from its
 * servlets.
 */
import assert from "node:assert/strict";
import { classify } from "../../components/layers/synapse/routingTable";
import type { Stream, WorkerClass } from "../../components/domain/workerClasses";
import type { Subject } from "../../policy/types";
import servlets from "../router/servlets.json";
import { SIZES, tier } from "../../lab/common/tiers";
import { ask, type Classes, type Reply, type Sent } from "../../lab/real/classes";
import { byName, type Configuration } from "../../lab/real/configurations";
import { count, countOnce, note } from "../../lab/real/counts";
import type { Running, TestPod } from "../../lab/real/network";
import { startRouter, type Router } from "../../lab/real/router";
import { documentedEndpoints, expand } from "../../lab/real/workersDoc";

const sizes: Configuration[] = SIZES.map((n) => ({
  name: `${n} CCU, federation, for routing`,
  config: tier(n, { federation: true }).config,
}));
const PUBLIC = 8008,
  ADMIN = 8010;
/** A token as Synapse makes them: what follows the user is random, so each device has another one. */
const bearer = (user: string, device = "x".repeat(20)): Record<string, string> => ({
  authorization: `Bearer syt_${Buffer.from(user).toString("base64url")}_${device}_abc`,
});
const ROOMS = [
  "!r:example.org",
  "%21r%3Aexample.org",
  "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM",
  "!r%20%F0%9F%92%AC:example.org:8448",
];

for (const c of sizes)
  describe(`routing, ${c.name.split(",")[0]}`, function () {
    let classes: Classes, pod: TestPod, haproxy: Running, s: Subject;
    const get = async (
      method: string,
      url: string,
      { port = PUBLIC, ...sent }: Sent & { port?: number } = {},
    ): Promise<Reply> => {
      count("requests routed by HAProxy");
      return ask({ host: pod.ip, port }, method, url, sent);
    };
    const where = async (
      method: string,
      url: string,
      headers: Record<string, string> = {},
      port = PUBLIC,
    ): Promise<string> => {
      const r = await get(method, url, { headers, port });
      return r.who?.class ?? `status ${r.status}`;
    };
    const writer = (stream: Stream): WorkerClass => s.plan.synapse.streamWriters[stream];
    /** Sixteen at a time. */
    const several = async (jobs: Array<() => Promise<void>>): Promise<void> => {
      const rest = [...jobs];
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let job = rest.pop(); job; job = rest.pop()) await job();
        }),
      );
    };
    const settle = (check: () => Promise<boolean>): Promise<void> => haproxy.until(check, 90);

    let router: Router;
    before(async () => {
      router = await startRouter(c);
      ({ s, classes, pod, haproxy } = router);
    });
    after(() => router?.stop());

    /** Class that a documented endpoint belongs to, from what the documentation says of it. */
    const expectation = (section: string, url: string, method: string): WorkerClass[] | undefined => {
      const stream = /The `(\w+)` stream/.exec(section)?.[1] as Stream | undefined;
      const reads = method === "GET" || method === "HEAD";
      if (stream)
        return reads && ["account_data", "presence", "push_rules"].includes(stream)
          ? ["generic", writer(stream)]
          : [writer(stream)];
      if (/media_repository/.test(section)) return ["media"];
      // Synapse has these for GET only.
      if (/Sync requests/.test(section))
        return !reads ? undefined : /initialSync$|\/sync$/.test(url) ? ["initial-sync"] : ["synchrotron"];
      if (/[Ff]ederation/.test(section)) return ["federation-reader"];
      if (/SSO|OpenID|SAML|CAS/.test(section)) return ["main"];
      return undefined;
    };

    it("every endpoint of docs/workers.md reaches the class that the documentation names, encoded or not, on both kinds of room id", async () => {
      const all = documentedEndpoints();
      assert.ok(all.length > 100, `only ${all.length} endpoints read from docs/workers.md`);
      const requests: Array<() => Promise<void>> = [];
      const wrong: string[] = [];
      for (const e of all) {
        const admin = e.pattern.startsWith("^/_synapse/admin");
        for (const room of ROOMS)
          for (const base of expand(e.pattern, room)) {
            const urls =
              /\$$/.test(e.pattern) || /\$\)$/.test(e.pattern)
                ? [base]
                : [base, `${base}${base.endsWith("/") ? "" : "/"}%40u%3Aexample.org`];
            for (const url of urls)
              for (const method of e.getOnly ? ["GET"] : ["GET", "PUT", "POST"])
                for (const query of ["", "?limit=5&filter=%7B%7D"])
                  requests.push(async () => {
                    const got = await where(method, url + query, bearer("alice"), admin ? ADMIN : PUBLIC);
                    const documented = expectation(e.section, url, method);
                    const table = classify(
                      { method, path: url, query: query.slice(1) },
                      { plan: s.plan, federation: true, frontend: admin ? "admin" : "public" },
                    );
                    // The table is checked against the documentation and the servlets; HAProxy against the table.
                    if (got !== (table?.class ?? "status 404"))
                      wrong.push(`${method} ${url}: HAProxy ${got}, table ${table?.class}`);
                    if (documented && !documented.includes(got as WorkerClass) && !exception(method, url, got))
                      wrong.push(`${method} ${url}: ${got}, documentation (${e.section}): ${documented.join(" or ")}`);
                    if (got === "status 404" && !url.startsWith("/_synapse/mas/"))
                      wrong.push(`${method} ${url}: documented, and refused`);
                  });
          }
        countOnce("endpoints of docs/workers.md", e.pattern);
      }
      await several(requests);
      assert.deepEqual([...new Set(wrong)].slice(0, 40), []);
      note(
        `docs/workers.md lists ${all.length} path patterns; ${requests.length.toLocaleString("en")} concrete requests for each size were made of them.`,
      );
    }).timeout(600_000);

    /**
     * Where the documentation's patterns are wider than its words, or its words wider than the code (each with its
     * reason).
     */
    const exception = (method: string, url: string, got: string): boolean =>
      // `.*/tags` and `.*/account_data` match more than the endpoints of that name.
      (/\/(tags|account_data)/.test(url) && !/\/user\/[^/]+\/(rooms\/[^/]+\/)?(tags|account_data)/.test(url)) ||
      // "/mas/" is for a service that this stack does not have; it is refused.
      (url.startsWith("/_synapse/mas/") && got === "status 404") ||
      // These end otherwise: typing and receipts have a part behind them, read markers have none.
      /\/rooms\/[^/]*\/(typing|receipt)$/.test(url) ||
      /\/read_markers\/./.test(url);

    it("every servlet of this version goes where the table says, on both ports", async () => {
      const requests: Array<() => Promise<void>> = [];
      for (const [port, frontend] of [
        [PUBLIC, "public"],
        [ADMIN, "admin"],
      ] as const)
        for (const line of servlets.requests)
          for (const query of ["", "since=s1"])
            requests.push(async () => {
              const [method, url] = line.split(" ") as [string, string];
              const want = classify({ method, path: url, query }, { plan: s.plan, federation: true, frontend });
              assert.equal(
                await where(method, query ? `${url}?${query}` : url, {}, port),
                want?.class ?? "status 404",
                `${frontend} ${line} ${query}`,
              );
            });
      await several(requests);
    }).timeout(300_000);

    const process = async (method: string, url: string, headers: Record<string, string> = {}): Promise<string> => {
      const r = await get(method, url, { headers });
      assert.ok(r.who, `${url}: ${r.status}`);
      return `${r.who.class}-${r.who.index}`;
    };

    it("one user, one sync process: by header, by query token, for both paths; many users, all processes", async () => {
      const used = new Set<string>();
      for (let i = 0; i < 200; i += 1) {
        const user = `user${i}`,
          token = bearer(user).authorization!.slice(7);
        const a = await process("GET", "/_matrix/client/v3/sync?since=s1", bearer(user));
        assert.equal(await process("GET", `/_matrix/client/r0/sync?access_token=${token}&since=s2`), a);
        assert.equal(
          await process("GET", "/_matrix/client/v3/sync?timeout=30000&since=s3&filter=1", {
            authorization: `bearer ${token}`,
          }),
          a,
        );
        // Two devices of one user share what the process keeps of the user.
        assert.equal(await process("GET", "/_matrix/client/v3/sync?since=s4", bearer(user, `LAPTOP${i}`)), a);
        assert.match(a, /^synchrotron-/);
        used.add(a);
      }
      assert.equal(used.size, s.plan.synapse.pools.find((p) => p.class === "synchrotron")!.replicas);
    });

    it("users stay where they are when a process of their class goes: only its own move", async () => {
      const pool = s.plan.synapse.pools.find((p) => p.class === "synchrotron")!;
      if (pool.replicas < 3) return;
      const users = Array.from({ length: 60 }, (_, i) => `stays${i}`);
      const at = async (user: string): Promise<string> =>
        process("GET", "/_matrix/client/v3/sync?since=s1", bearer(user));
      const homes = new Map<string, string>();
      for (const user of users) homes.set(user, await at(user));
      const gone = [...new Set(homes.values())].sort()[0]!;
      await classes.endOne("synchrotron", Number(gone.split("-").pop()));
      const stayed = users.filter((u) => homes.get(u) !== gone);
      await settle(async () => (await at(users.find((u) => homes.get(u) === gone)!)) !== gone);
      for (const user of stayed) assert.equal(await at(user), homes.get(user), user);
      await classes.rejoin("synchrotron");
      await settle(async () => (await at(users.find((u) => homes.get(u) === gone)!)) === gone);
    }).timeout(120_000);

    it("a process that answers, but says that it is not well, gets no more requests", async () => {
      classes.unwell.add("synchrotron-0");
      const asked = async (): Promise<boolean> => {
        const answers = await Promise.all(
          Array.from({ length: 40 }, (_, i) => process("GET", "/_matrix/client/v3/sync?since=s1", bearer(`well${i}`))),
        );
        return !answers.includes("synchrotron-0");
      };
      await settle(asked);
      classes.unwell.clear();
      await settle(async () => !(await asked()));
    }).timeout(120_000);

    it("an initial sync is apart: without since, with an empty one, and initialSync", async () => {
      for (const url of [
        "/_matrix/client/v3/sync",
        "/_matrix/client/v3/sync?since=",
        "/_matrix/client/v3/sync?timeout=0&full_state=true",
        "/_matrix/client/r0/initialSync",
      ])
        assert.equal(await where("GET", url, bearer("a")), "initial-sync", url);
      assert.equal(await where("GET", "/_matrix/client/v3/sync?xsince=1", bearer("a")), "initial-sync");
      assert.equal(await where("GET", "/_matrix/client/v3/sync?timeout=0&since=s72", bearer("a")), "synchrotron");
    });

    it("one room, one process, however its id is written; rooms spread", async () => {
      const used = new Set<string>();
      for (let i = 0; i < 100; i += 1) {
        const a = await process("PUT", `/_matrix/client/v3/rooms/!room${i}:example.org/send/m.room.message/t1`);
        for (const url of [
          `/_matrix/client/r0/rooms/%21room${i}%3Aexample.org/send/m.room.message/t2`,
          `/_matrix/client/api/v1/rooms/!room${i}%3aexample.org/send/m.room.message/t3`,
        ])
          assert.equal(await process("PUT", url), a);
        assert.equal(await process("GET", `/_matrix/client/v3/rooms/!room${i}:example.org/messages?dir=b`), a);
        used.add(a);
      }
      assert.ok(used.size > 1);
    });

    it("one sending server, one process: by its signature, else by the address that the ingress saw", async () => {
      const used = new Set<string>();
      for (let i = 0; i < 60; i += 1) {
        const sign = (extra: string): Record<string, string> => ({
          authorization: `X-Matrix ${extra}origin="s${i}.example",destination="example.org",key="ed25519:1",sig="abc"`,
          "x-forwarded-for": `198.51.100.${Math.floor(Math.random() * 250)}`,
        });
        const a = await process("PUT", `/_matrix/federation/v1/send/${i}`, sign(""));
        assert.equal(
          await process("PUT", `/_matrix/federation/v1/send/${i}x`, {
            authorization: `X-Matrix destination=example.org,key=k,sig=s,origin=S${i}.example`,
          }),
          a,
        );
        used.add(a);
        const b = await process("PUT", "/_matrix/federation/v1/send/1", {
          "x-forwarded-for": `1.2.3.4, 198.51.100.${i}`,
        });
        assert.equal(
          await process("PUT", "/_matrix/federation/v1/send/2", { "x-forwarded-for": `4.3.2.1, 198.51.100.${i}` }),
          b,
        );
      }
      assert.ok(used.size > 1);
    });

    it("one file, one process, in all its sizes; a token that says no user is a key as it is", async () => {
      for (let i = 0; i < 20; i += 1) {
        const a = await process("GET", `/_matrix/client/v1/media/download/x/abc${i}`);
        for (const url of [
          `/_matrix/client/v1/media/thumbnail/x/abc${i}?width=1`,
          `/_matrix/media/v3/download/x/abc${i}/name.png`,
        ])
          assert.equal(await process("GET", url), a, url);
        const opaque = await process("GET", "/_matrix/client/v3/sync?since=s", {
          authorization: `Bearer mat_opaque${i}`,
        });
        assert.equal(await process("GET", `/_matrix/client/v3/sync?since=s&access_token=mat_opaque${i}`), opaque);
      }
    });

    it("preflights are answered and bodies that are too large refused, by the router itself", async () => {
      const before = classes.requests.length,
        preflight = await get("OPTIONS", "/_matrix/client/v3/sync");
      assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [204, "*"]);
      assert.equal(
        (
          await get("POST", "/_matrix/media/v3/upload", {
            headers: {
              connection: "close",
              "content-length": String((s.settings.media.maxUploadMiB + 2) * 1024 * 1024),
            },
          }).catch(() => ({ status: 413 }))
        ).status,
        413,
      );
      assert.equal(classes.requests.length, before);
    });

    it("near misses and private paths reach no process", async () => {
      const before = classes.requests.length;
      for (const url of [
        "/_synapse/admin/v1/register",
        "/%5fsynapse/admin/v1/register",
        "/_synapse/%61dmin/v2/users",
        "//_synapse/admin/v2/users",
        "/_synapse//admin/v2/users",
        "/_synapse/metrics",
        "/_synapse/replication/x",
        "/_synapse/mas/x",
        "/metrics",
        "/_matrix",
        "/_matrixx/client/v3/sync",
        "/_matrix/federationx/v1/version",
        "/admin",
      ]) {
        for (const method of ["GET", "POST"]) assert.equal((await get(method, url)).status, 404, url);
      }
      for (const url of ["/_synapse/metrics", "/_synapse/replication/x", "/_synapse/mas/x"])
        assert.equal((await get("GET", url, { port: ADMIN })).status, 404, url);
      assert.equal(classes.requests.length, before);
      assert.equal(await where("GET", "/_matrix/client/v3/synchronize"), "main");
      assert.equal(await where("PUT", "/_matrix/client/v3/sendToDevicex/a/b"), "main");
    });

    it("a class without a process: the next class, or 503 with Retry-After if none may take over", async () => {
      const cases: Array<[WorkerClass, string, string, WorkerClass | 503]> = [
        ["initial-sync", "GET", "/_matrix/client/v3/sync", "synchrotron"],
        ["synchrotron", "GET", "/_matrix/client/v3/sync?since=1", "generic"],
        ["generic", "GET", "/_matrix/client/versions", "main"],
        ["generic", "PUT", "/_matrix/client/v3/rooms/!r:x/send/m.room.message/1", "main"],
        ["federation-reader", "PUT", "/_matrix/federation/v1/send/1", "main"],
        [writer("typing"), "PUT", "/_matrix/client/v3/rooms/!r:x/typing/@u:x", 503],
        [writer("to_device"), "PUT", "/_matrix/client/v3/sendToDevice/m.x/1", 503],
        ["media", "GET", "/_matrix/client/v1/media/download/x/abc", 503],
        [writer("device_lists"), "POST", "/_matrix/client/v3/keys/upload", "generic"],
        ["main", "POST", "/_matrix/client/v3/logout", 503],
      ];
      for (const [down, method, url, want] of cases) {
        await classes.down(down);
        await settle(async () => {
          const r = await ask({ host: pod.ip, port: PUBLIC }, method, url);
          return want === 503 ? r.status === 503 : r.who?.class === want;
        });
        const r = await get(method, url, { fresh: true });
        if (want === 503) {
          assert.equal(r.headers["retry-after"], "2", url);
          assert.equal(JSON.parse(r.body).errcode, "M_UNKNOWN");
          assert.equal(r.headers["access-control-allow-origin"], "*");
        } else assert.equal(r.who?.class, want, url);
        await classes.up(down);
        await settle(async () => (await ask({ host: pod.ip, port: PUBLIC }, method, url)).who?.class === down);
        count("fallbacks of a class");
      }
    }).timeout(400_000);

    it("retries a PUT and a GET whose answer was lost, never a POST: no event is sent twice", async () => {
      for (const [method, url, times] of [
        ["GET", "/_matrix/client/v3/rooms/!r:x/messages?t=1", 2],
        ["PUT", "/_matrix/client/v3/rooms/!r:x/send/m.room.message/once", 2],
        ["POST", "/_matrix/client/v3/rooms/!r:x/join?t=1", 1],
        ["POST", "/_matrix/client/v3/createRoom?t=1", 1],
      ] as const) {
        let seen = 0;
        classes.behaviour = (req) => {
          if (req.url !== url) return false;
          seen += 1;
          if (seen > 1) return false;
          req.socket.destroy();
          return true;
        };
        const r = await get(method, url, {
          headers: bearer("a"),
          body: method === "GET" ? undefined : "{}",
          fresh: true,
        });
        classes.behaviour = undefined;
        assert.equal(seen, times, `${method} ${url}: reached ${seen} times`);
        assert.equal(r.status, times === 2 ? 200 : 502, url);
      }
    });

    it("a process that leaves DNS answers its open requests; requests that its end cuts off are repeated elsewhere, except POSTs", async () => {
      const room = "/_matrix/client/v3/rooms/!leaving:example.org",
        put = `${room}/send/m.room.message/leaving`,
        slow = `${room}/send/m.room.message/slow`,
        post = `${room}/join?leaving=1`;
      const first = (await get("GET", `${room}/messages?dir=b`)).who!;
      assert.equal(first.class, "generic");
      const reached: number[] = [];
      let answerSlow = (): void => undefined;
      classes.behaviour = (req, res, who) => {
        if (who.class !== "generic" || ![put, slow, post].includes(req.url!)) return false;
        if (req.url === put) reached.push(who.index);
        if (who.index !== first.index) return false;
        if (req.url === slow) answerSlow = () => res.end(JSON.stringify(who));
        return true;
      };
      const at = () => haproxyServers(pod.ip, "generic");
      const before = await at();
      const asked = [put, slow].map((url) => get("PUT", url, { headers: bearer("a"), body: "{}", fresh: true }));
      const posted = get("POST", post, { headers: bearer("a"), body: "{}", fresh: true });
      await settle(
        async () =>
          reached.length === 1 &&
          classes.requests.some((r) => r.url === slow) &&
          classes.requests.some((r) => r.url === post),
      );
      classes.leave("generic", first.index);
      // Twice the time after which the router asks for the names again.
      await new Promise((r) => setTimeout(r, 7000));
      assert.equal(await at(), before, "kept while it is leaving");
      answerSlow();
      assert.equal((await asked[1]!).status, 200, "answered by the one that is leaving");
      await classes.endOne("generic", first.index);
      const r = await asked[0]!;
      classes.behaviour = undefined;
      assert.equal(r.status, 200);
      assert.notEqual(r.who!.index, first.index);
      assert.deepEqual(reached, [first.index, r.who!.index]);
      assert.equal((await posted).status, 502);
      // Forgotten in the end, and there again when it is back.
      await settle(async () => (await at()) === before - 1);
      await classes.rejoin("generic");
      await settle(
        async () => (await at()) === before && (await get("GET", `${room}/messages?dir=b`)).who?.index === first.index,
      );
    }).timeout(200_000);

    it("a process that keeps its name is asked at its new address without waiting for the old one to be forgotten", async () => {
      const typing = "/_matrix/client/v3/rooms/!moving:example.org/typing/@a:example.org",
        cls = writer("typing");
      assert.equal(s.plan.synapse.pools.find((p) => p.class === cls)!.kind, "StatefulSet");
      const served = async (): Promise<boolean> =>
        (await get("PUT", typing, { headers: bearer("a"), body: "{}", fresh: true })).who?.class === cls;
      assert.ok(await served());
      await classes.move(cls);
      const moved = Date.now();
      await settle(served);
      // Names are asked for each 3 s, processes each second; a process of another kind is held for 20 s.
      const seconds = (Date.now() - moved) / 1000;
      assert.ok(seconds < 15, `${seconds} s`);
    }).timeout(120_000);

    it("excess requests wait in the router up to its bound, then get 503 with Retry-After", async () => {
      // Initial syncs have the smallest bound: more than all of them at once, none of which is answered.
      const pool = s.plan.synapse.pools.find((p) => p.class === "initial-sync")!,
        bound = pool.replicas * 32;
      const held: Array<() => void> = [];
      classes.behaviour = (req, res) => {
        if (!req.url!.includes("overload=1")) return false;
        held.push(() => res.end("{}"));
        return true;
      };
      // A user's requests wait for the user's process: three times as many as fit, so that each process has too many.
      const more = bound * 2;
      const asked = Array.from({ length: bound + more }, (_, i) =>
        ask2(pod.ip, `/_matrix/client/v3/sync?overload=1`, bearer(`o${i}`)),
      );
      await settle(async () => held.length >= bound);
      assert.equal(held.length, bound, "requests in flight are bounded");
      // Nothing is answered until every one that does not fit has waited its time and been told.
      const refused: Reply[] = [];
      for (const one of asked)
        void one.then((r) => {
          if (r.status !== 200) refused.push(r);
        });
      await settle(async () => refused.length >= more);
      for (const r of refused) assert.deepEqual([r.status, r.headers["retry-after"]], [503, "2"]);
      held.splice(0).forEach((answer) => answer());
      classes.behaviour = undefined;
      const all = await Promise.all(asked);
      count("requests routed by HAProxy", all.length);
      assert.equal(all.filter((r) => r.status === 503).length, more);
      assert.equal(all.filter((r) => r.status === 200).length, bound);
    }).timeout(120_000);
  });

describe("routing, federation off", () => {
  let router: Router;
  before(async () => {
    router = await startRouter(byName("1000 CCU, federation off, MinIO"));
  });
  after(() => router?.stop());

  it("no request of other servers reaches a process, except OpenID user info, which calls need", async () => {
    const endpoints = documentedEndpoints()
      .filter((e) => /^\^\/_matrix\/(federation|key)\//.test(e.pattern))
      .flatMap((e) => expand(e.pattern, "!r:example.org"));
    assert.ok(endpoints.length > 20);
    for (const url of [
      ...endpoints,
      "/_matrix/federation/v1/send/1",
      "/_matrix/federation/v1/version",
      "/_matrix/key/v2/server",
    ])
      for (const method of ["GET", "PUT", "POST"]) {
        count("requests routed by HAProxy");
        const r = await ask({ host: router.pod.ip, port: PUBLIC }, method, url);
        if (/\/openid\/userinfo$/.test(url)) assert.equal(r.who?.class, "generic", url);
        else assert.equal(r.status, 404, `${method} ${url}: ${r.who?.class}`);
      }
    assert.equal(
      (await ask({ host: router.pod.ip, port: PUBLIC }, "GET", "/_matrix/federation/v1/openid/userinfo?access_token=x"))
        .who?.class,
      "generic",
    );
  });
});

/** Servers of a class that are in use. */
async function haproxyServers(host: string, cls: WorkerClass): Promise<number> {
  const text = (await ask({ host, port: 8404 }, "GET", "/metrics")).body;
  return Number(new RegExp(`^haproxy_backend_active_servers\\{proxy="${cls}-by-room"\\} (\\d+)`, "m").exec(text)?.[1]);
}

/** On a connection of its own: the agent's pool must not be what bounds the requests. */
function ask2(host: string, url: string, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    require("node:http")
      .get({ host, port: PUBLIC, path: url, headers, agent: false }, (res: any) => {
        let body = "";
        res.on("data", (d: any) => {
          body += d;
        });
        res.on("end", () => resolve({ status: res.statusCode, body, headers: res.headers }));
      })
      .on("error", reject);
  });
}
