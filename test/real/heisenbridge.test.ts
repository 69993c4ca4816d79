/**
 * heisenbridge between a real Synapse of the stack, with its worker processes, and a real IRC server: messages arrive
 * once and in their order while the sender to appservices, an event persister and PostgreSQL are killed.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { tier } from "../../lab/common/tiers";
import { until } from "../../lab/common/until";
import { subjectFor } from "../../lab/real/configurations";
import { count, note } from "../../lab/real/counts";
import { Homeserver, type User } from "../../lab/real/homeserver";
import { Bridge, IrcPerson, ircServer, IRC_PORT } from "../../lab/real/irc";
import { Network, nextAddress } from "../../lab/real/network";

const CHANNEL = "#town";

describe("heisenbridge", function () {
  this.timeout(1_200_000);
  let net: Network, server: Homeserver, alice: User, bridge: Bridge, carol: IrcPerson, room: string;

  before(async () => {
    net = await new Network().start();
    const { config } = tier(100, {
      more: {
        appservices: [
          {
            id: "heisenbridge",
            pods: { namespace: "bridges", labels: { app: "heisenbridge" }, port: 9898, service: "heisenbridge" },
            senderLocalpart: "heisenbridge",
            namespaces: { users: [{ regex: "@irc_.*:example\\.org" }] },
            rateLimited: false,
          },
        ],
        rateLimits: { messages: { perSecond: 1000, burst: 1000 } },
      },
    });
    const irc = await ircServer(net);
    const ip = nextAddress();
    net.dns.a.set("heisenbridge.bridges.svc.cluster.local", [ip]);
    server = await new Homeserver(net, await subjectFor({ name: "100 CCU, heisenbridge", config })).start();
    alice = await server.user("alice");
    const secret = server.subject.objects.find((o) => o.kind === "Secret" && /^synapse-appservices-/.test(o.name))!;
    const registration = server.secretOf(secret.name, "heisenbridge.yaml");
    bridge = await new Bridge(net, { ip, registration, homeserver: server.url }).start();
    carol = await new IrcPerson(irc, "carol", CHANNEL).start();
    room = await opened(irc);
  });
  after(async () => {
    carol?.close();
    await net.close();
  });

  const at = (id: string): string => `/_matrix/client/v3/rooms/${encodeURIComponent(id)}`;
  const bot = (): string => `@heisenbridge:${server.subject.settings.serverName}`;
  interface Event {
    sender: string;
    type: string;
    content: { body?: string; membership?: string };
  }
  /** The newest messages of a room, in their order. */
  async function events(id: string): Promise<Event[]> {
    const { chunk } = await server.ask("GET", `${at(id)}/messages?dir=b&limit=500`, alice);
    return (chunk as Event[]).reverse();
  }
  let sent = 0;
  const say = (id: string, body: string): Promise<unknown> => server.send(alice, id, body, `t${(sent += 1)}`);

  /** Says something to the bridge, and waits for what it answers. */
  async function told(id: string, command: string, answer: RegExp): Promise<void> {
    const before = (await events(id)).length;
    await say(id, command);
    await until(`an answer to ${command}`, 120, async () => {
      const answers = (await events(id)).slice(before).filter((e) => e.sender === bot());
      return answers.some((e) => answer.test(e.content.body ?? "")) ? undefined : JSON.stringify(answers.slice(-5));
    });
  }
  let since = "";
  /** Accepts the next invitation; the room. Each question begins where the last ended: Synapse keeps its answers. */
  async function invited(): Promise<string> {
    let id: string | undefined;
    await until("an invitation", 120, async () => {
      const { rooms, next_batch } = await server.ask("GET", `/_matrix/client/v3/sync${since}`, alice);
      since = `?since=${next_batch}`;
      [id] = Object.keys(rooms?.invite ?? {});
      return id ? undefined : bridge.log.slice(-1500);
    });
    await server.ask("POST", `/_matrix/client/v3/join/${encodeURIComponent(id!)}`, alice, {});
    return id!;
  }
  /** Alice opens a network and joins a channel, as a person does; the channel's room. */
  async function opened(irc: string): Promise<string> {
    const { room_id: control } = await server.ask("POST", "/_matrix/client/v3/createRoom", alice, {
      preset: "trusted_private_chat",
      is_direct: true,
      invite: [bot()],
    });
    await until("the control room", 120, async () =>
      (await events(control)).some((e) => e.sender === bot() && e.type === "m.room.message")
        ? undefined
        : bridge.log.slice(-1500),
    );
    await told(control, "ADDNETWORK corp", /network/i);
    await told(control, `ADDSERVER corp ${irc} ${IRC_PORT}`, /server/i);
    await say(control, "OPEN corp");
    const network = await invited();
    await told(network, "NICK alice", /nick/i);
    await told(network, "CONNECT", /Welcome to the/);
    await say(network, `JOIN ${CHANNEL}`);
    const channel = await invited();
    await until("alice on IRC", 60, () => (carol.present.has("alice") ? undefined : "not there"));
    return channel;
  }

  const heard = (prefix: string): string[] =>
    carol.heard.filter((m) => m.nick === "alice" && m.text.startsWith(prefix)).map((m) => m.text);
  /** The bridge joins what is said within a second to one message of several lines. */
  const written = async (prefix: string): Promise<string[]> =>
    (await events(room))
      .filter((e) => e.sender.startsWith("@irc_") && e.type === "m.room.message")
      .flatMap((e) => e.content.body!.split("\n"))
      .filter((line) => line.startsWith(prefix));

  const numbered = (prefix: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${prefix} ${i}`);

  /** All of it is on IRC, each once, in its order. */
  async function arrivedAtIrc(prefix: string, all: string[]): Promise<void> {
    await until(`${all.length} messages on IRC`, 240, () => {
      const lost = all.filter((body) => !heard(prefix).includes(body));
      return lost.length === 0 ? undefined : `missing: ${lost.join(", ")}`;
    });
    // A repeated one would come with the next, which goes the same way.
    await say(room, `${prefix}: the end`);
    await until("the last message on IRC", 120, () =>
      heard(`${prefix}: the end`).length > 0 ? undefined : "not there",
    );
    assert.deepEqual(heard(`${prefix} `), all);
  }

  it("carries what is said in either direction, once and in order", async () => {
    const mine = numbered("from Matrix", 8),
      theirs = numbered("from IRC", 8);
    for (const body of mine) await say(room, body);
    for (const body of theirs) carol.say(body);
    await arrivedAtIrc("from Matrix", mine);
    await until("messages of IRC", 120, async () =>
      (await written("from IRC")).length >= theirs.length ? undefined : (await written("from IRC")).join(", "),
    );
    assert.deepEqual(await written("from IRC"), theirs);
    count("messages over heisenbridge, each once and in order", mine.length + theirs.length);
  });

  interface Loss {
    what: string;
    prefix: string;
    kill(): Promise<void>;
    again(): Promise<void>;
    /** Whether Synapse takes messages in while it is away. */
    takesIn: boolean;
  }
  const processOf = (what: string, prefix: string, name: () => string, takesIn: boolean): Loss => ({
    what,
    prefix,
    kill: () => server.kill(name()),
    again: () => server.again(name()),
    takesIn,
  });
  const LOSSES: Loss[] = [
    processOf("the process that sends to appservices", "appservice", () => "synapse-appservice-0", true),
    processOf(
      "an event persister",
      "persister",
      () => [...server.processes.keys()].find((n) => n.startsWith("synapse-event-persister-"))!,
      false,
    ),
    {
      what: "PostgreSQL",
      prefix: "postgres",
      kill: () => server.database.kill(),
      again: async () => {
        await server.database.start();
        // A process that ended meanwhile is started by its kubelet.
        for (const [name, { running }] of server.processes) if (running.exit !== undefined) await server.again(name);
      },
      takesIn: false,
    },
  ];

  for (const { what, prefix, kill, again, takesIn } of LOSSES)
    it(`loses nothing that Synapse took in, and doubles nothing, while ${what} is killed`, async () => {
      const mine = numbered(`${prefix} m`, 9),
        theirs = numbered(`${prefix} i`, 9);
      const both = async (from: number, to: number): Promise<void> => {
        for (let i = from; i < to; i += 1) {
          carol.say(theirs[i]!);
          await say(room, mine[i]!);
        }
      };
      await both(0, 3);
      await kill();
      const during = both(3, 6);
      if (takesIn) await during;
      else await sleep(3000); // the requests of those who send are under way, and unanswered
      await again();
      await during;
      await both(6, 9);
      await arrivedAtIrc(`${prefix} m`, mine);

      // The last one of IRC arrives, and so all before it that will.
      await until("the last message of IRC", 240, async () => {
        carol.say(`${prefix} end`);
        await sleep(1000);
        return (await written(`${prefix} end`)).length > 0 ? undefined : bridge.log.slice(-1500);
      });
      const there = await written(`${prefix} i`);
      const acknowledged = bridge.acknowledged().filter((line) => line.startsWith(`${prefix} i`));
      assert.deepEqual(
        there,
        theirs.filter((line) => there.includes(line)),
        "once and in order",
      );
      assert.deepEqual(
        acknowledged.filter((line) => !there.includes(line)),
        [],
        "acknowledged to the bridge, and lost",
      );
      const given = theirs.filter((line) => !there.includes(line));
      // The bridge repeats no request: what failed is in its log.
      if (given.length > 0) {
        assert.match(bridge.log, /Queued event failed/);
        note(`heisenbridge gave up ${given.length} of ${theirs.length} messages from IRC while ${what} was away`);
      }
      count("messages over heisenbridge, each once and in order", mine.length + there.length);
    });
});
