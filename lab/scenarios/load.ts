/**
 * A steady client load through the announced address, TLS verified. Afterwards it knows which messages were
 * acknowledged and which arrived.
 */
import * as crypto from "node:crypto";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { adminRequest, type Access } from "../local/access";

/**
 * One send in all per this many milliseconds, by the users in turn, each into a room of its own. Five a second filled
 * two cores on their own (load 35 before any failure): then the machine was measured, not the stack.
 */
const SEND_EVERY = 500;
/** A client gives up a request after this long, and tries once more with the same transaction id. */
const ATTEMPT_SECONDS = 30;
/** The pause of clients before the second try; matrix-js-sdk waits 1, 2, 4, 8 s and so on, and tries four times. */
export const RETRY_AFTER_SECONDS = 5;
const USERS = 4;
/** Limit of events that a user reads per room at once: more than are sent while a node is lost. */
const TIMELINE = encodeURIComponent(
  JSON.stringify({ room: { timeline: { limit: 100 } }, presence: { not_types: ["*"] } }),
);
/** If the rooms are not readable again within this time, it counts as a loss. */
const ANSWER_SECONDS = 180;
/** A stuck /sync answers in time and without an error, but brings nothing: acknowledged messages must arrive. */
const DELIVERY_SECONDS = 60;
/** The load flows if every room had an acknowledgement in this many seconds. On two cores an answer may take five. */
export const FLOWING_SECONDS = 8;
/** How long the load continues at the end if some room has not been answered lately. */
const RECOVERY_SECONDS = 60;

export interface Send {
  room: number;
  sent: number;
  done: number;
  eventId?: string;
  body: string;
  firstFailure?: string;
  secondFailure?: string;
}

export interface Figures {
  sends: number;
  /** Milliseconds between two of them. */
  every: number;
  /** Longest time without any acknowledgement, seconds; and without one in a room. */
  gap: number;
  /** Its start, seconds after the cause. */
  gapFrom: number;
  roomGap: number;
  roomGapFrom: number;
  failedFirst: number;
  failedAfterRetry: number;
  kinds: Record<string, number>;
  /** Those of the second tries; absent in rows from before it was counted. */
  kindsAfterRetry?: Record<string, number>;
  slowest: number;
  lost: number;
  doubled: number;
  /**
   * Rooms whose last acknowledged message had not reached the reader's /sync `DELIVERY_SECONDS` after the last send;
   * absent in rows from before it was asserted.
   */
  undelivered?: number;
  /** From the send to its arrival in the reader's /sync, seconds. */
  deliveryMedian: number;
  deliveryLongest: number;
  syncErrors: number;
  baselineMedian: number;
}

const median = (x: number[]): number => (x.length ? [...x].sort((a, b) => a - b)[Math.floor(x.length / 2)]! : 0);
const round = (x: number): number => Math.round(x * 10) / 10;

export interface Reply {
  status: number;
  body: any;
  error?: string;
}
interface Attempt {
  /** Time-out. */ seconds?: number;
  host?: string;
}

export class Client {
  private readonly agent: https.Agent;
  constructor(
    private readonly a: Access,
    readonly userId: string,
    readonly token: string,
    keepAlive = true,
  ) {
    this.agent = new https.Agent({ keepAlive, ca: a.ca });
  }

  static async register(a: Access, name: string): Promise<Client> {
    const user = await adminRequest(a, name, crypto.randomBytes(12).toString("base64url"), false);
    return new Client(a, user.user_id, user.access_token);
  }

