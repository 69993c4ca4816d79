/** The main job, for real: `npm run local` first, then this. Through the announced address, TLS verified. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import loglevel from "loglevel";
import * as sdk from "matrix-js-sdk";
import { access, adminRequest, kubectl, request, resolveNames, type Access } from "../../lab/local/access";

const run = crypto.randomBytes(3).toString("hex");
// The SDK talks a lot; what matters here is asserted.
for (const name of ["matrix", ...Object.keys(loglevel.getLoggers())]) loglevel.getLogger(name).setLevel("silent");
const silent: any = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild() { return silent; } };

async function client(a: Access, user: string, password: string): Promise<sdk.MatrixClient> {
  const baseUrl = `https://${a.hostnames.homeserver}`;
  const anonymous = sdk.createClient({ baseUrl, logger: silent });
  const login = await anonymous.loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user }, password, device_id: `TEST${run}` });
  return sdk.createClient({ baseUrl, accessToken: login.access_token, userId: login.user_id, deviceId: login.device_id, logger: silent });
}

const until = async (what: string, check: () => boolean, seconds = 20): Promise<void> => {
  const end = Date.now() + seconds * 1000;
  while (!check()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((r) => setTimeout(r, 50));
  }
};

/** Requests that each class has answered so far, from the processes' own counters. */
function served(): Record<string, number> {
  // Synapse's processes are the pods whose software is synapse; the check Job's pod has ended.
  const pods = JSON.parse(kubectl("-n", "matrix", "get", "pods", "-l", "app.kubernetes.io/name=synapse", "-o", "json")).items.filter((p: any) => p.status.phase === "Running");
  const counts: Record<string, number> = {};
  for (const p of pods) {
    const cls = p.metadata.labels["app.kubernetes.io/component"].replace(/^synapse-/, "");
    const text = kubectl("get", "--raw", `/api/v1/namespaces/matrix/pods/${p.metadata.name}:9000/proxy/_synapse/metrics`);
    let sum = 0;
    for (const m of text.matchAll(/^synapse_http_server_response_count_total\{([^}]*)\} ([0-9.e+]+)$/gm)) if (!/servlet="(HealthResource|MetricsResource)"/.test(m[1]!)) sum += Number(m[2]);
    counts[cls] = (counts[cls] ?? 0) + sum;
  }
  return counts;
}

