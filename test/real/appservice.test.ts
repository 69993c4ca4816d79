/**
 * An appservice gets every event once, whatever dies meanwhile: real Synapse processes of the stack, and real
 * heisenbridge with an IRC server.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tier } from "../../lab/common/tiers";
import { subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { Homeserver, type User } from "../../lab/real/homeserver";
import { IrcUser } from "../../lab/real/irc";
import { GATEWAY, Network, nextAddress, type Running } from "../../lab/real/network";
import { HEISENBRIDGE_PYTHON } from "../../lab/real/programs";

const SLOW_PORT = 9899,
  IRC_PORT = 6667;
const AS_TOKEN = "as-token-of-the-slow-appservice-0123456789",
  HS_TOKEN = "hs-token-of-the-slow-appservice-0123456789";

/** An appservice that notes what it gets. A transaction of a known number counts once, as the specification asks. */
class SlowAppservice {
  readonly events: string[] = [];
  transactions = 0;
  /** The transaction with this text is answered so late that its sender gives up. */
  hangsOn?: string;
  private readonly known = new Set<string>();
  private readonly server = http.createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void this.take(request, Buffer.concat(chunks).toString()).then((status) => {
        answer.writeHead(status, { "content-type": "application/json" }).end("{}");
      });
    });
  });

  private async take(request: http.IncomingMessage, body: string): Promise<number> {
    if (request.headers.authorization !== `Bearer ${HS_TOKEN}`) return 403;
    const number = /\/_matrix\/app\/v1\/transactions\/(\d+)$/.exec(request.url!)?.[1];
    if (number === undefined) return 404;
    this.transactions += 1;
    if (!this.known.has(number)) {
      this.known.add(number);
      for (const event of JSON.parse(body).events)
        if (event.type === "m.room.message") this.events.push(event.content.body);
    }
    if (this.hangsOn !== undefined && body.includes(this.hangsOn)) await sleep(90_000);
    return 200;
  }
  listen = (): Promise<void> => new Promise((done) => this.server.listen(SLOW_PORT, GATEWAY, done));
  close = (): void => {
    this.server.closeAllConnections();
    this.server.close();
  };
}

const until = async (what: string, seconds: number, ready: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + seconds * 1000; !(await ready()); await sleep(200))
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
};

