/** A day of a user, with matrix-js-sdk and its own cryptography, through the announced address, TLS verified. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as zlib from "node:zlib";
import * as sdk from "matrix-js-sdk";
import { access, adminRequest, kubectl, request, resolveNames, type Access } from "../../lab/local/access";
import { localConfig } from "../../lab/local/config";
import { resolveSettings, type Settings } from "../../components/settings";
import { plan } from "../../components/plan";
import { MOUNTS } from "../../components/layers/synapse/paths";
import { measured, seconds } from "../../lab/proof/measured";
import { run, until } from "./helpers/common";
import {
  device,
  logIn,
  readable,
  served,
  silent,
  since,
  status,
  withPassword,
  type Account,
  type Device,
  type Served,
} from "./helpers/matrix";

const q = encodeURIComponent;
const account = (name: string): Account => ({
  name: `${name}-${run}`,
  password: crypto.randomBytes(12).toString("base64url"),
});

/** Classes that answer no client, with the metric that proves their work. */
const WORK: Record<string, RegExp> = {
  "event-persister": /^synapse_storage_events_persisted_events_total[ {]/,
  "user-directory": /^synapse_event_processing_positions\{.*name="user_dir"/,
  background: /^synapse_event_processing_positions\{.*name="(room_stats|stats)"/,
  pusher: /^synapse_http_httppusher_http_pushes_(failed|processed)_total[ {]/,
};
/** Only other servers call these; no server federates with a test. */
const FEDERATION = new Set(["federation-sender", "federation-reader"]);

/** A real picture: thumbnails are made of it. */
function png(size: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE((zlib as any).crc32 ? (zlib as any).crc32(body) : crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(size * (size * 3 + 1), 0);
  for (let y = 0; y < size; y++) crypto.randomFillSync(rows, y * (size * 3 + 1) + 1, size * 3);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head),
    chunk("IDAT", zlib.deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
function crc32(data: Buffer): number {
  let c = ~0;
  for (const byte of data) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return ~c >>> 0;
}
const sha256 = (data: Buffer): string => crypto.createHash("sha256").update(data).digest("hex");

describe("a day of a user", function () {
  this.timeout(180_000);
  let a: Access, settings: Settings, earlier: Served;
  const aliceAccount = account("alice"),
    bobAccount = account("bob");
  let phone: Device, laptop: Device, bob: Device;
  let open: string, sealed: string;
  const both = (): Device[] => [phone, laptop];

  /** Milliseconds from the send until every one of them has it, readable. */
  async function delivered(from: Device, to: Device[], roomId: string, body: string): Promise<number> {
    const start = Date.now();
    await from.client.sendTextMessage(roomId, body);
    await until(`"${body}" is readable on every device`, () => to.every((d) => readable(d, roomId, body)));
    return Date.now() - start;
  }

  before(async () => {
    a = await access();
    settings = resolveSettings(localConfig([]), "local").settings!;
    resolveNames(a);
    // Just deployed, or just mended: a process that starts again would count from zero.
    await until(
      "every process of Synapse answers",
      async () => {
        earlier = await served(WORK);
        return true;
      },
      120,
      3000,
    );
  });
  after(async () => {
    // With its logout goes bob's pusher: retried forever, it would raise the alert about failing pushes on the
    // next run.
    await bob?.client.logout(true).catch(() => undefined);
    for (const d of [phone, laptop, bob]) d?.client.stopClient();
  });

  it("two users are registered; open registration is refused", async () => {
    for (const u of [aliceAccount, bobAccount]) await adminRequest(a, u.name, u.password, false);
    if (settings.registration.enabled) return;
    const answer = await request(a, a.hostnames.homeserver!, "/_matrix/client/v3/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: `eve-${run}`, password: aliceAccount.password }),
    });
    assert.equal(answer.status, 403);
    measured("registered with the shared secret through the admin host; open registration is off and answers 403");
  });

  it("they log in, and their devices publish their keys", async () => {
    const start = Date.now();
    phone = await device(a, aliceAccount, "phone");
    measured(`login, keys uploaded and first sync: ${seconds(Date.now() - start)}`);
    bob = await device(a, bobAccount, "bob");
    assert.equal(phone.client.getUserId(), `@${aliceAccount.name}:${a.serverName}`);
    await until(
      "bob sees the phone's keys",
      async () =>
        [
          ...((await bob.crypto.getUserDeviceInfo([phone.client.getUserId()!], true))
            .get(phone.client.getUserId()!)
            ?.keys() ?? []),
        ].includes(phone.client.getDeviceId()!),
      30,
      500,
    );
  });

  it("cross-signing, secret storage and key backup are set up", async () => {
    await phone.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: withPassword(aliceAccount) as any });
    aliceAccount.recovery = await phone.crypto.createRecoveryKeyFromPassphrase();
    await phone.crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => aliceAccount.recovery!,
      setupNewSecretStorage: true,
      setupNewKeyBackup: true,
    });
    // What was just stored counts as there when it comes back in /sync, and the SDK looks at its new backup in the
    // background.
    await until("cross-signing is ready", () => phone.crypto.isCrossSigningReady(), 30, 200);
    await until(
      "the key backup is active",
      async () => (await phone.crypto.getActiveSessionBackupVersion()) !== null,
      30,
      200,
    );
    await until("secret storage is ready, with the backup's key", () => phone.crypto.isSecretStorageReady(), 30, 200);
    assert.equal((await phone.crypto.getKeyBackupInfo())?.version, await phone.crypto.getActiveSessionBackupVersion());
  });

  it("rooms are made, plain and encrypted, and messages pass between the users", async () => {
    const invite = [bob.client.getUserId()!];
    open = (await phone.client.createRoom({ name: `open ${run}`, invite })).room_id;
    sealed = (
      await phone.client.createRoom({
        name: `sealed ${run}`,
        invite,
        initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
      })
    ).room_id;
    for (const room of [open, sealed]) {
      await bob.client.joinRoom(room);
      await until(
        "the phone sees bob join",
        () => phone.client.getRoom(room)?.getMember(bob.client.getUserId()!)?.membership === "join",
      );
    }
    const plain = [
      await delivered(phone, [bob], open, `hello from alice ${run}`),
      await delivered(bob, [phone], open, `hello from bob ${run}`),
    ];
    const secret = [
      await delivered(phone, [bob], sealed, `secret of alice ${run}`),
      await delivered(bob, [phone], sealed, `secret of bob ${run}`),
    ];
    measured(
      `from send to the other's screen: plain ${plain.map(seconds).join(", ")}; encrypted, with the keys' exchange, ${secret.map(seconds).join(", ")}`,
    );
    const stored = await (phone.client as any).http.authedRequest("GET", `/rooms/${q(sealed)}/messages`, {
      dir: "b",
      limit: "20",
    });
    assert.equal(
      stored.chunk.filter((e: any) => e.type === "m.room.encrypted").length,
      2,
      "the server has two encrypted events",
    );
    assert.ok(!JSON.stringify(stored).includes(`secret of`), "and none of their text");
  });

  it("a second device is verified by the first one's keys, and reads what was written before it", async () => {
    const start = Date.now();
    laptop = await device(a, aliceAccount, "laptop");
    // As every client does first: the private keys are taken only beside the user's public ones.
    assert.ok(
      await laptop.crypto.userHasCrossSigningKeys(laptop.client.getUserId()!, true),
      "the user's public keys are found",
    );
    await laptop.crypto.bootstrapCrossSigning({});
    for (const d of [phone, bob])
      await until(
        "others see the new device as the user's own",
        async () => {
          await d.crypto.getUserDeviceInfo([phone.client.getUserId()!], true);
          return (
            (await d.crypto.getDeviceVerificationStatus(phone.client.getUserId()!, laptop.client.getDeviceId()!))
              ?.signedByOwner === true
          );
        },
        30,
        500,
      );
    assert.ok(
      (await phone.crypto.getDeviceVerificationStatus(phone.client.getUserId()!, laptop.client.getDeviceId()!))!
        .crossSigningVerified,
    );
    await laptop.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    await laptop.crypto.checkKeyBackupAndEnable();
    // The phone sends its keys to the backup some seconds after it made them.
    await until(
      "earlier messages are readable",
      async () => {
        await laptop.crypto.restoreKeyBackup();
        for (const e of laptop.client.getRoom(sealed)!.getLiveTimeline().getEvents())
          if (e.isDecryptionFailure())
            await e.attemptDecryption(
              (laptop.client as any).getCryptoBackend
                ? (laptop.client as any).getCryptoBackend()
                : (laptop.crypto as any),
              { isRetry: true },
            );
        return [`secret of alice ${run}`, `secret of bob ${run}`].every((body) => readable(laptop, sealed, body));
      },
      60,
      1000,
    );
    measured(`second device logged in, verified, and reading the encrypted past: ${seconds(Date.now() - start)}`);
  });

  it("encrypted and plain messages are read on both devices", async () => {
    const plain = await delivered(bob, both(), open, `to both ${run}`);
    const secret = await delivered(bob, both(), sealed, `secret to both ${run}`);
    const own = await delivered(laptop, [phone, bob], sealed, `secret from the laptop ${run}`);
    measured(
      `on both devices after ${seconds(plain)} (plain), ${seconds(secret)} (encrypted); from one device to the other and to bob ${seconds(own)}`,
    );
  });

  it("typing and read receipts arrive", async () => {
    const bobId = bob.client.getUserId()!;
    const start = Date.now();
    await bob.client.sendTyping(open, true, 10_000);
    await until("both devices see bob type", () =>
      both().every((d) => d.client.getRoom(open)!.getMember(bobId)!.typing),
    );
    const typing = Date.now() - start;
    const event = bob.client.getRoom(open)!.getLiveTimeline().getEvents().at(-1)!;
    await bob.client.sendReadReceipt(event);
    const receipt = await until("both devices see what bob has read", () =>
      both().every((d) => d.client.getRoom(open)!.getEventReadUpTo(bobId) === event.getId()),
    );
    measured(`typing after ${seconds(typing)}, receipt after ${seconds(receipt)}`);
  });

  it("presence is as the settings say", async () => {
    const { settings } = resolveSettings(localConfig([]), "local");
    const alice = phone.client.getUserId()!;
    const start = Date.now();
    await phone.client.setPresence({ presence: "online", status_msg: `here ${run}` });
    const seen = (): boolean => bob.client.getUser(alice)?.presenceStatusMsg === `here ${run}`;
    if (settings!.presence.enabled) {
      await until("bob sees it", seen);
      measured(`on: seen by the other after ${seconds(Date.now() - start)}`);
    } else {
      await delivered(phone, [bob], open, `presence is off ${run}`);
      assert.ok(!seen(), "presence is off, and yet seen");
      measured("off: accepted but not shown to others");
    }
  });

  it("account data, device names and to-device messages reach the other device", async () => {
    const type = `test.matrix-ha.${run}` as any;
    await phone.client.setAccountData(type, { run } as any);
    await until("the laptop has the account data", () => laptop.client.getAccountData(type)?.getContent().run === run);
    assert.deepEqual(await laptop.client.getAccountDataFromServer(type), { run });
    await phone.client.setDeviceDetails(phone.client.getDeviceId()!, { display_name: "proof" });
    assert.equal((await laptop.client.getDevice(phone.client.getDeviceId()!)).display_name, "proof");
    const heard: any[] = [];
    laptop.client.on(sdk.ClientEvent.ToDeviceEvent, (e) => heard.push(e.getContent()));
    await phone.client.sendToDevice(
      "test.matrix-ha",
      new Map([[laptop.client.getUserId()!, new Map([[laptop.client.getDeviceId()!, { run }]])]]),
    );
    await until("the laptop hears the phone", () => heard.some((c) => c.run === run));
  });

  it("push rules count, and the pusher pushes", async () => {
    const word = `umbrella${run}`;
    // Nothing answers there; the pusher's own metrics show the attempt.
    await bob.client.setPusher({
      kind: "http",
      app_id: "matrix-ha.test",
      app_display_name: "test",
      device_display_name: "bob",
      pushkey: run,
      lang: "en",
      data: { url: "https://push.invalid/_matrix/push/v1/notify" },
    } as any);
    await bob.client.addPushRule("global", sdk.PushRuleKind.ContentSpecific as any, `rule-${run}`, {
      actions: ["notify", { set_tweak: "highlight" }] as any,
      pattern: word,
    } as any);
    await until("bob's devices know the rule", () =>
      JSON.stringify(bob.client.pushRules ?? {}).includes(`rule-${run}`),
    );
    const before = bob.client.getRoom(open)!.getUnreadNotificationCount(sdk.NotificationCountType.Highlight);
    await delivered(phone, [bob], open, `do not forget the ${word}`);
    await until(
      "the message is highlighted",
      () => bob.client.getRoom(open)!.getUnreadNotificationCount(sdk.NotificationCountType.Highlight) > before,
    );
  });

  it("media have the same digest when downloaded, even after every local copy is gone", async () => {
    const upload = async (content: Buffer, type: string): Promise<string> =>
      (await phone.client.uploadContent(new Blob([content as any]) as any, { type })).content_uri.replace("mxc://", "");
    const download = async (mxc: string, how = "download"): Promise<Buffer> => {
      const answer = await request(
        a,
        a.hostnames.homeserver!,
        `/_matrix/client/v1/media/${how.replace("ID", mxc)}${how === "download" ? `/${mxc}` : ""}`,
        { headers: { Authorization: `Bearer ${bob.token}` } },
      );
      assert.equal(answer.status, 200, `${how}: ${answer.body.toString("utf8", 0, 200)}`);
      return answer.body;
    };
    const content = crypto.randomBytes(1 << 20),
      picture = png(900);
    const start = Date.now();
    const file = await upload(content, "application/octet-stream"),
      image = await upload(picture, "image/png");
    const uploaded = Date.now() - start;
    assert.equal(sha256(await download(file)), sha256(content));
    assert.equal(sha256(await download(image)), sha256(picture));
    const thumbnail = await download(image, "thumbnail/ID?width=96&height=96&method=crop");
    assert.ok(thumbnail.length > 100 && thumbnail.length < picture.length);
    // <store>/local_content/AA/BB/rest, and local_thumbnails likewise.
    const ids = [file, image].map((mxc) => mxc.split("/")[1]!);
    const pods = JSON.parse(
      kubectl("-n", "matrix", "get", "pods", "-l", "app.kubernetes.io/component=synapse-media", "-o", "json"),
    ).items.map((p: any) => p.metadata.name) as string[];
    const places = ids.flatMap((id) =>
      ["local_content", "local_thumbnails"].map(
        (d) => `${MOUNTS.data}/media/${d}/${id.slice(0, 2)}/${id.slice(2, 4)}/${id.slice(4)}`,
      ),
    );
    const copies = (pod: string, then: string): number =>
      kubectl(
        "-n",
        "matrix",
        "exec",
        pod,
        "-c",
        "synapse",
        "--",
        "sh",
        "-c",
        `find ${places.join(" ")} -type f -print ${then} 2>/dev/null; true`,
      )
        .split("\n")
        .filter(Boolean).length;
    const deleted = pods.map((p) => copies(p, "-delete"));
    assert.ok(deleted.reduce((x, y) => x + y) > 0, "no local copy was found: does this test look in the right place?");
    assert.equal(
      pods.map((p) => copies(p, "")).reduce((x, y) => x + y),
      0,
      "local copies are gone",
    );
    const again = Date.now();
    assert.equal(sha256(await download(file)), sha256(content), "the file, out of the object store");
    assert.equal(sha256(await download(image)), sha256(picture), "the picture, out of the object store");
    measured(
      `1 MiB and a picture of ${Math.round(picture.length / 1024)} KiB up in ${seconds(uploaded)}; ${deleted.reduce((x, y) => x + y)} local files deleted on ${pods.length} media workers; both came back out of the object store in ${seconds(Date.now() - again)}`,
    );
    assert.equal(
      sha256(await download(image, "thumbnail/ID?width=96&height=96&method=crop")),
      sha256(thumbnail),
      "and the thumbnail",
    );
  });

  it("search finds messages, the directory finds people", async () => {
    await phone.client.setDisplayName(`Alice ${run}`);
    const found = await laptop.client.search({
      body: { search_categories: { room_events: { search_term: run } } } as any,
    });
    assert.ok((found.search_categories.room_events as any).count >= 1);
    const took = await until(
      "bob finds alice by her new name",
      async () =>
        (await bob.client.searchUserDirectory({ term: `Alice ${run}` })).results.some(
          (u: any) => u.user_id === phone.client.getUserId() && u.display_name === `Alice ${run}`,
        ),
      30,
      300,
    );
    measured(`a changed name is in the directory after ${seconds(took)}`);
    // Synapse's own default since 1.126, which the stack keeps: users cannot publish rooms in the list. A public room
    // is found by its address.
    const alias = `public-${run}`;
    const from = await phone.client.createRoom({
      name: `public ${run}`,
      preset: "public_chat" as any,
      room_alias_name: alias,
    });
    await assert.rejects(
      phone.client.setRoomDirectoryVisibility(from.room_id, "public" as any),
      (e: any) => e.httpStatus === 403,
    );
    assert.equal((await bob.client.joinRoom(`#${alias}:${a.serverName}`)).roomId, from.room_id);
    measured("a public room is joined by its address; publishing it in the list of rooms is refused with 403");
  });

  it("the password changes: the old one is refused, the new one works", async () => {
    const old = aliceAccount.password,
      fresh = crypto.randomBytes(12).toString("base64url");
    await withPassword(aliceAccount)((auth) => phone.client.setPassword(auth ?? ({} as any), fresh, false));
    aliceAccount.password = fresh;
    await assert.rejects(logIn(a, aliceAccount, old, "old"), (e: any) => e.errcode === "M_FORBIDDEN");
    const { access_token } = await logIn(a, aliceAccount, fresh, "fresh");
    assert.equal((await status(a, access_token, "/_matrix/client/v3/account/whoami")).status, 200);
    // Devices stay logged in, as asked for.
    assert.equal((await status(a, laptop.token, "/_matrix/client/v3/account/whoami")).status, 200);
  });

  it("after logging out the token is refused by every class", async () => {
    const paths = [
      "/_matrix/client/v3/account/whoami",
      "/_matrix/client/v3/sync?timeout=0",
      `/_matrix/client/v3/rooms/${q(open)}/messages?dir=b`,
      "/_matrix/client/v3/pushrules/",
      "/_matrix/client/v3/devices",
      `/_matrix/client/v3/user/${q(laptop.client.getUserId()!)}/account_data/test.matrix-ha.${run}`,
      "/_matrix/client/v1/media/config",
      "/_matrix/client/v3/voip/turnServer",
    ];
    for (const p of paths) assert.equal((await status(a, laptop.token, p)).status, 200, `${p} before`);
    await laptop.client.logout(true);
    const start = Date.now();
    for (const p of paths)
      await until(
        `${p} refuses the token`,
        async () => {
          const s = await status(a, laptop.token, p);
          return s.status === 401 && s.errcode === "M_UNKNOWN_TOKEN";
        },
        10,
      );
    measured(
      `${paths.length} kinds of requests, each served by another class where there is one, refused within ${seconds(Date.now() - start)}`,
    );
    assert.equal(
      (await status(a, phone.token, "/_matrix/client/v3/account/whoami")).status,
      200,
      "the other device stays logged in",
    );
    const anonymous = sdk.createClient({ baseUrl: `https://${a.hostnames.homeserver}`, logger: silent });
    assert.deepEqual(Object.keys(await anonymous.loginFlows()), ["flows"]);
  });

  it("each worker class has served its requests", async () => {
    const classes = plan(settings)
      .synapse.pools.map((p) => p.class)
      .filter((c) => !FEDERATION.has(c))
      .sort();
    let today: Served = {};
    const told = (some: string[]): string => some.map((c) => `${c} ${today[c] ?? "not there"}`).join(", ");
    // The pusher tries again with pauses; the counters of the others follow within a second.
    await until(
      "every class has done its part",
      async () => {
        today = since(earlier, await served(WORK));
        return classes.every((c) => (today[c] ?? 0) > 0);
      },
      120,
      2000,
    ).catch((error) => {
      throw new Error(`${error.message}: ${told(classes)}`);
    });
    measured(`requests served: ${told(classes.filter((c) => !WORK[c]))}`);
    measured(
      `events persisted ${today["event-persister"]}; stream positions followed by user-directory ${today["user-directory"]}, by background ${today.background}; pushes tried ${today.pusher}`,
    );
  });
});