describe("the local homeserver", function () {
  this.timeout(120_000);
  let a: Access, alice: sdk.MatrixClient, bob: sdk.MatrixClient, roomId: string, earlier: Record<string, number>;
  const password = crypto.randomBytes(12).toString("base64url");

  before(async () => { a = await access(); resolveNames(a); earlier = served(); });
  after(() => { alice?.stopClient(); bob?.stopClient(); });

  it("registers two users and logs them in through the router", async () => {
    await adminRequest(a, `alice-${run}`, password, false);
    await adminRequest(a, `bob-${run}`, password, false);
    alice = await client(a, `alice-${run}`, password);
    bob = await client(a, `bob-${run}`, password);
    assert.equal(alice.getUserId(), `@alice-${run}:${a.serverName}`);
    assert.equal((await bob.whoami()).user_id, bob.getUserId());
  });

  it("creates a room, invites, joins, sends and receives between both", async () => {
    await alice.startClient({ initialSyncLimit: 10 });
    await bob.startClient({ initialSyncLimit: 10 });
    await until("first sync", () => alice.isInitialSyncComplete() && bob.isInitialSyncComplete());
    roomId = (await alice.createRoom({ name: "proof", invite: [bob.getUserId()!] })).room_id;
    await bob.joinRoom(roomId);
    const seen: Record<string, string[]> = { alice: [], bob: [] };
    alice.on(sdk.RoomEvent.Timeline, (e) => { if (e.getRoomId() === roomId && e.getType() === "m.room.message") seen.alice!.push(e.getContent().body); });
    bob.on(sdk.RoomEvent.Timeline, (e) => { if (e.getRoomId() === roomId && e.getType() === "m.room.message") seen.bob!.push(e.getContent().body); });
    await alice.sendTextMessage(roomId, `hello from alice ${run}`);
    await until("bob sees alice's message", () => seen.bob!.includes(`hello from alice ${run}`));
    await bob.sendTextMessage(roomId, `hello from bob ${run}`);
    await until("alice sees bob's message", () => seen.alice!.includes(`hello from bob ${run}`));
  });

  it("typing, receipts, presence, account data, push rules, devices, to-device, profile and search work", async () => {
    const typing: string[] = [];
    alice.on(sdk.RoomMemberEvent.Typing, (_e, m) => { if (m.typing) typing.push(m.userId); });
    await bob.sendTyping(roomId, true, 5000);
    await until("alice sees bob typing", () => typing.includes(bob.getUserId()!));
    const event = alice.getRoom(roomId)!.getLiveTimeline().getEvents().at(-1)!;
    await bob.sendReadReceipt(bob.getRoom(roomId)!.findEventById(event.getId()!)!);
    await alice.setPresence({ presence: "online", status_msg: "proving" });
    await alice.setAccountData(`test.matrix-ha.${run}` as any, { run } as any);
    assert.deepEqual(await alice.getAccountDataFromServer(`test.matrix-ha.${run}` as any), { run });
    await alice.addPushRule("global", sdk.PushRuleKind.ContentSpecific as any, `rule-${run}`, { actions: [sdk.PushRuleActionName.Notify as any], pattern: run } as any);
    const received: any[] = [];
    bob.on(sdk.ClientEvent.ToDeviceEvent, (e) => received.push(e.getContent()));
    await alice.sendToDevice("test.matrix-ha", new Map([[bob.getUserId()!, new Map([[bob.getDeviceId()!, { run }]])]]));
    await until("bob's device hears alice", () => received.some((c) => c.run === run));
    await alice.setDeviceDetails(alice.getDeviceId()!, { display_name: "proof" });
    assert.equal((await alice.getDevice(alice.getDeviceId()!)).display_name, "proof");
    await alice.setDisplayName("Alice");
    const found = await bob.search({ body: { search_categories: { room_events: { search_term: run } } } as any });
    assert.ok((found.search_categories.room_events as any).count >= 1);
    await bob.searchUserDirectory({ term: `alice-${run}` });
  });

  it("media come back as they went", async () => {
    const content = crypto.randomBytes(1 << 20);
    const { content_uri } = await alice.uploadContent(new Blob([content]) as any, { type: "application/octet-stream" });
    const [, server, id] = /^mxc:\/\/([^/]+)\/(.+)$/.exec(content_uri)!;
    const answer = await request(a, a.hostnames.homeserver!, "GET", `/_matrix/client/v1/media/download/${server}/${id}`, { headers: { Authorization: `Bearer ${bob.getAccessToken()}` } });
    assert.equal(answer.status, 200);
    assert.equal(crypto.createHash("sha256").update(answer.body).digest("hex"), crypto.createHash("sha256").update(content).digest("hex"));
  });

  it("each worker class that serves requests has served its share", async () => {
    const now = served();
    const grown = Object.fromEntries(Object.entries(now).map(([c, n]) => [c, n - (earlier[c] ?? 0)]));
    console.log(`      requests served: ${Object.entries(grown).map(([c, n]) => `${c} ${n}`).join(", ")}`);
    // Classes without requests of their own: they work from streams, or are written to over replication.
    const silentClasses = new Set(["event-persister", "pusher", "background", "user-directory", "federation-sender", "federation-reader"]);
    for (const c of Object.keys(now).filter((x) => !silentClasses.has(x))) assert.ok(grown[c]! > 0, `${c} served nothing: ${JSON.stringify(grown)}`);
  });

  it("what is private stays private", async () => {
    for (const target of ["/_synapse/admin/v1/server_version", "/_synapse/metrics", "/_synapse/replication/x"]) {
      const { status } = await request(a, a.hostnames.homeserver!, "GET", target);
      assert.ok(status === 403 || status === 404, `${target}: ${status}`);
    }
  });

  it(".well-known names the homeserver, with CORS", async () => {
    const answer = await request(a, a.serverName, "GET", "/.well-known/matrix/client");
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.body.toString())["m.homeserver"].base_url.replace(/\/$/, ""), `https://${a.hostnames.homeserver}`);
    assert.equal(answer.headers["access-control-allow-origin"], "*");
  });

  it("pods run under Pod Security restricted, and none has restarted", async () => {
    const namespace = JSON.parse(kubectl("get", "namespace", "matrix", "-o", "json"));
    assert.equal(namespace.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
    const pods = JSON.parse(kubectl("-n", "matrix", "get", "pods", "-o", "json")).items;
    const restarted = pods.flatMap((p: any) => (p.status.containerStatuses ?? []).filter((c: any) => c.restartCount > 0).map((c: any) => `${p.metadata.name}/${c.name}: ${c.restartCount}`));
    assert.deepEqual(restarted, []);
  });
});