describe("appservices", function () {
  this.timeout(900_000);
  let net: Network, server: Homeserver, alice: User;
  const slow = new SlowAppservice();

  before(async () => {
    net = await new Network().start();
    await slow.listen();
    const { config } = tier(100, {
      more: {
        appservices: [
          {
            id: "slow",
            url: `http://${GATEWAY}:${SLOW_PORT}`,
            senderLocalpart: "slow",
            asToken: AS_TOKEN,
            hsToken: HS_TOKEN,
            rateLimited: false,
          },
          {
            id: "heisenbridge",
            pods: { namespace: "bridges", labels: { app: "heisenbridge" }, port: 9898, service: "heisenbridge" },
            senderLocalpart: "heisenbridge",
            namespaces: { users: [{ regex: "@irc_.*" }] },
            rateLimited: false,
          },
        ],
      },
    });
    server = await new Homeserver(net, await subjectFor({ name: "100 CCU, appservices", config })).start();
    alice = await server.user("alice");
  });
  after(async () => {
    slow.close();
    await net.close();
  });

  it("get each event once when their sender is killed with one on its way and others behind it", async () => {
    const room = await roomWith("slow");
    slow.hangsOn = "on its way";
    const sent = ["on its way", ...Array.from({ length: 9 }, (_, i) => `behind it ${i}`)];
    await server.send(alice, room, sent[0]!, "0");
    await until("the first event", 60, () => slow.events.includes(sent[0]!));
    await Promise.all(sent.slice(1).map((body, i) => server.send(alice, room, body, String(i + 1))));
    // Synapse has taken all of them in: its position is that of the newest event.
    await server.database.untilTrue(
      "select stream_ordering >= (select max(stream_ordering) from events) from appservice_stream_position",
    );
    await server.kill("synapse-appservice-0");
    slow.hangsOn = undefined;
    await server.again("synapse-appservice-0");
    // No other event follows.
    await arrived(sent);
    count("events of which an appservice got each once while its sender was killed", sent.length);
  });

  it("get each event once while the event persisters are killed", async () => {
    const room = await roomWith("slow");
    const persisters = [...server.processes.keys()].filter((n) => n.startsWith("synapse-event-persister-"));
    const sent = await sendWhile(room, "persister", 12, async () => {
      for (const name of persisters) {
        await server.kill(name);
        await sleep(1000);
        await server.again(name);
      }
    });
    await arrived(sent);
    count("events of which an appservice got each once while an event persister was killed", sent.length);
  });

  it("bridge IRC both ways while their sender, an event persister and PostgreSQL's primary go, one after the other", async () => {
    const { bob, room } = await ircChannel();
    const failures: Array<[what: string, happens: () => Promise<void>]> = [
      ["nothing fails", () => sleep(500)],
      ["the sender is killed", () => killed("synapse-appservice-0")],
      ["an event persister is killed", () => killed("synapse-event-persister-0")],
      ["the primary changes", () => server.changePrimary()],
    ];
    for (const [what, happens] of failures) {
      const texts = Array.from({ length: 8 }, (_, i) => `${what} ${i}`);
      const toIrc = texts.map((t) => `to irc, ${t}`),
        fromIrc = texts.map((t) => `from irc, ${t}`);
      const talk = async (): Promise<void> => {
        for (const [i, text] of toIrc.entries()) {
          bob.say(fromIrc[i]!);
          await server.send(alice, room, text, encodeURIComponent(text));
          await sleep(300);
        }
      };
      await Promise.all([talk(), sleep(700).then(happens)]);
      const heard = (): string[] => bob.heard.filter((t) => toIrc.includes(t));
      await until(`in IRC, ${what}`, 90, () => new Set(heard()).size === toIrc.length).catch((error: Error) => {
        throw new Error(`${error.message}: of ${toIrc.join("; ")} only ${heard().join("; ")}`);
      });
      await until(`in Matrix, ${what}`, 90, async () => {
        const there = new Set(await bodiesIn(room));
        return fromIrc.every((t) => there.has(t));
      });
      await sleep(3000);
      assert.deepEqual(heard().sort(), [...toIrc].sort(), "each once in IRC");
      const inMatrix = (await bodiesIn(room)).filter((t) => fromIrc.includes(t));
      assert.deepEqual(inMatrix.sort(), [...fromIrc].sort(), "each once in Matrix");
      count("messages between Matrix and IRC, each once while something failed", 2 * texts.length);
    }
    bob.end();
  });

  const killed = async (name: string): Promise<void> => {
    await server.kill(name);
    await sleep(1000);
    await server.again(name);
  };

  /** What is said in a room. */
  async function bodiesIn(room: string): Promise<string[]> {
    const at = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=500`;
    const { chunk } = await server.ask("GET", at, alice);
    return chunk.filter((e: any) => e.type === "m.room.message").map((e: any) => e.content.body);
  }

  /** A channel of an IRC server with bob in it, and its room with alice, as heisenbridge makes it when asked. */
  async function ircChannel(): Promise<{ bob: IrcUser; room: string }> {
    const ip = nextAddress(),
      netns = net.namespace(ip);
    const irc = net.spawn(netns, `exec ${HEISENBRIDGE_PYTHON} -m irc.server -a 0.0.0.0 -p ${IRC_PORT}`, "irc");
    await irc.until(() => /Listening on/.test(irc.output));
    const registrations = server.subject.objects.find((o) => /^synapse-appservices-/.test(o.name))!;
    const file = path.join(net.dir, "heisenbridge.yaml");
    fs.writeFileSync(file, registrations.inputs.stringData["heisenbridge.yaml"]);
    net.dns.a.set(`heisenbridge.bridges.svc.${server.subject.settings.cluster.domain}`, [ip]);
    const bridge = net.spawn(
      netns,
      `exec ${HEISENBRIDGE_PYTHON} -m heisenbridge -v -c ${file} -l 0.0.0.0 -p 9898 -o ${alice.id} ${server.url}`,
      "heisenbridge",
    );
    await bridge.until(() => /bridge is now running/i.test(bridge.output), 120);
    const bob = new IrcUser(ip, IRC_PORT, "bob", "#chat");

    const bot = `@heisenbridge:${server.subject.settings.serverName}`;
    const { room_id: control } = await server.ask("POST", "/_matrix/client/v3/createRoom", alice, {
      preset: "trusted_private_chat",
      is_direct: true,
      invite: [bot],
    });
    let said = 0;
    const tell = (room: string, ...commands: string[]): Promise<void> =>
      commands.reduce(
        (before, command) =>
          before.then(async () => {
            await server.send(alice, room, command, `command-${(said += 1)}`);
            await sleep(1500);
          }),
        Promise.resolve(),
      );
    await until("the bot is in its room", 60, async () => {
      const { joined } = await server.ask(
        "GET",
        `/_matrix/client/v3/rooms/${encodeURIComponent(control)}/joined_members`,
        alice,
      );
      return bot in joined;
    });
    await tell(control, "addnetwork test", `addserver test ${ip} ${IRC_PORT}`, "open test");
    const network = await invitation(bridge);
    await tell(network, "nick alice", "connect");
    await irc.until(() => (irc.output.match(/Client connected/g) ?? []).length >= 2, 60);
    await sleep(5000);
    await tell(network, "join #chat");
    const room = await invitation(bridge);
    await until("alice is in the channel", 60, () => bob.joined.length > 0);
    return { bob, room };
  }

  let since = "";

  /** The room that alice is invited to, which she joins. */
  async function invitation(bridge: Running): Promise<string> {
    let room: string | undefined;
    await until("an invitation", 60, async () => {
      const { rooms, next_batch } = await server.ask("GET", `/_matrix/client/v3/sync?timeout=0${since}`, alice);
      // The same question is answered from a cache for two minutes.
      since = `&since=${next_batch}`;
      room = Object.keys(rooms?.invite ?? {})[0];
      return room !== undefined;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${bridge.output.slice(-3000)}`);
    });
    await server.ask("POST", `/_matrix/client/v3/join/${encodeURIComponent(room!)}`, alice, {});
    return room!;
  }

  /** A room with an appservice's own user in it. */
  async function roomWith(localpart: string): Promise<string> {
    const name = server.subject.settings.serverName;
    const { room_id: room } = await server.ask("POST", "/_matrix/client/v3/createRoom", alice, {
      preset: "public_chat",
    });
    const as = { id: `@${localpart}:${name}`, token: AS_TOKEN };
    await server.ask("POST", `/_matrix/client/v3/join/${encodeURIComponent(room)}`, as, {});
    return room;
  }

  /** Sends so many messages, five a second, and does something meanwhile; what was sent. */
  async function sendWhile(room: string, prefix: string, n: number, done: () => Promise<void>): Promise<string[]> {
    const bodies = Array.from({ length: n }, (_, i) => `${prefix} ${i}`);
    const sending = (async () => {
      for (const body of bodies) {
        await server.send(alice, room, body, encodeURIComponent(body));
        await sleep(200);
      }
    })();
    await Promise.all([sending, done()]);
    return bodies;
  }

  /** Everything is there, once; and nothing comes again. */
  async function arrived(sent: string[]): Promise<void> {
    const mine = (): string[] => slow.events.filter((body) => sent.includes(body));
    await until(`${sent.length} events`, 60, () => new Set(mine()).size === sent.length).catch((error: Error) => {
      throw new Error(`${error.message}; lost: ${sent.filter((body) => !mine().includes(body)).join(", ")}`);
    });
    await sleep(5000);
    assert.deepEqual(
      mine().filter((body, i, all) => all.indexOf(body) !== i),
      [],
      "sent twice",
    );
  }
});
