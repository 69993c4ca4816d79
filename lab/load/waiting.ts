/** Clients that wait for what is new, as apps do: each asks again as soon as it has an answer. */
import type { Asked, Client } from "./client";
import { POLL_MS } from "./model";
import { FILTER, MARK } from "./operations";
import type { Person } from "./people";

export type Way = "longPoll" | "sliding";

const q = encodeURIComponent;
const POSITION = { longPoll: /"next_batch":"([^"]+)"/, sliding: /"pos":"([^"]+)"/ };

/** Lists and extensions as Element X asks for them. */
const SLIDING = {
  conn_id: "main",
  lists: {
    all: { ranges: [[0, 19]], required_state: [["m.room.name", ""]], timeline_limit: 20 },
  },
  extensions: {
    to_device: { enabled: true },
    e2ee: { enabled: true },
    account_data: { enabled: true },
    receipts: { enabled: true },
    typing: { enabled: true },
  },
};

function asks(way: Way, token: string, at: string | undefined, presence: string): Asked {
  // A little longer than the server may wait.
  const seconds = POLL_MS / 1000 + 30,
    timeout = at === undefined ? 0 : POLL_MS;
  return way === "longPoll"
    ? {
        method: "GET",
        path: `/_matrix/client/v3/sync?timeout=${timeout}&set_presence=${presence}&filter=${FILTER}${at === undefined ? "" : `&since=${q(at)}`}`,
        token,
        seconds,
      }
    : {
        method: "POST",
        path: `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=${timeout}${at === undefined ? "" : `&pos=${q(at)}`}`,
        token,
        body: SLIDING,
        seconds,
      };
}

export class Waiting {
  /** Answers since the start, those without anything new as well. */
  answers = 0;
  failed = 0;
  /** Messages in them. */
  messages = 0;
  /** Milliseconds from when a message was due until it was here. */
  readonly deliveries: number[] = [];
  private stopped = false;
  private since = Infinity;
  private first: Array<Promise<void>> = [];

  /** @param presence What waiting says of the user; `offline` says nothing. */
  constructor(
    private readonly client: Client,
    private readonly presence: "online" | "offline" = "offline",
  ) {}

  /** Resolves when each has had its first answer. */
  async start(people: readonly Person[], way: Way): Promise<void> {
    this.since = Date.now();
    this.first = people.map((person) => new Promise((ready) => void this.loop(person, way, ready)));
    await Promise.all(this.first);
  }
  private async loop({ token }: Person, way: Way, ready: () => void): Promise<void> {
    for (let at: string | undefined; !this.stopped;) {
      const answer = await this.client.ask(asks(way, token, at, this.presence));
      if (this.stopped) break;
      const text = answer.status === 200 ? answer.body.toString() : "",
        next = POSITION[way].exec(text)?.[1];
      if (next === undefined) {
        this.failed += 1;
        await new Promise((done) => setTimeout(done, 1000));
        continue;
      }
      if (at === undefined) ready();
      else this.note(text);
      at = next;
    }
    ready();
  }
  private note(text: string): void {
    this.answers += 1;
    const now = Date.now();
    for (const due of [...text.matchAll(MARK)].map((mark) => Number(mark[1]))) {
      // From before: Synapse keeps the answer to a first sync for two minutes, so the next one brings what came since.
      if (due < this.since) continue;
      this.messages += 1;
      this.deliveries.push(now - due);
    }
  }
  /** What they still wait for ends with the client's connections. */
  stop(): void {
    this.stopped = true;
  }
}
