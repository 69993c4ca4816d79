/**
 * An appservice gets every event once, whatever dies meanwhile: real Synapse processes of the stack, with PostgreSQL
 * and Redis.
 */
import assert from "node:assert/strict";
import * as http from "node:http";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tier } from "../../lab/common/tiers";
import { until } from "../../lab/common/until";
import { subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { Homeserver, type User } from "../../lab/real/homeserver";
import { GATEWAY, Network } from "../../lab/real/network";
import { runCheckJob } from "../../lab/real/synapse";
import { stopReader } from "../../lab/real/synapseReader";

// Once all is done: without it a run of this file alone would not end.
after(stopReader);

const SLOW_PORT = 9899;
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

describe("a registration in a Secret that exists", () => {
  const net = new Network();
  after(() => net.close());

  it("is read before a process gets it, which refuses another URL than that of the settings", async () => {
    const { config } = tier(100, {
      more: {
        appservices: [
          { id: "telegram", url: "http://bridge.example.net:29317", registrationSecret: { name: "telegram" } },
          { id: "puppets", receives: false, registrationSecret: { name: "puppets", key: "a.yaml" } },
        ],
      },
    });
    const subject = await subjectFor({ name: "100 CCU, registrations in Secrets", config });
    const checked = async (dir: string, telegram: string, puppets: string): ReturnType<typeof runCheckJob> => {
      const secret = (name: string, key: string, url: string): (typeof subject.objects)[number] => ({
        ...subject.objects.find((o) => o.kind === "Secret")!,
        name,
        namespace: "matrix",
        inputs: {
          stringData: {
            [key]: `id: ${name}\nurl: ${url}\nas_token: "${AS_TOKEN}-${name}"\nhs_token: "${HS_TOKEN}"\nsender_localpart: ${name}\nnamespaces: {}\n`,
          },
        },
      });
      return runCheckJob(path.join(net.dir, dir), subject, [
        ...subject.objects,
        secret("telegram", "registration.yaml", telegram),
        secret("puppets", "a.yaml", puppets),
      ]);
    };
    const right = await checked("right", "http://bridge.example.net:29317/", "null");
    assert.equal(right.status, 0, right.text);
    const wrong = await checked("wrong", "http://bridge.example.net:29318", "http://elsewhere.example.net");
    assert.equal(wrong.status, 1, wrong.text);
    assert.match(
      wrong.text,
      /BAD the registration of telegram has another url than its settings, which have http:\/\/bridge.example.net:29317$/m,
    );
    assert.match(wrong.text, /BAD the registration of puppets has another url than its settings, which have None$/m);
    assert.ok(!wrong.text.includes(AS_TOKEN));
  });
});

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

  it("are read by Synapse before a process gets them, which refuses what would keep it from starting", async () => {
    const { subject } = server;
    const right = await runCheckJob(path.join(net.dir, "check"), subject, subject.objects);
    assert.equal(right.status, 0, right.text);
    assert.match(right.text, /ok 2 appservices/);
    const spoilt = structuredClone(
      subject.objects.map(({ kind, name, namespace, inputs }) => ({ kind, name, namespace, inputs })),
    );
    const secret = spoilt.find((o) => /^synapse-appservices-/.test(o.name))!;
    secret.inputs.stringData["heisenbridge.yaml"] = secret.inputs.stringData["heisenbridge.yaml"].replace(
      "@irc_.*",
      "@irc_(",
    );
    const wrong = await runCheckJob(path.join(net.dir, "wrong"), subject, spoilt as typeof subject.objects);
    assert.equal(wrong.status, 1, wrong.text);
    assert.match(wrong.text, /BAD .*heisenbridge[.]yaml/);
    assert.ok(!wrong.text.includes(AS_TOKEN));
  });

  it("get each event once when their sender is killed with one on its way and others behind it", async () => {
    const room = await roomWith("slow");
    slow.hangsOn = "on its way";
    const sent = ["on its way", ...Array.from({ length: 9 }, (_, i) => `behind it ${i}`)];
    await server.send(alice, room, sent[0]!, "0");
    await until("the first event", 60, () => (slow.events.includes(sent[0]!) ? undefined : "it is not there"), 0.2);
    await Promise.all(sent.slice(1).map((body, i) => server.send(alice, room, body, String(i + 1))));
    // Synapse has taken all of them in: its position is that of the newest event.
    await server.database.untilTrue(
      "select stream_ordering >= (select max(stream_ordering) from events) from appservice_stream_position",
    );
    await server.kill("synapse-appservice-0");
    slow.hangsOn = undefined;
    const before = slow.transactions;
    await server.again("synapse-appservice-0");
    // No other event follows.
    await arrived(sent);
    // The one that was on its way, and one for all that were behind it; typing notices and the like may be more.
    assert.ok(slow.transactions - before <= 5, `${slow.transactions - before} transactions for ${sent.length} events`);
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
    await until(
      `${sent.length} events`,
      60,
      () => {
        const lost = sent.filter((body) => !mine().includes(body));
        return lost.length === 0 ? undefined : `lost: ${lost.join(", ")}`;
      },
      0.2,
    );
    await sleep(5000);
    assert.deepEqual(
      mine().filter((body, i, all) => all.indexOf(body) !== i),
      [],
      "sent twice",
    );
  }
});
