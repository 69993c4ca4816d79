/**
 * What an operator decides about people and rooms, in real Synapse processes of the stack: who may register and with
 * what, the terms, whom the search finds, which rooms are published and joined.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { tier } from "../../lab/common/tiers";
import { until } from "../../lab/common/until";
import { subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { Homeserver, type User } from "../../lab/real/homeserver";
import { Network } from "../../lab/real/network";

const PAGE = "<h1>House rules</h1><p>100% of them, {{ version }} as it is written.</p>";
const V3 = "/_matrix/client/v3";

describe("people and rooms", function () {
  this.timeout(900_000);
  let net: Network, server: Homeserver, admin: User, alice: User;
  let name: string;

  before(async () => {
    net = await new Network().start();
    const { config } = tier(100, {
      more: {
        registration: { enabled: true, requireToken: true },
        passwords: { minimumLength: 10, requireDigit: true },
        serverNotices: { displayName: "The house" },
        terms: {
          version: "2.1",
          name: "House rules",
          page: PAGE,
          notice: "Please read %(consent_uri)s, all 100% of it",
          refuseWithout: "First read %(consent_uri)s",
        },
        userDirectory: { searchAllUsers: true },
        rooms: {
          publicationRules: [{ action: "allow", alias: "#public-*" }],
          aliasRules: [
            { action: "deny", alias: "#admin*" },
            { action: "allow", alias: "*" },
          ],
          autoJoin: { aliases: ["#lobby:example.org"], create: false },
        },
      },
    });
    const subject = await subjectFor({ name: "100 CCU, people and rooms", config });
    name = subject.settings.serverName;
    server = await new Homeserver(net, subject).start();
    admin = await server.user("root", true);
    alice = await server.user("alice");
    await consents(admin);
    await server.ask("POST", `${V3}/createRoom`, admin, { preset: "public_chat", room_alias_name: "lobby" });
  });
  after(() => net.close());

  /** What the server answers, whatever it is; a limited request is made again when the server says. */
  async function answer(
    method: string,
    at: string,
    { user, body }: { user?: User; body?: unknown } = {},
  ): Promise<{ status: number; body: any }> {
    const form = body instanceof URLSearchParams;
    const got = await fetch(`${server.url}${at}`, {
      method,
      headers: {
        ...(form ? {} : { "content-type": "application/json" }),
        ...(user ? { authorization: `Bearer ${user.token}` } : {}),
      },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    const text = await got.text();
    const read = got.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
    if (got.status !== 429) return { status: got.status, body: read };
    await sleep(read.retry_after_ms + 100);
    return answer(method, at, { user, body });
  }
  const code = async (...request: Parameters<typeof answer>): Promise<string> => {
    const { status, body } = await answer(...request);
    return `${status} ${body.errcode ?? ""}`.trim();
  };

  const flows = async (): Promise<any> => (await answer("POST", `${V3}/register`, { body: {} })).body;
  /** Registers as a client does: one stage after the other. */
  async function register(
    username: string,
    password: string,
    stages: object[],
  ): Promise<{ status: number; body: any }> {
    const { session } = await flows();
    let last = { status: 0, body: undefined as any };
    for (const stage of stages)
      last = await answer("POST", `${V3}/register`, {
        body: { username, password, inhibit_login: false, auth: { ...stage, session } },
      });
    return last;
  }
  const newToken = async (): Promise<string> =>
    (await server.ask("POST", "/_synapse/admin/v1/registration_tokens/new", admin, { uses_allowed: 1 })).token;
  const TERMS = { type: "m.login.terms" },
    LAST = { type: "m.login.dummy" };
  const tokenStage = (token: string): object => ({ type: "m.login.registration_token", token });

  /** As a user does who follows the link in the notice. */
  async function consents(user: User): Promise<void> {
    let message = "",
      since = "";
    await until(
      "the notice",
      120,
      async () => {
        // From where the last one ended: answers to a first sync are kept for two minutes.
        const { rooms, next_batch } = await server.ask("GET", `${V3}/sync?timeout=0${since}`, user);
        since = `&since=${next_batch}`;
        const found = Object.values<any>(rooms?.join ?? {})
          .flatMap((joined) => joined.timeline.events)
          .find((e) => e.type === "m.room.message" && e.sender === `@notices:${name}`);
        message = found?.content.body ?? "";
        return found ? undefined : "there is none";
      },
      1,
    );
    const link = /^Please read (\S+), all 100% of it$/.exec(message)?.[1];
    assert.ok(link, message);
    assert.ok(link.startsWith(`https://${server.subject.settings.hostnames.homeserver}/_matrix/consent?`), link);

    const { pathname, search } = new URL(link);
    const own = await answer("GET", `${pathname}${search}`);
    assert.ok(own.body.includes(PAGE) && own.body.includes("<form"), own.body);
    const field = (key: string): [string, string] => [
      key,
      new RegExp(`name="${key}" value="([^"]*)"`).exec(own.body)![1]!.replaceAll("&amp;", "&"),
    ];
    const forged = new URLSearchParams([field("v"), ["u", "somebody"], field("h")]);
    assert.equal((await answer("POST", "/_matrix/consent", { body: forged })).status, 403);
    const done = await answer("POST", "/_matrix/consent", {
      body: new URLSearchParams([field("v"), field("u"), field("h")]),
    });
    assert.equal(done.status, 200, done.body);
  }

  it("lets in who has a token and accepts the terms, and nobody else", async () => {
    const { flows: offered, params } = await flows();
    assert.ok(offered.length > 0);
    for (const { stages } of offered)
      // Synapse's own last stage, which asks for nothing.
      assert.deepEqual(stages, ["m.login.registration_token", "m.login.terms", "m.login.dummy"]);
    const policy = params["m.login.terms"].policies.privacy_policy;
    assert.equal(policy.version, "2.1");
    assert.equal(policy.en.name, "House rules");

    const token = await newToken();
    const password = "a long one 1";
    const wrong = await register("bob", password, [tokenStage("made-up"), TERMS, LAST]);
    assert.equal(wrong.status, 401, JSON.stringify(wrong.body));
    const unread = await register("bob", password, [tokenStage(token), LAST]);
    assert.equal(unread.status, 401, JSON.stringify(unread.body));
    const weak = await register("bob", "without any", [tokenStage(token), TERMS, LAST]);
    assert.equal(weak.body.errcode, "M_PASSWORD_NO_DIGIT", JSON.stringify(weak.body));
    const right = await register("bob", password, [tokenStage(await newToken()), TERMS, LAST]);
    assert.equal(right.status, 200, JSON.stringify(right.body));
    assert.equal(right.body.user_id, `@bob:${name}`);
    const bob = { id: right.body.user_id, token: right.body.access_token };
    count("decisions about who may register", 5);

    // A new user is in the lobby, and may write there at once: the terms are accepted.
    const lobby = await server.ask("GET", `${V3}/directory/room/${encodeURIComponent(`#lobby:${name}`)}`, bob);
    const { joined_rooms } = await server.ask("GET", `${V3}/joined_rooms`, bob);
    assert.ok(joined_rooms.includes(lobby.room_id));
    await server.send(bob, lobby.room_id, "hello", "1");
    count("rooms that new users join", 1);
  });

  it("shows the terms as they were written, asks users to read them, and refuses what they send before", async () => {
    const page = await answer("GET", "/_matrix/consent");
    assert.equal(page.status, 200);
    assert.ok(page.body.includes(PAGE), page.body);
    assert.ok(!page.body.includes("<form"), "nobody is logged in");

    const refused = await answer("POST", `${V3}/createRoom`, { user: alice, body: {} });
    assert.equal(`${refused.status} ${refused.body.errcode}`, "403 M_CONSENT_NOT_GIVEN");
    assert.match(refused.body.error, /^First read https:\/\/\S+$/);

    await consents(alice);
    const made = await answer("POST", `${V3}/createRoom`, { user: alice, body: {} });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    count("decisions about the terms", 6);
  });

  it("finds every user of the server, also those who share no room with the searcher", async () => {
    await server.user("zacharias");
    await until(
      "the search",
      120,
      async () => {
        const { results } = await server.ask("POST", `${V3}/user_directory/search`, alice, { search_term: "zachar" });
        return results.some((r: any) => r.user_id === `@zacharias:${name}`) ? undefined : JSON.stringify(results);
      },
      1,
    );
    count("searches for users", 1);
  });

  it("publishes and names rooms as the rules say", async () => {
    const make = (alias: string, visibility: string): Promise<string> =>
      code("POST", `${V3}/createRoom`, { user: alice, body: { room_alias_name: alias, visibility } });
    assert.equal(await make("public-square", "public"), "200");
    // Synapse makes this room all the same, and does not publish it.
    assert.equal(await make("garden", "public"), "200");
    assert.equal(await make("admins", "private"), "403 M_UNKNOWN");
    const { chunk } = await server.ask("GET", `${V3}/publicRooms`, alice);
    assert.deepEqual(
      chunk.map((room: any) => room.canonical_alias).filter((alias: string) => !alias.startsWith("#lobby:")),
      [`#public-square:${name}`],
    );
    // Without a login nobody sees the list.
    assert.equal(await code("GET", `${V3}/publicRooms`), "401 M_MISSING_TOKEN");
    count("rules about rooms", 5);
  });
});