  /** Never throws: here, a failure is a result. */
  call(
    method: string,
    target: string,
    body?: unknown,
    { seconds = ATTEMPT_SECONDS, host = this.a.hostnames.homeserver! }: Attempt = {},
  ): Promise<Reply> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const end = (r: Reply): void => {
        clearTimeout(timer);
        resolve(r);
      };
      const raw = Buffer.isBuffer(body);
      const req = https.request(
        {
          host: this.a.address,
          servername: host,
          port: 443,
          method,
          path: target,
          agent: this.agent,
          headers: {
            Host: host,
            Authorization: `Bearer ${this.token}`,
            ...(body === undefined ? {} : { "content-type": raw ? "application/octet-stream" : "application/json" }),
          },
        },
        (res) => {
          const chunks: Buffer[] = [];
          res.on("data", (c) => chunks.push(c));
          res.on("error", (e) => end({ status: 0, body: undefined, error: e.message }));
          res.on("end", () => {
            const all = Buffer.concat(chunks);
            if (!String(res.headers["content-type"]).includes("json"))
              return end({ status: res.statusCode ?? 0, body: all });
            try {
              end({ status: res.statusCode ?? 0, body: JSON.parse(all.toString()) });
            } catch {
              end({ status: 0, body: undefined, error: "cut off" });
            }
          });
        },
      );
      timer = setTimeout(() => req.destroy(new Error(`no answer in ${seconds} s`)), seconds * 1000);
      req.on("error", (e: any) => end({ status: 0, body: undefined, error: e.code ?? e.message }));
      req.end(body === undefined ? undefined : raw ? body : JSON.stringify(body));
    });
  }

  async must(method: string, target: string, body?: unknown, host?: string): Promise<any> {
    let r: Reply = { status: 0, body: undefined };
    for (let i = 0; i < 5; i++) {
      r = await this.call(method, target, body, { seconds: 60, host });
      if (r.status === 200) return r.body;
      await sleep(2000);
    }
    throw new Error(`${method} ${target}: ${r.status} ${r.error ?? JSON.stringify(r.body)}`);
  }

  close(): void {
    this.agent.destroy();
  }
}

const q = encodeURIComponent;

/**
 * The longest time without an acknowledgement between the cause and the last send, in milliseconds, and where it began
 * after the cause. A later acknowledgement does not end a gap: no client was sending any more, so one slow answer would
 * count as an outage of all. Pure.
 */
export function longestGap(
  acknowledged: readonly number[],
  cause: number,
  stopped: number,
): { gap: number; from: number } {
  const times = [
    cause,
    ...acknowledged.filter((t) => t > cause && t < stopped).sort((x, y) => x - y),
    Math.max(cause, stopped),
  ];
  return times
    .slice(1)
    .map((t, i) => ({ gap: t - times[i]!, from: times[i]! - cause }))
    .reduce((most, g) => (g.gap > most.gap ? g : most), { gap: 0, from: 0 });
}

/** Users and rooms are created once; each run of the load is between `start` and `finish`. */
export class Load {
  private sends: Send[] = [];
  private readonly pending = new Set<Promise<void>>();
  private readonly seen = new Map<string, number>();
  private syncErrors = 0;
  private stopped = false;
  private finished = false;
  private runs = 0;
  private started = 0;
  private loops: Promise<void>[] = [];

  private constructor(
    private readonly senders: Client[],
    private readonly rooms: string[],
    private readonly reader: Client,
  ) {}

  static async make(a: Access, admin: Client): Promise<Load> {
    const run = crypto.randomBytes(4).toString("hex");
    const senders: Client[] = [];
    for (let i = 0; i < USERS; i++) senders.push(await Client.register(a, `load-${run}-${i}`));
    const reader = await Client.register(a, `load-${run}-reader`);
    // The limit per user is the server's protection against exactly this; it is lifted only for these users.
    for (const s of senders)
      await admin.must(
        "POST",
        `/_synapse/admin/v1/users/${q(s.userId)}/override_ratelimit`,
        { messages_per_second: 0, burst_count: 0 },
        a.hostnames.admin,
      );
    const rooms: string[] = [];
    for (const s of senders) {
      const { room_id } = await s.must("POST", "/_matrix/client/v3/createRoom", {
        preset: "private_chat",
        invite: [reader.userId],
      });
      await reader.must("POST", `/_matrix/client/v3/join/${q(room_id)}`, {});
      rooms.push(room_id);
    }
    return new Load(senders, rooms, reader);
  }

  start(): void {
    this.sends = [];
    this.seen.clear();
    this.syncErrors = 0;
    this.stopped = false;
    this.finished = false;
    this.runs++;
    this.started = Date.now();
    this.loops = [this.send(), this.read()];
  }

