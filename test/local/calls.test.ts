/**
 * Group calls: two participants in real browsers, their media through the SFU, and the SFU that has the room killed.
 * The token service is not part of the local stack (it cannot be built here): tokens are made with the stack's own key.
 */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import { parse } from "yaml";
import { access, adminRequest, kubectl, request, resolveNames, type Access } from "../../lab/local/access";
import { LIVEKIT_CLIENT } from "../../lab/local/browser";
import { Browser, type Page } from "./helpers/browser";
import { run, secret, sleep, until } from "./helpers/common";
import { measured, seconds } from "../../lab/proof/measured";
import { NODE_LABELS } from "../../components/core/names";

const base64url = (x: object): string => Buffer.from(JSON.stringify(x)).toString("base64url");
function token(key: { id: string; secret: string }, identity: string, video: object): string {
  const now = Math.floor(Date.now() / 1000);
  const unsigned = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ iss: key.id, sub: identity, nbf: now - 10, exp: now + 3600, video })}`;
  return `${unsigned}.${crypto.createHmac("sha256", key.secret).update(unsigned).digest("base64url")}`;
}

interface Media {
  frames: number;
  width: number;
  audioPackets: number;
  audioEnergy: number;
  sfu?: string;
  candidate?: string;
  state: string;
}
interface Sfu {
  name: string;
  node: string;
  address: string;
  ready: boolean;
}

/** Runs in the page. */
async function join(url: string, jwt: string, relayOnly: boolean): Promise<void> {
  const g = globalThis as any,
    lk = g.LivekitClient;
  const room = (g.room = new lk.Room({ publishDefaults: { simulcast: false, videoCodec: "vp8" } }));
  // Not muted here (the browser's own output is): what WebRTC counts as heard is counted after an element's volume.
  room.on(lk.RoomEvent.TrackSubscribed, (track: any) => {
    g.document.body.append(track.attach());
  });
  for (const name of ["Reconnecting", "SignalReconnecting", "Reconnected", "Disconnected"])
    room.on(lk.RoomEvent[name], (why: unknown) => console.log(name, why ?? ""));
  await room.connect(url, jwt, relayOnly ? { rtcConfig: { iceTransportPolicy: "relay" } } : {});
  // A steady tone: Chromium's invented microphone only beeps now and then.
  const context = new g.AudioContext(),
    tone = context.createOscillator(),
    out = context.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  await room.localParticipant.publishTrack(out.stream.getAudioTracks()[0], {
    name: "tone",
    source: lk.Track.Source.Microphone,
  });
  await room.localParticipant.setCameraEnabled(true, { resolution: { width: 320, height: 180, frameRate: 10 } });
}

/** Runs in the page, so with all that it needs inside: what has arrived from others, all of it decoded. */
async function media(): Promise<Media> {
  const room = (globalThis as any).room;
  const m: Media = { frames: 0, width: 0, audioPackets: 0, audioEnergy: 0, state: room.state };
  const addReceived = (s: any): void => {
    if (s.kind === "video") {
      m.frames += s.framesDecoded ?? 0;
      m.width = Math.max(m.width, s.frameWidth ?? 0);
    } else {
      m.audioPackets += s.packetsReceived ?? 0;
      m.audioEnergy += s.totalAudioEnergy ?? 0;
    }
  };
  const takeRoute = (all: any[]): void => {
    const pairs = all.filter((s) => s.type === "candidate-pair" && s.state === "succeeded"),
      pair = pairs.find((s) => s.nominated) ?? pairs[0];
    if (!pair) return;
    m.sfu = all.find((s) => s.id === pair.remoteCandidateId)?.address;
    m.candidate = all.find((s) => s.id === pair.localCandidateId)?.candidateType;
  };
  for (const participant of room.remoteParticipants.values())
    for (const publication of participant.trackPublications.values()) {
      const stats = await publication.track?.getRTCStatsReport?.();
      if (!stats) continue;
      const all = [...stats.values()] as any[];
      all.filter((s) => s.type === "inbound-rtp").forEach(addReceived);
      takeRoute(all);
    }
  return m;
}

/** What makes a machine carry an SFU. */
const CALLS = NODE_LABELS.role("call");

describe("calls", function () {
  this.timeout(360_000);
  let a: Access, browser: Browser, key: { id: string; secret: string }, alice: Page, bob: Page;
  const room = `room-${run}`;

  const sfus = (): Sfu[] =>
    JSON.parse(
      kubectl("-n", "livekit", "get", "pods", "-l", "app.kubernetes.io/component=livekit", "-o", "json"),
    ).items.map((p: any) => ({
      name: p.metadata.name,
      node: p.spec.nodeName,
      address: p.status.hostIP,
      ready:
        !p.metadata.deletionTimestamp &&
        (p.status.conditions ?? []).some((c: any) => c.type === "Ready" && c.status === "True"),
    }));
  const admin = (method: string, grant: object, body: object): ReturnType<typeof request> =>
    request(a, a.hostnames.rtc!, `/twirp/livekit.RoomService/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", Authorization: `Bearer ${token(key, "test", grant)}` },
      body: JSON.stringify(body),
    });
  async function participant(identity: string, relayOnly = false): Promise<Page> {
    const page = await browser.page();
    await page.open(`https://${a.hostnames.web}/`);
    await page.run(`${fs.readFileSync(LIVEKIT_CLIENT, "utf8")}; undefined`);
    await page.call(
      join,
      `wss://${a.hostnames.rtc}`,
      token(key, identity, { room, roomJoin: true, canPublish: true, canSubscribe: true }),
      relayOnly,
    );
    return page;
  }
  const flowing = async (page: Page): Promise<Media> => {
    let m: Media | undefined;
    await until(
      "picture and sound arrive",
      async () => {
        m = await page.call(media);
        return m.frames > 20 && m.audioPackets > 100 && m.audioEnergy > 0 && m.width > 0 && m.candidate !== undefined;
      },
      90,
      250,
    ).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(m)}; ${page.console.slice(-5).join(" / ")}`);
    });
    return m!;
  };

  before(async () => {
    a = await access();
    resolveNames(a);
    const { keys } = parse(secret("livekit", "livekit", "livekit.yaml"));
    const [id] = Object.keys(keys);
    key = { id: id!, secret: keys[id!] };
    browser = await Browser.start(a);
  });
  after(async () => {
    // LiveKit spends most of a core for half a minute on a participant that is gone without a word (seen with 1.13.5).
    for (const page of [alice, bob]) await page?.run("room.disconnect()").catch(() => undefined);
    await browser?.stop();
  });

  it("only authorised users create or join rooms", async () => {
    const forged = await request(a, a.hostnames.rtc!, "/twirp/livekit.RoomService/CreateRoom", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        Authorization: `Bearer ${token({ ...key, secret: "guessed" }, "eve", { roomCreate: true })}`,
      },
      body: JSON.stringify({ name: room }),
    });
    assert.equal(forged.status, 401);
    // A valid token alone makes no room: rooms are made by the token service.
    const early = await request(
      a,
      a.hostnames.rtc!,
      `/rtc/validate?access_token=${token(key, "early", { room: `not-${room}`, roomJoin: true })}`,
    );
    assert.ok(early.status >= 400, `a room that was not created: ${early.status}`);
    const made = await admin("CreateRoom", { roomCreate: true }, { name: room, empty_timeout: 60 });
    assert.equal(made.status, 200, made.body.toString());
    measured(`forged token 401, unmade room ${early.status}, room made through the public host`);
  });

  it("the homeserver tells a token service who a user is, found by the server name alone", async () => {
    // The questions of lk-jwt-service, from its source: test/rtc/tokenService.test.ts lists them all.
    const user = `caller-${run}`,
      password = crypto.randomBytes(12).toString("hex");
    await adminRequest(a, user, password, false);
    interface Asked {
      body?: object;
      bearer?: string;
    }
    const ask = async (host: string, method: string, path: string, { body, bearer }: Asked = {}): Promise<any> => {
      const answer = await request(a, host, path, {
        method,
        headers: { "content-type": "application/json", ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) },
        body: body && JSON.stringify(body),
      });
      assert.equal(answer.status, 200, `${method} ${host} ${path.replace(/\?.*/, "")}: ${answer.body}`);
      return JSON.parse(answer.body.toString());
    };
    const homeserver = a.hostnames.homeserver!;
    const login = await ask(homeserver, "POST", "/_matrix/client/v3/login", {
      body: { type: "m.login.password", identifier: { type: "m.id.user", user }, password },
    });
    const openId = await ask(
      homeserver,
      "POST",
      `/_matrix/client/v3/user/${encodeURIComponent(login.user_id)}/openid/request_token`,
      { body: {}, bearer: login.access_token },
    );
    assert.equal(openId.matrix_server_name, a.serverName);
    const found = await ask(openId.matrix_server_name, "GET", "/.well-known/matrix/server");
    assert.equal(found["m.server"], `${homeserver}:443`);
    const who = await ask(
      found["m.server"].replace(/:443$/, ""),
      "GET",
      `/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(openId.access_token)}`,
    );
    assert.equal(who.sub, login.user_id);
    await ask(homeserver, "POST", "/_matrix/client/v3/logout", { body: {}, bearer: login.access_token });
    measured("server name, its document, port 443, openid/userinfo: the user who asked for the token");
  });

  it("two participants see and hear each other through the SFU", async () => {
    const start = Date.now();
    [alice, bob] = [await participant("alice"), await participant("bob")];
    const joined = Date.now() - start;
    const both = [await flowing(alice), await flowing(bob)];
    measured(
      `both joined after ${seconds(joined)}, picture and sound both ways after ${seconds(Date.now() - start)}: ${both.map((m) => `${m.frames} frames of ${m.width} pixels' width, ${m.audioPackets} audio packets`).join("; ")}`,
    );
    const nodes = sfus().map((s) => s.address);
    for (const m of both)
      assert.ok(
        nodes.includes(m.sfu!),
        `media come from ${m.sfu}, which is none of the SFUs' addresses ${nodes.join(" ")}`,
      );
    assert.equal(both[0]!.sfu, both[1]!.sfu, "one SFU has the room");
    measured(`SFU ${both[0]!.sfu}`);
  });

  it("a participant whose network lets nothing but TURN through takes part too", async () => {
    const carol = await participant("carol", true);
    const m = await flowing(carol);
    assert.equal(m.candidate, "relay");
    measured(`through a relay of the stack: ${m.frames} frames, ${m.audioPackets} audio packets`);
    await carol.run("room.disconnect()");
  });

  it("when the SFU that has the room is killed, the room returns on another", async () => {
    const before = await bob.call(media);
    const holder = sfus().find((s) => s.address === before.sfu)!;
    const count = sfus().length,
      killed = Date.now();
    // As when the machine is gone: no successor on the same node, the others have to take the room. Killed first,
    // because one that is told to go hands its rooms over.
    kubectl("-n", "livekit", "delete", "pod", holder.name, "--force", "--grace-period=0");
    kubectl("label", "node", holder.node, `${CALLS}-`);
    // The old tracks' counters stand still or vanish; the new ones' begin at zero on another connection.
    let after: Media | undefined,
      last = before,
      silent = 0;
    /** Sound, and the picture if it is waited for, grow on a connection to another SFU. */
    const back = async (page: Page, picture: boolean, patience: number): Promise<Media> => {
      await until(
        picture ? "picture and sound are back" : "sound is back",
        async () => {
          after = (await page.call(media).catch(() => undefined)) ?? last;
          const growing =
            after.audioPackets > last.audioPackets &&
            after.audioPackets > 10 &&
            (!picture || (after.frames > last.frames && after.frames > 5));
          if (!growing && silent === 0 && Date.now() - killed > 1000) silent = Date.now();
          last = after;
          // The one that was killed may go on for a second, until its node's runtime has heard of it; it takes no room
          // any more.
          return (
            silent > 0 &&
            growing &&
            after.sfu !== undefined &&
            after.sfu !== holder.address &&
            after.state === "connected"
          );
        },
        patience,
        200,
      ).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(after)}; ${page.console.slice(-8).join(" / ")}`);
      });
      return after!;
    };
    /**
     * After some reconnections livekit-client brings no picture (its issue 2074 has that symptom; two of twelve runs
     * here): its users rejoin.
     */
    const joinedAnew = async (): Promise<void> => {
      measured(`sound without picture for 30 s (livekit-client's issue 2074): both rejoined`);
      for (const page of [alice, bob]) await page.run("room.disconnect()").catch(() => undefined);
      [alice, bob] = [await participant("alice"), await participant("bob")];
      last = { ...before, frames: 0, audioPackets: 0 };
    };
    try {
      await back(bob, false, 150);
      const m = await back(bob, true, 30).catch(async () => {
        await joinedAnew();
        return back(bob, true, 90);
      });
      const outage = Date.now() - killed;
      last = await alice.call(media);
      await until(
        "the other one too",
        async () => {
          const now = await alice.call(media);
          const grows = now.frames > last.frames;
          last = now;
          return grows;
        },
        60,
        500,
      );
      measured(`picture and sound again ${seconds(outage)} after the kill, from ${m.sfu} instead of ${holder.address}`);
      assert.notEqual(m.sfu, holder.address, "on another SFU");
    } finally {
      kubectl("label", "node", holder.node, "--overwrite", `${CALLS}=true`);
    }
    await until("its successor is ready", () => sfus().length === count && sfus().every((s) => s.ready), 90, 1000);
    await sleep(500);
    const rooms = await admin("ListRooms", { roomList: true }, { names: [room] });
    assert.equal(JSON.parse(rooms.body.toString()).rooms.length, 1, "one room of that name");
  });
});
