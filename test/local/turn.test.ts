/**
 * TURN, with our own client: credentials of Synapse, an allocation on every node, relayed data, and refused
 * peers.
 */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as dgram from "node:dgram";
import { access, adminRequest, request, resolveNames, type Access } from "../../lab/local/access";
import { localConfig } from "../../lab/local/config";
import { resolveSettings } from "../../components/settings";
import { measured, seconds } from "../../lab/proof/measured";
import { run, sleep, until } from "./helpers/common";
import { TurnClient, type Address, type Answer, type Credentials } from "./helpers/turnClient";

/** Inside the cluster, on this machine, and everywhere that is not the Internet. */
const FORBIDDEN = [
  "10.96.0.1",
  "10.96.0.10",
  "10.244.1.2",
  "10.77.0.1",
  "10.77.0.10",
  "10.77.0.200",
  "10.0.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "0.0.0.1",
  "192.0.2.1",
  "198.18.0.1",
  "203.0.113.1",
  "240.0.0.1",
  "255.255.255.255",
  "224.0.0.1",
];
const FORBIDDEN_V6 = ["::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"];

describe("TURN", function () {
  this.timeout(120_000);
  let a: Access, credentials: Credentials, uris: string[], nodes: string[];
  const open: TurnClient[] = [];
  const keep = <T extends TurnClient>(c: T): T => {
    open.push(c);
    return c;
  };
  const allocated = async (c: TurnClient): Promise<TurnClient> => {
    const answer = await keep(c).allocate();
    assert.ok(answer.ok, `allocation refused: ${answer.code}`);
    return c;
  };
  const server = (uri: string): Address => {
    const m = /^turns?:\[?([^\]?]+?)\]?:(\d+)\?/.exec(uri)!;
    return { host: m[1]!, port: Number(m[2]) };
  };
  /** The node itself, on the port of the URI: by name a client reaches any of them. */
  const at = (node: string, transport: "udp" | "tcp"): Address => ({
    host: node,
    port: server(uris.find((u) => u.startsWith("turn:") && u.endsWith(`transport=${transport}`))!).port,
  });
  const udp = (node: string, c = credentials): TurnClient => TurnClient.udp(at(node, "udp"), c);

  before(async () => {
    a = await access();
    resolveNames(a);
    const { access_token } = await adminRequest(
      a,
      `caller-${run}`,
      crypto.randomBytes(12).toString("base64url"),
      false,
    );
    const answer = await request(a, a.hostnames.homeserver!, "/_matrix/client/v3/voip/turnServer", {
      headers: { Authorization: `Bearer ${access_token}` },
    });
    const body = JSON.parse(answer.body.toString());
    credentials = { username: body.username, password: body.password };
    uris = body.uris;
    nodes = resolveSettings(localConfig([]), "local")
      .settings!.hosts.filter((h) => h.roles.includes("call"))
      .map((h) => h.publicAddress ?? h.address);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((c) => c.close()));
  });

  it("Synapse's credentials name one server for all call nodes, two or three times", () => {
    const { turn } = a.hostnames;
    for (const t of ["udp", "tcp"])
      assert.ok(uris.includes(`turn:${turn}:3478?transport=${t}`), `${t} is not in ${uris.join(" ")}`);
    assert.ok(uris.length <= 3, uris.join(" "));
    measured(
      `${uris.length} URIs for ${nodes.length} nodes, by name${uris.some((u) => u.startsWith("turns:")) ? ", also over TLS" : ""}`,
    );
  });

  it("an allocation succeeds on every node, over UDP, TCP and TLS", async () => {
    const times: number[] = [];
    const tlsUri = uris.find((u) => u.startsWith("turns:"));
    for (const n of nodes) {
      const start = Date.now();
      const clients = [udp(n), await TurnClient.tcp(at(n, "tcp"), credentials)];
      // By name, a client reaches whichever address DNS gave it: each must have the certificate.
      if (tlsUri)
        clients.push(
          await TurnClient.tcp({ host: n, port: server(tlsUri).port }, credentials, {
            name: a.hostnames.turn!,
            ca: a.ca,
          }),
        );
      for (const c of clients)
        assert.equal((await allocated(c)).relayed!.host, n, "the relay's address is the node's advertised one");
      times.push(Date.now() - start);
    }
    measured(
      `${nodes.length} nodes, ${tlsUri ? "UDP, TCP and TLS" : "UDP and TCP"}: allocations on one node took ${times.map(seconds).join(", ")}`,
    );
  });

  it("a wrong password, an invented user and an expired one are refused on every node", async () => {
    const expired = `${Math.floor(Date.now() / 1000) - 60}:@x:${a.serverName}`;
    for (const n of nodes)
      for (const bad of [
        { ...credentials, password: "wrong" },
        {
          username: credentials.username.replace(/^\d+/, (t) => String(Number(t) + 1)),
          password: credentials.password,
        },
        { username: expired, password: crypto.createHmac("sha1", "guessed").update(expired).digest("base64") },
      ]) {
        const answer = await keep(udp(n, bad)).allocate();
        assert.ok(!answer.ok && answer.code === 401, `${n}, ${bad.username}: ${answer.ok ? "allocated" : answer.code}`);
      }
    measured("401 each time");
  });

  it("two users' relays exchange data, between any two nodes", async () => {
    const delays: number[] = [];
    for (const [i, from] of nodes.entries()) {
      const to = nodes[(i + 1) % nodes.length]!;
      for (const pair of [
        [from, to],
        [from, from],
      ] as const) {
        const [x, y] = [await allocated(udp(pair[0])), await allocated(udp(pair[1]))];
        const got: Array<{ from: Address; text: string }> = [];
        for (const c of [x, y])
          c.on("data", (peer: Address, data: Buffer) => got.push({ from: peer, text: data.toString() }));
        assert.ok(
          (await x.createPermission(y.relayed!)).ok && (await y.createPermission(x.relayed!)).ok,
          "permissions towards a relay of our own",
        );
        const start = Date.now();
        x.send(y.relayed!, Buffer.from("there"));
        await until(
          "data arrive at the other relay's user",
          () =>
            got.some((g) => g.text === "there" && g.from.port === x.relayed!.port && g.from.host === x.relayed!.host),
          10,
          5,
        );
        delays.push(Date.now() - start);
        assert.ok((await y.channelBind(x.relayed!, 0x4001)).ok, "a channel towards it");
        y.sendChannel(0x4001, Buffer.from("and back"));
        await until("and back over a channel", () => got.some((g) => g.text === "and back"), 10, 5);
        await Promise.all(open.splice(0).map((c) => c.close()));
      }
    }
    measured(`${delays.length} pairs, from user to user through both relays in at most ${Math.max(...delays)} ms`);
  });

  it("private, local and cluster addresses are refused as peers, on every node", async () => {
    for (const n of nodes) {
      const c = await allocated(udp(n));
      const refused = (answer: Answer, what: string): void =>
        assert.ok(
          !answer.ok && [403, 443].includes(answer.code),
          `${n} towards ${what}: ${answer.ok ? "allowed" : answer.code}`,
        );
      for (const host of FORBIDDEN) {
        refused(await c.createPermission({ host, port: 53 }), host);
        refused(await c.channelBind({ host, port: 53 }, 0x4002), `${host}, by channel`);
      }
      // 443: an allocation for IPv4 has no way to an IPv6 peer at all (RFC 8656, 9.2).
      for (const host of FORBIDDEN_V6) refused(await c.createPermission({ host, port: 53 }), host);
    }
    measured(
      `${FORBIDDEN.length} IPv4 and ${FORBIDDEN_V6.length} IPv6 addresses: 403 (IPv6 also 443), permission and channel`,
    );
  });

  it("data towards a refused peer is not relayed", async () => {
    const socket = dgram.createSocket("udp4");
    const arrived: string[] = [];
    socket.on("message", (d) => arrived.push(d.toString()));
    // This machine is a neighbour of the nodes, as another server in the rack would be.
    await new Promise<void>((done) => socket.bind(0, "0.0.0.0", done));
    try {
      const target = { host: "10.77.0.1", port: socket.address().port };
      // The path must be open for other senders than the relay; otherwise silence would prove nothing.
      const probe = dgram.createSocket("udp4");
      probe.send("direct", target.port, target.host);
      await until("a direct datagram arrives", () => arrived.includes("direct"), 5);
      probe.close();
      for (const n of nodes) {
        const c = await allocated(udp(n));
        await c.createPermission(target);
        for (let i = 0; i < 5; i++) c.send(target, Buffer.from(`relayed by ${n}`));
      }
      await sleep(1500);
      assert.deepEqual(arrived, ["direct"]);
    } finally {
      socket.close();
    }
  });
});