  private async send(): Promise<void> {
    const started = Date.now();
    for (let i = 0; !this.stopped; i++) {
      const p = this.one(i);
      this.pending.add(p);
      void p.finally(() => this.pending.delete(p));
      await sleep(Math.max(0, started + (i + 1) * SEND_EVERY - Date.now()));
    }
  }

  private async one(i: number): Promise<void> {
    const room = i % this.rooms.length;
    const record: Send = { room, sent: Date.now(), done: 0, body: `message ${this.runs}-${i}` };
    this.sends.push(record);
    const target = `/_matrix/client/v3/rooms/${q(this.rooms[room]!)}/send/m.room.message/t${this.runs}-${i}`;
    for (const attempt of ["firstFailure", "secondFailure"] as const) {
      const r = await this.senders[room]!.call("PUT", target, { msgtype: "m.text", body: record.body });
      if (r.status === 200) {
        record.eventId = r.body.event_id;
        break;
      }
      record[attempt] = r.error ?? String(r.status);
      if (attempt === "firstFailure") await sleep(RETRY_AFTER_SECONDS * 1000);
    }
    record.done = Date.now();
  }

  /**
   * A failed /sync is counted and repeated, the first one too: in the middle of an outage, the reader waits as clients
   * do.
   */
  private async read(): Promise<void> {
    let since: string | undefined;
    while (!this.finished) {
      const position = since === undefined ? "timeout=0" : `timeout=${this.stopped ? 1000 : 5000}&since=${q(since)}`;
      const r = await this.reader.call("GET", `/_matrix/client/v3/sync?${position}&filter=${TIMELINE}`);
      if (r.status !== 200 || !r.body?.next_batch) {
        this.syncErrors++;
        await sleep(500);
        continue;
      }
      since = r.body.next_batch;
      for (const room of Object.values<any>(r.body.rooms?.join ?? {}))
        for (const e of room.timeline?.events ?? [])
          if (!this.seen.has(e.event_id)) this.seen.set(e.event_id, Date.now());
    }
  }

  /** Acknowledgements in the last `seconds`: true when each room had at least one. */
  flowing(seconds: number): boolean {
    const from = Date.now() - seconds * 1000;
    const rooms = new Set(this.sends.filter((s) => s.eventId && s.done > from && s.sent > from).map((s) => s.room));
    return rooms.size === this.rooms.length;
  }

  acknowledgedSince(time: number): boolean {
    return this.sends.some((s) => s.eventId && s.done > time);
  }

  sofar(): { sends: number; failedFirst: number } {
    return { sends: this.sends.length, failedFirst: this.sends.filter((s) => s.firstFailure).length };
  }

  /** Figures for a period, after `finish`. */
  between(from: number, to: number): { gap: number; sends: number; failedAfterRetry: number } {
    const sent = this.sends.filter((s) => s.sent >= from && s.sent < to);
    const done = [
      from,
      ...this.sends
        .filter((s) => s.eventId && s.done > from && s.done < to)
        .map((s) => s.done)
        .sort((x, y) => x - y),
      to,
    ];
    return {
      gap: Math.max(...done.slice(1).map((t, i) => t - done[i]!)) / 1000,
      sends: sent.length,
      failedAfterRetry: sent.filter((s) => s.secondFailure).length,
    };
  }

