/** Writes numbered rows into the database of a data centre, one after the other, and knows which were acknowledged. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ENV, get, KUBECTL } from "../scenarios/cluster";
import { namespaceOf, type Name } from "./centres";

export const CLUSTER = "clusters.postgresql.cnpg.io";
export const NAME = "synapse-postgres";
/** Milliseconds between two rows: five a second, each its own transaction. */
const EVERY = 200;

export const statusOf = async (centre: Name): Promise<any> =>
  (await get(CLUSTER, NAME, "-n", namespaceOf(centre))).status ?? {};

/** A session of psql in the primary instance of a data centre. */
class Session {
  private readonly child: ChildProcessWithoutNullStreams;
  private waiting?: { resolve: (line: string) => void; reject: (error: Error) => void };

  constructor(centre: Name, pod: string) {
    this.child = spawn(
      KUBECTL,
      [
        "exec",
        "-i",
        "-n",
        namespaceOf(centre),
        pod,
        "-c",
        "postgres",
        "--",
        "psql",
        "-qAtX",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        "synapse",
      ],
      { env: ENV },
    );
    this.child.stdin.on("error", () => undefined);
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.waiting?.resolve(line);
      this.waiting = undefined;
    });
    this.child.on("close", () => this.waiting?.reject(new Error("the session has ended")));
  }
  /** The first line of the answer. */
  ask(sql: string, seconds: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer in ${seconds} s`)), seconds * 1000);
      const end =
        <T>(done: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(late);
          done(value);
        };
      this.waiting = { resolve: end(resolve), reject: end(reject) };
      if (this.child.exitCode !== null) this.waiting.reject(new Error("the session has ended"));
      else this.child.stdin.write(`${sql};\n`);
    });
  }
  end(): void {
    this.child.stdin.end();
    this.child.kill();
  }
}

export class Writer {
  /** Numbers that were acknowledged, and when. */
  readonly acknowledged = new Map<number, number>();
  private session?: Session;
  private stopped = false;
  private next = 1;
  private loop?: Promise<void>;

  /** @param centre Where the rows go; it may be changed at any time, as clients follow a name. */
  constructor(public centre: Name) {}

  start(): void {
    this.loop = this.run();
  }
  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
    this.session?.end();
  }

  private async run(): Promise<void> {
    let of: Name | undefined;
    while (!this.stopped) {
      await sleep(EVERY);
      if (of !== this.centre) this.forget();
      of = this.centre;
      const number = this.next++;
      try {
        this.session ??= new Session(of, (await statusOf(of)).currentPrimary);
        const answer = await this.session.ask(`insert into written values (${number}) returning number`, 10);
        if (answer === String(number)) this.acknowledged.set(number, Date.now());
      } catch {
        this.forget();
      }
    }
  }
  private forget(): void {
    this.session?.end();
    this.session = undefined;
  }

  /** The longest time without an acknowledgement since then, s. */
  longestGap(since: number): number {
    const times = [since, ...[...this.acknowledged.values()].filter((t) => t > since), Date.now()];
    return Math.max(...times.slice(1).map((t, i) => t - times[i]!)) / 1000;
  }
}
