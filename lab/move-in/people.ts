/** The users of the old server, their devices and what they have there; and the same asked of the new one. */
import * as crypto from "node:crypto";
import loglevel from "loglevel";
import * as sdk from "matrix-js-sdk";
import { until } from "../common/until";
import type { Door } from "./door";
import type { OldServer } from "./old";

// The SDK's cryptography talks straight to the console.
for (const level of ["debug", "info", "warn"] as const) console[level] = () => undefined;
const quiet = (): void => {
  for (const name of ["matrix", ...Object.keys(loglevel.getLoggers())]) loglevel.getLogger(name).setLevel("silent");
};
const silent: any = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => silent };

const q = encodeURIComponent;
const sha256 = (bytes: Buffer): string => crypto.createHash("sha256").update(bytes).digest("hex");
/** A picture of 64 by 64 points, so that there are thumbnails. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAXklEQVR4nO3PQQkAIADAQINYyf6hLOFnCIO9N7i7zvzaGNB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GtB4GlxUwgFjvVfUFAAAAABJRU5ErkJggg==",
  "base64",
);

interface Person {
  id: string;
  password?: string;
  token: string;
  device: string;
}

export class People {
  readonly persons = new Map<string, Person>();
  readonly media: string[] = [];
  /** Event ids, and the room of each. */
  readonly events: Array<[room: string, id: string]> = [];
  private picture = "";
  encryptedRoom = "";
  bridgedRoom = "";
  alice!: sdk.MatrixClient;
  bob!: sdk.MatrixClient;
  /** Users whose devices have no network. */
  private readonly away = new Set<string>();

  constructor(
    private readonly door: Door,
    private readonly old: OldServer,
  ) {}

  private of(name: string): Person {
    return this.persons.get(name)!;
  }

  private async register(name: string, admin = false): Promise<void> {
    const password = crypto.randomBytes(9).toString("base64url");
    const target = "/_synapse/admin/v1/register";
    const { nonce } = await this.door.must(target);
    const mac = crypto
      .createHmac("sha1", this.old.registrationSecret)
      .update([nonce, name, password, admin ? "admin" : "notadmin"].join("\0"))
      .digest("hex");
    await this.door.must(target, { method: "POST", body: { nonce, username: name, password, admin, mac } });
    const login = (await this.login(name, password)).json;
    this.persons.set(name, { id: login.user_id, password, token: login.access_token, device: login.device_id });
  }

  login(name: string, password: string) {
    return this.door.ask("/_matrix/client/v3/login", {
      method: "POST",
      body: { type: "m.login.password", identifier: { type: "m.id.user", user: name }, password },
    });
  }
  /** As a browser does it: to the provider, back with its code, and in with the token on the page. */
  async loginByProvider(): Promise<{ user_id: string; access_token: string; device_id: string }> {
    const { door, old } = this;
    const first = await door.ask(
      "/_matrix/client/v3/login/sso/redirect/oidc-corp?redirectUrl=https://chat.local.test/",
    );
    const back = new URL(await old.provider.visit(first.location!));
    const page = await door.ask(back.pathname + back.search, { cookies: first.cookies });
    const token = /loginToken=([\w.-]+)/.exec(page.location ?? page.body.toString())?.[1];
    if (!token) throw new Error(`the log-in by the provider: ${page.status} ${page.body.toString().slice(0, 500)}`);
    return door.must("/_matrix/client/v3/login", { method: "POST", body: { type: "m.login.token", token } });
  }
  /** The password of a user, as typed at the log-in. */
  password(name: string): string {
    return this.of(name).password!;
  }

  private async client(name: string): Promise<sdk.MatrixClient> {
    const { id, token, device, password } = this.of(name);
    const client = sdk.createClient({
      baseUrl: "https://matrix.local.test",
      fetchFn: (input, init) =>
        this.away.has(name) ? Promise.reject(new TypeError("no network")) : this.door.fetch(input, init),
      userId: id,
      accessToken: token,
      deviceId: device,
      logger: silent,
    });
    quiet();
    await client.initRustCrypto({ useIndexedDB: false });
    await client.startClient({ initialSyncLimit: 20, pollTimeout: 5000 });
    await until("the first sync", 60, () => (client.isInitialSyncComplete() ? undefined : "not complete"), 0.2);
    await client.getCrypto()!.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: async (send) => {
        try {
          await send(null);
        } catch (error: any) {
          const identifier = { type: "m.id.user", user: id };
          await send({ type: "m.login.password", session: error.data.session, identifier, password } as any);
        }
      },
    });
    return client;
  }
  async say(client: sdk.MatrixClient, room: string, body: string): Promise<string> {
    const { event_id: id } = await client.sendTextMessage(room, body);
    this.events.push([room, id]);
    return id;
  }
  /** Waits until that client shows this text. */
  async reads(client: sdk.MatrixClient, body: string, seconds = 60): Promise<void> {
    await until(
      `"${body}" in the clear`,
      seconds,
      () => {
        const events = client.getRoom(this.encryptedRoom)?.getLiveTimeline().getEvents() ?? [];
        return events.some((e) => e.getType() === "m.room.message" && e.getContent().body === body)
          ? undefined
          : `${events.length} events, the last ${events.at(-1)?.getType()} ${events.at(-1)?.decryptionFailureReason ?? ""}`;
      },
      0.3,
    );
  }

  private async upload(content: Buffer, name: string, type = "application/octet-stream"): Promise<void> {
    const target = `/_matrix/media/v3/upload?filename=${name}`;
    const asked = { method: "POST", token: this.of("alice").token, body: content, type };
    const { content_uri: uri } = await this.door.must(target, asked);
    this.media.push(uri.slice("mxc://".length));
  }

  /** Everything that an old server has. */
  async settle(): Promise<void> {
    const { door, old } = this;
    await this.register("root", true);
    await this.register("alice");
    await this.register("bob");
    const carol = await this.loginByProvider();
    this.persons.set("carol", { id: carol.user_id, token: carol.access_token, device: carol.device_id });

    this.alice = await this.client("alice");
    this.bob = await this.client("bob");
    this.encryptedRoom = (
      await this.alice.createRoom({
        preset: sdk.Preset.PrivateChat,
        invite: [this.of("bob").id],
        initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
      })
    ).room_id;
    await until("the invitation", 30, () => (this.bob.getRoom(this.encryptedRoom) ? undefined : "not yet"), 0.2);
    await this.bob.joinRoom(this.encryptedRoom);
    await until(
      "bob in the room",
      30,
      () => (this.alice.getRoom(this.encryptedRoom)?.getJoinedMembers().length === 2 ? undefined : "not yet"),
      0.2,
    );
    for (let i = 0; i < 5; i++) await this.say(this.alice, this.encryptedRoom, `secret ${i}`);
    await this.reads(this.bob, "secret 4");

    const bridge = old.appservice.asToken;
    await door.must("/_matrix/client/v3/register", {
      method: "POST",
      token: bridge,
      body: { type: "m.login.application_service", username: "bridged-1" },
    });
    this.bridgedRoom = (await this.alice.createRoom({ preset: sdk.Preset.PublicChat, name: "Bridged" })).room_id;
    await door.must(`/_matrix/client/v3/join/${q(this.bridgedRoom)}?user_id=${q("@bridged-1:local.test")}`, {
      method: "POST",
      token: bridge,
      body: {},
    });
    await this.say(this.alice, this.bridgedRoom, "hello bridge");
    await this.moreMedia();
    await this.upload(PICTURE, "picture.png", "image/png");
    this.picture = this.media.at(-1)!;
  }

  /** Some more, of different sizes. */
  async moreMedia(): Promise<void> {
    for (const [i, size] of [1, 5_000, 300_000, 2_000_000].entries())
      await this.upload(crypto.randomBytes(size), `file-${i}.bin`);
  }

  /** Bob is away while alice writes with a key that he has not got yet: it waits for his device. */
  async whileBobIsAway(body: string): Promise<void> {
    this.away.add("bob");
    await this.alice.getCrypto()!.forceDiscardSession(this.encryptedRoom);
    await this.say(this.alice, this.encryptedRoom, body);
  }
  bobIsBack(): void {
    this.away.delete("bob");
    this.reconnect();
  }
  /** Clients that wait for their network look at once. */
  reconnect(): void {
    for (const client of [this.alice, this.bob]) client.retryImmediately();
  }
  stop(): void {
    this.alice?.stopClient();
    this.bob?.stopClient();
  }

  /** What clients, the administrator and the bridge are told, by what it is about; without moments of last use. */
  async facts(
    events: ReadonlyArray<readonly [room: string, id: string]> = this.events,
  ): Promise<Record<string, Record<string, unknown>>> {
    const { door } = this;
    const alice = this.of("alice").token;
    const each = async <T>(list: Iterable<T>, one: (item: T) => Promise<[string, unknown]>) =>
      Object.fromEntries(await Promise.all([...list].map(one)));
    const c = "/_matrix/client/v3";
    const keys = await door.must(`${c}/keys/query`, {
      method: "POST",
      token: alice,
      body: { device_keys: Object.fromEntries([...this.persons.values()].map(({ id }) => [id, []])) },
    });
    const ofAll = (target: (p: Person) => string, pick: (answer: any) => unknown = (x) => x) =>
      each(this.persons, async ([name, p]) => [name, pick(await door.must(target(p), { token: p.token }))]);
    return {
      "access tokens": await ofAll(() => `${c}/account/whoami`),
      devices: await ofAll(
        () => `${c}/devices`,
        ({ devices }) => devices.map((d: any) => [d.device_id, d.display_name]).sort(),
      ),
      "keys of devices": keys.device_keys,
      "keys of cross-signing": { master: keys.master_keys, self: keys.self_signing_keys },
      "rooms of each user": await ofAll(
        () => `${c}/joined_rooms`,
        ({ joined_rooms: rooms }) => rooms.sort(),
      ),
      profiles: await ofAll((p) => `${c}/profile/${q(p.id)}`),
      "push rules": await ofAll(
        () => `${c}/pushrules/`,
        (x) => x.global.override.map((r: any) => [r.rule_id, r.enabled]),
      ),
      events: await each(events, async ([room, id]) => {
        const e = await door.must(`${c}/rooms/${q(room)}/event/${q(id)}`, { token: alice });
        return [id, [e.sender, e.type, e.origin_server_ts, e.content]];
      }),
      media: await each(this.media, async (at) => {
        const { status, body } = await door.ask(`/_matrix/client/v1/media/download/${at}`, { token: alice });
        return [at, status === 200 ? sha256(body) : status];
      }),
      thumbnails: await each([this.picture], async (at) => {
        const target = `/_matrix/client/v1/media/thumbnail/${at}?width=32&height=32&method=crop`;
        const { status, body } = await door.ask(target, { token: alice });
        return [at, status === 200 ? sha256(body) : status];
      }),
      "names at the identity provider": await each(["carol"], async (name) => {
        const user = await door.must(`/_synapse/admin/v2/users/${q(this.of(name).id)}`, {
          token: this.of("root").token,
        });
        return [name, user.external_ids];
      }),
      "ways to log in": await each(["m.login.sso"], async (type) => {
        const { flows } = await door.must(`${c}/login`);
        return [type, flows.find((f: any) => f.type === type)?.identity_providers];
      }),
    };
  }
}