  /** Every message of this run in the rooms, by event id. */
  private async stored(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const [i, room] of this.rooms.entries()) {
      for (let from = ""; ;) {
        // The server may still be recovering; acknowledged messages are looked up once it answers.
        const target = `/_matrix/client/v3/rooms/${q(room)}/messages?dir=b&limit=500${from}`;
        let page: any;
        for (const end = Date.now() + ANSWER_SECONDS * 1000; !page;) {
          const reply = await this.senders[i]!.call("GET", target);
          if (reply.status === 200) page = reply.body;
          else if (Date.now() > end)
            throw new Error(`GET ${target}: ${reply.error ?? reply.status} for ${ANSWER_SECONDS} s`);
          else await sleep(2000);
        }
        for (const e of page.chunk) if (e.type === "m.room.message") found.set(e.event_id, e.content.body);
        // This machine and the server share one clock; a minute allows for requests in flight.
        if (!page.end || page.chunk.at(-1)?.origin_server_ts < this.started - 60_000) break;
        from = `&from=${q(page.end)}`;
      }
    }
    return found;
  }

  async finish(cause: number): Promise<Figures> {
    // Not in the middle of an outage: its end would not be seen.
    for (const end = Date.now() + RECOVERY_SECONDS * 1000; !this.flowing(FLOWING_SECONDS) && Date.now() < end;)
      await sleep(250);
    this.stopped = true;
    const stopped = Date.now();
    await Promise.all([...this.pending, this.loops[0]]);
    const awaited = (): number =>
      this.rooms.filter((_, room) => {
        const last = this.sends.filter((s) => s.room === room && s.eventId).at(-1);
        return last && !this.seen.has(last.eventId!);
      }).length;
    for (const end = Date.now() + DELIVERY_SECONDS * 1000; awaited() && Date.now() < end;) await sleep(250);
    const undelivered = awaited();
    this.finished = true;
    await Promise.all(this.loops);
    const acknowledged = this.sends.filter((s) => s.eventId);
    // A reader that lags behind does not show the latest messages yet: missing ones are looked up again.
    let stored = new Map<string, string>(),
      lost: Send[] = [];
    for (const end = Date.now() + DELIVERY_SECONDS * 1000; ; await sleep(3000)) {
      stored = await this.stored();
      lost = acknowledged.filter((s) => stored.get(s.eventId!) !== s.body);
      if (!lost.length || Date.now() > end) break;
    }
    for (const s of lost)
      console.error(
        `lost: ${s.body} in ${this.rooms[s.room]}, acknowledged as ${s.eventId} at ${new Date(s.done).toISOString()}`,
      );
    const bodies = new Map<string, number>();
    for (const body of stored.values()) bodies.set(body, (bodies.get(body) ?? 0) + 1);
    // The next run opens its own connections, as clients do after a pause.
    for (const c of [...this.senders, this.reader]) c.close();
    const longest = (list: Send[]): { gap: number; from: number } => {
      const { gap, from } = longestGap(
        list.map((s) => s.done),
        cause,
        stopped,
      );
      return { gap: gap / 1000, from: from / 1000 };
    };
    const all = longest(acknowledged);
    const room = this.rooms
      .map((_, r) => longest(acknowledged.filter((s) => s.room === r)))
      .reduce((most, g) => (g.gap > most.gap ? g : most));
    const delivery = acknowledged
      .filter((s) => this.seen.has(s.eventId!))
      .map((s) => (this.seen.get(s.eventId!)! - s.sent) / 1000);
    const kindsOf = (failures: Array<string | undefined>): Record<string, number> => {
      const kinds: Record<string, number> = {};
      for (const f of failures) if (f) kinds[f] = (kinds[f] ?? 0) + 1;
      return kinds;
    };
    return {
      sends: this.sends.length,
      every: SEND_EVERY,
      gap: round(all.gap),
      gapFrom: round(all.from),
      roomGap: round(room.gap),
      roomGapFrom: round(room.from),
      failedFirst: this.sends.filter((s) => s.firstFailure).length,
      failedAfterRetry: this.sends.filter((s) => s.secondFailure).length,
      kinds: kindsOf(this.sends.map((s) => s.firstFailure)),
      kindsAfterRetry: kindsOf(this.sends.map((s) => s.secondFailure)),
      slowest: round(Math.max(...acknowledged.map((s) => s.done - s.sent)) / 1000),
      lost: lost.length,
      doubled: [...bodies.values()].filter((n) => n > 1).length,
      undelivered,
      deliveryMedian: Math.round(median(delivery) * 100) / 100,
      deliveryLongest: round(Math.max(0, ...delivery)),
      syncErrors: this.syncErrors,
      baselineMedian: Math.round(median(acknowledged.filter((s) => s.done < cause).map((s) => s.done - s.sent))) / 1000,
    };
  }
}
