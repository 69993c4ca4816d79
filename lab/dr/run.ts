/**
 * `npm run test:dr`: the databases of two data centres in the local cluster, moved as planned, lost, made anew. Needs
 * `npm run local`, and leaves it as it was.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, runMain } from "../../cli/arguments";
import { PROOF } from "../common/folders";
import { until } from "../common/until";
import { localConfig } from "../local/config";
import { clusterAilment, ENV, get, k, KUBECTL, run, sleep } from "../scenarios/cluster";
import {
  archivePlace,
  ARCHIVE_NAMESPACE,
  CENTRES,
  clusterOf,
  cut,
  namespaceOf,
  operatorReachesThem,
  surroundings,
  type Name,
  type Situation,
} from "./centres";
import { drPage, type Row } from "./page";
import { CLUSTER, NAME, statusOf, Writer } from "./writer";

const USAGE = `npm run test:dr [-- --no-record]
  Two databases as the stack renders them for two data centres, in two namespaces of the local cluster: a planned move and
  back, the loss of the primary, and its return. Takes a quarter of an hour; needs npm run local before it.
  --no-record  writes nothing into docs/proof`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const other = (centre: Name): Name => (centre === "dc1" ? "dc2" : "dc1");

class Rehearsal {
  private readonly lab = localConfig([]);
  private readonly password = randomBytes(24).toString("hex");
  private readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-dr-"));
  private readonly started = Date.now();
  private readonly writer = new Writer("dc1");
  private situation: Situation = { primary: "dc1" };
  readonly rows: Row[] = [];

  private say(what: string): void {
    print(`[${((Date.now() - this.started) / 1000).toFixed(0)} s] ${what}`);
  }
  /** By a file that only this user reads: there are passwords in it. */
  private async apply(objects: object[]): Promise<void> {
    const file = path.join(this.dir, "objects.json");
    fs.writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }), { mode: 0o600 });
    await run(
      KUBECTL,
      ["apply", "--server-side", "--force-conflicts", "--field-manager=matrix-ha-dr", "-f", file],
      ENV,
    );
  }
  /** What `up` does in the stack of a data centre. */
  private deploy(centre: Name, situation: Situation): Promise<void> {
    return this.apply([clusterOf(this.lab, centre, situation)]);
  }
  private async sql(centre: Name, sql: string, database = "synapse"): Promise<string> {
    const { currentPrimary } = await statusOf(centre);
    const args = [
      "-n",
      namespaceOf(centre),
      "exec",
      currentPrimary,
      "-c",
      "postgres",
      "--",
      "psql",
      "-qAtX",
      "-d",
      database,
    ];
    return (await k(...args, "-c", sql)).trim();
  }
  /** Instances wait for the next checkpoint of the one that they copy. */
  private hurry = (centre: Name): Promise<unknown> => this.sql(centre, "checkpoint").catch(() => undefined);

  private healthy(centre: Name, seconds: number): Promise<number> {
    return until(
      `the database of ${centre}`,
      seconds,
      async () => {
        await this.hurry("dc1");
        await this.hurry("dc2");
        return clusterAilment(await get(CLUSTER, NAME, "-n", namespaceOf(centre)));
      },
      3,
    );
  }
  private follows(centre: Name, seconds: number): Promise<number> {
    return until(`${centre} follows`, seconds, async () => {
      const state = await this.sql(centre, "select coalesce(max(status), 'none') from pg_stat_wal_receiver");
      return state === "streaming" ? undefined : `its receiver is ${state}`;
    });
  }
  private async takesWrites(centre: Name, seconds: number): Promise<number> {
    return until(`${centre} takes writes`, seconds, async () =>
      (await this.sql(centre, "select pg_is_in_recovery()")) === "f" ? undefined : "it is in recovery",
    );
  }
  private async backUp(centre: Name): Promise<void> {
    const name = `dr-${Date.now()}`;
    await this.apply([
      {
        apiVersion: "postgresql.cnpg.io/v1",
        kind: "Backup",
        metadata: { name, namespace: namespaceOf(centre) },
        spec: { method: "barmanObjectStore", cluster: { name: NAME } },
      },
    ]);
    await until(
      `the base backup of ${centre}`,
      300,
      async () => {
        await this.hurry(centre);
        const { phase, error } =
          (await get("backups.postgresql.cnpg.io", name, "-n", namespaceOf(centre))).status ?? {};
        return phase === "completed" ? undefined : `${phase} ${error ?? ""}`;
      },
      2,
    );
    // A copy needs the log up to the end of the backup; in a database without writes it is archived after five minutes.
    await this.sql(centre, "select pg_switch_wal()", "postgres");
  }
  private volumesOf = async (centre: Name): Promise<string[]> =>
    (await get("pvc", "-n", namespaceOf(centre), "-l", `cnpg.io/cluster=${NAME}`)).items
      .map((c: any) => c.metadata.uid)
      .sort();

  /** Acknowledged rows that a data centre does not have. */
  private async missing(centre: Name): Promise<number[]> {
    // Those of before the question: rows go on to be written.
    const acknowledged = [...this.writer.acknowledged.keys()];
    const there = new Set((await this.sql(centre, "select number from written")).split("\n").map(Number));
    return acknowledged.filter((n) => !there.has(n));
  }
  private more = (count: number): Promise<number> => {
    const from = this.writer.acknowledged.size;
    return until(`${count} rows`, 120, () =>
      this.writer.acknowledged.size - from >= count ? undefined : `${this.writer.acknowledged.size - from} rows`,
    );
  };

  async prepare(): Promise<void> {
    this.say("the archives, and the database of dc1");
    const image = (this.lab.images as any).overrides.minio;
    await this.apply([operatorReachesThem, ...archivePlace(image, this.password)]);
    await k("-n", ARCHIVE_NAMESPACE, "wait", "--for=condition=Ready", "pod/archive", "--timeout=110s");
    for (const centre of CENTRES) await this.apply(surroundings(centre, this.password));
    await this.deploy("dc1", this.situation);
    await this.healthy("dc1", 900);
    await this.sql("dc1", "set role synapse; create table written (number bigint primary key)");
    this.say("its base backup, and dc2 as a copy");
    await this.backUp("dc1");
    await this.deploy("dc2", this.situation);
    await this.healthy("dc2", 900);
    await this.follows("dc2", 120);
    this.writer.start();
    await this.more(30);
  }

  /** As docs/fail-over.md, "Planned move". */
  async move(to: Name): Promise<void> {
    const from = other(to),
      volumes = await this.volumesOf(from);
    this.say(`planned: ${from} to ${to}, under ${this.writer.acknowledged.size} rows and more`);
    const decided = Date.now();
    this.situation = { ...this.situation, primary: to, promotionToken: undefined };
    await this.deploy(from, this.situation);
    let token = "";
    await until("the token", 300, async () => {
      token = (await statusOf(from)).demotionToken ?? "";
      return token ? undefined : "not yet";
    });
    await this.deploy(to, { ...this.situation, promotionToken: token });
    await this.takesWrites(to, 300);
    this.writer.centre = to;
    await this.more(10);
    const gap = this.writer.longestGap(decided);
    assert.deepEqual(await this.missing(to), [], "rows that were acknowledged are lost");
    const back = await this.healthy(from, 600);
    await this.follows(from, 120);
    assert.deepEqual(await this.volumesOf(from), volumes, `${from} was made anew`);
    // What it was told once must not be told again: a token that stays makes the next demotion invalid.
    await this.deploy(to, this.situation);
    this.rows.push({
      what: `Planned move, ${from} to ${to}`,
      acknowledged: this.writer.acknowledged.size,
      lost: 0,
      seconds: gap,
      note: `${from} follows again after ${back.toFixed(0)} s more, on the volumes that it had`,
    });
    this.say(`${gap.toFixed(0)} s without writes, 0 lost; ${from} follows`);
  }

  async lose(): Promise<void> {
    const lost: Name = "dc1";
    this.say(`unplanned: ${lost} is cut off from everything`);
    await this.more(20);
    const lag = await this.sql(
      lost,
      "select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), -1) from pg_stat_replication where application_name like 'matrix-ha-%'",
      "postgres",
    );
    assert.notEqual(lag, "-1", "dc2 does not follow");
    const decided = Date.now();
    await this.apply([cut(lost)]);
    await sleep(20_000);
    this.writer.centre = "dc2";
    this.situation = { primary: "dc2", confirmLost: lost };
    await this.deploy("dc2", this.situation);
    await this.takesWrites("dc2", 300);
    await this.more(10);
    const gap = this.writer.longestGap(decided),
      missing = await this.missing("dc2");
    for (const number of missing) this.writer.acknowledged.delete(number);
    this.rows.push({
      what: "Loss of the primary's data centre",
      acknowledged: this.writer.acknowledged.size + missing.length,
      lost: missing.length,
      seconds: gap,
      note: `${lag} bytes behind when it was asked; twenty seconds until the decision${missing.length ? `; lost: rows ${missing.join(", ")}` : ""}`,
    });
    this.say(`${gap.toFixed(0)} s without writes, ${missing.length} lost`);
  }

  async comeBack(): Promise<void> {
    this.say("dc1 comes back, and nobody has told it");
    await k("-n", namespaceOf("dc1"), "delete", "networkpolicy", "dr-cut");
    await sleep(30_000);
    // Both count on from where they parted: the number of a timeline does not tell which of two is the later one.
    const timelines = await Promise.all(
      CENTRES.map((centre) => this.sql(centre, "select left(pg_walfile_name(pg_current_wal_lsn()), 8)", "postgres")),
    );
    await this.more(10);
    assert.deepEqual(await this.missing("dc2"), []);
    assert.ok((await this.missing("dc1")).length >= 10, "dc1 has rows that were written in dc2 after its loss");
    this.say("dc1 is made anew, as generation 2");
    const from = Date.now();
    await this.backUp("dc2");
    await k("-n", namespaceOf("dc1"), "delete", "cluster", NAME, "--timeout=110s");
    await k("-n", namespaceOf("dc1"), "delete", "pvc", "-l", `cnpg.io/cluster=${NAME}`, "--timeout=110s");
    this.situation = { primary: "dc2", generations: { dc1: 2 } };
    await this.deploy("dc1", this.situation);
    await this.healthy("dc1", 900);
    await this.follows("dc1", 120);
    await this.deploy("dc2", this.situation);
    await until("the rows in dc1", 60, async () => {
      const left = await this.missing("dc1");
      return left.length ? `${left.length} are missing` : undefined;
    });
    const seconds = (Date.now() - from) / 1000;
    this.rows.push({
      what: "Return of the lost data centre",
      acknowledged: this.writer.acknowledged.size,
      lost: 0,
      seconds: this.writer.longestGap(from),
      note: `went its own way (timeline ${timelines[0]} beside ${timelines[1]}) until it was made anew by \`generation: 2\` in ${seconds.toFixed(0)} s`,
    });
    this.say(`made anew in ${seconds.toFixed(0)} s`);
  }

  async end(): Promise<void> {
    await this.writer.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
    await k("-n", "cnpg-system", "delete", "networkpolicy", "dr-operator", "--ignore-not-found");
    for (const namespace of [...CENTRES.map(namespaceOf), ARCHIVE_NAMESPACE])
      await k("delete", "namespace", namespace, "--ignore-not-found", "--timeout=110s").catch((error: Error) =>
        print(error.message),
      );
  }
}

async function main(argv: string[]): Promise<void> {
  const { "no-record": noRecord } = parse(argv, { "no-record": { type: "boolean" } });
  const rehearsal = new Rehearsal();
  try {
    await rehearsal.prepare();
    await rehearsal.move("dc2");
    await rehearsal.move("dc1");
    await rehearsal.lose();
    await rehearsal.comeBack();
  } finally {
    await rehearsal.end();
  }
  print(`${rehearsal.rows.length} passing`);
  if (!noRecord) fs.writeFileSync(path.join(PROOF, "dr.md"), drPage(rehearsal.rows, new Date()));
}

runMain(USAGE, main);
