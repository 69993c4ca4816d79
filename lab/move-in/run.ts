/**
 * `npm run test:move-in [-- --workers]`: an old Synapse with users, moved into the local cluster by the commands of
 * docs/move-in.md, and back again. Needs root, and a machine without a local cluster: it starts one, and leaves it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse, runMain } from "../../cli/arguments";
import { ROOT, RUN_DIR } from "../common/folders";
import { until } from "../common/until";
import { access, type Access } from "../local/access";
import { STATE } from "../local/engine";
import { kubectl } from "../local/kubectl";
import { engineGroup, enter } from "../local/priority";
import { Book } from "./book";
import { Bridge } from "./bridge";
import { Door } from "./door";
import { APPSERVICE_PORT, countsOf, install, OldServer, OLD_VERSION } from "./old";
import { People } from "./people";
import { Project, STACK } from "./project";
import { record, type Rehearsal } from "./report";

const USAGE = `npm run test:move-in [-- --workers] [--no-record] [--way-back]
  Starts a Synapse ${OLD_VERSION} from PyPI with users, devices, rooms, media and a bridge, and the local cluster; moves the
  one into the other by the commands of docs/move-in.md, compares both, goes back, and writes docs/proof/move-in.md.
  --workers    the old server has Redis, an event persister and other workers
  --no-record  writes nothing into docs/proof
  --way-back   only the way back, without a cluster: the old server with the database that it had some messages ago
Needs root, PostgreSQL of Debian, and a machine on which no local cluster runs; afterwards: npm run local -- down`;

/** This machine, as the lab's pods reach it. */
const MACHINE = "10.77.0.1";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

class Move {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-move-in-"));
  private readonly book = new Book(fs.readFileSync(path.join(ROOT, "docs/move-in.md"), "utf8"));
  private readonly old: OldServer;
  private readonly bridge: Bridge;
  private readonly door: Door;
  private readonly people: People;
  private project!: Project;
  private a!: Access;
  private readonly started = Date.now();
  readonly result: Rehearsal;

  /** @param address This machine, as the new server reaches it. */
  constructor(
    private readonly workers: boolean,
    address: string,
  ) {
    this.old = new OldServer({ dir: this.dir, address, workers });
    this.bridge = new Bridge(this.old.appservice.hsToken);
    this.door = new Door(this.old.url);
    this.people = new People(this.door, this.old);
    this.result = {
      date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
      workers,
      versions: `Synapse ${OLD_VERSION} on PostgreSQL ${this.old.postgres.major}`,
      checks: [],
      times: [],
    };
  }

  /** One promise that was kept; a broken one throws. */
  private kept(what: string): void {
    this.result.checks.push(what);
    print(`  ok: ${what}`);
  }
  /** Does a step, and notes how long it took. */
  private async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    print(`[${((Date.now() - this.started) / 1000).toFixed(0)} s] ${what}`);
    const from = Date.now();
    const got = await work();
    this.result.times.push([what, Math.round((Date.now() - from) / 1000)]);
    return got;
  }
  private blocks(heading: string, count: number): string[] {
    const found = this.book.blocks(heading);
    assert.equal(found.length, count, `blocks of commands in "${heading}"`);
    return found;
  }

  async old_(): Promise<void> {
    install();
    await this.step("the old server starts, with users, rooms, media and a bridge", async () => {
      await this.bridge.start(APPSERVICE_PORT);
      await this.old.start();
      await this.people.settle();
      await until("a message at the bridge", 30, () => (this.bridge.has("hello bridge") ? undefined : "not yet"));
    });
  }

  /** Steps 1 and 2: nothing is deployed. */
  async inventory(): Promise<void> {
    this.project = new Project(this.dir, print);
    await this.step("steps 1 and 2: inventory and decisions", async () => {
      fs.cpSync(this.old.root, path.join(this.project.folder, "old"), { recursive: true });
      fs.chmodSync(path.join(this.project.folder, "old"), 0o700);
      const plain = this.book.row("1. Inventory", "Debian's package, pip"),
        more = this.workers ? ` ${this.book.row("1. Inventory", "with workers")}` : "";
      print(await this.project.run(`${plain}${more} --stack NAME --ccu 100 --hosts ${this.project.writeHosts()}`));
      this.project.decide({ host: MACHINE, majorVersion: this.old.postgres.major });
      const [secrets] = this.blocks("2. Decide, and set the secrets", 1);
      await this.project.run(secrets!);
      await this.project.run("pulumi config set --stack NAME --secret --path 'matrix-ha:ssh.privateKey'", {
        input: fs.readFileSync(path.join(RUN_DIR, "pki", "id"), "utf8"),
      });
    });
  }

  private newSql = (text: string): string =>
    kubectl([
      "-n",
      "matrix",
      "exec",
      "synapse-postgres-1",
      "-c",
      "postgres",
      "--",
      "psql",
      "-X",
      "-At",
      "-q",
      "synapse",
      "-c",
      text,
    ]).trim();

  private async copyMedia(): Promise<string> {
    const [door, copy] = this.blocks("4. Copy the media", 2);
    const [keys, forward] = door!.trim().split("\n");
    const printed = await this.project.run(keys!);
    const forwarding = this.project.background(forward!);
    try {
      await until("the door to MinIO", 30, async () =>
        (await fetch("http://127.0.0.1:9000/minio/health/live")).ok ? undefined : "not yet",
      );
      return await this.old.onMachine(`${printed}\n${copy}`);
    } finally {
      forwarding.stop();
    }
  }

  /** Step 5: what its query says on both. */
  private async looked(): Promise<{ old: number[]; new: number[] }> {
    const [query] = this.blocks("5. Look at the copy", 1);
    const [, sql] = /'([^']+)'/.exec(query!)!;
    const shown = (await this.project.run(query!)).split("\n")[2]!;
    return { old: this.old.sql(sql!).split("|").map(Number), new: shown.split("|").map(Number) };
  }

  /** Steps 3 to 6, while the old server runs. */
  async beside(): Promise<void> {
    await this.step("step 3: the stack beside it, with a first copy of the database", async () => {
      const [size, up] = this.blocks("3. Deploy beside it", 2);
      await this.project.run(size!.replace(/\b200\b/, "2"));
      await this.project.run(up!);
    });
    const first = await this.step("step 4: media, while it runs", () => this.copyMedia());
    print(first);
    const copied = await this.looked();
    assert.ok(
      copied.new.every((n, i) => n > 0 && n <= copied.old[i]!),
      JSON.stringify(copied),
    );
    // Life goes on.
    await this.people.moreMedia();
    await this.people.say(this.people.alice, this.people.encryptedRoom, "after the first copy");
    await this.people.reads(this.people.bob, "after the first copy");
    await this.people.whileBobIsAway("waits for bob");
    this.kept("the old server was in use while the first copies were made");
  }

  /** Steps 7 and 8. */
  async evening(): Promise<void> {
    const { people, old, door, bridge } = this;
    const before = await people.facts();
    const oldKeys = await door.must("/_matrix/key/v2/server");
    const stopped = Date.now();
    await this.step("step 7.1: the old Synapse and its bridge stop", async () => {
      await old.stopSynapse();
      bridge.stop();
    });
    const wanted = old.counts();
    const [again] = this.blocks("7. The evening: the last copy", 1);
    await this.step("step 7.2: the last copy of the database", () => this.project.run(again!));
    const looked = await this.looked();
    assert.deepEqual(looked.new, looked.old);
    const found = countsOf(this.newSql);
    assert.deepEqual(found, wanted);
    const rows = Object.entries(wanted).reduce((sum, [what, n]) => sum + (what.startsWith("table") ? n : 0), 0);
    const names = Object.keys(wanted);
    this.kept(
      `${names.filter((n) => n.startsWith("table")).length} tables with ${rows} rows in all, and ${names.filter((n) => n.startsWith("sequence")).length} sequences: each equal to the old database's`,
    );
    print(await this.step("step 7.4: the rest of the media", () => this.copyMedia()));
    const [start] = this.blocks("8. The switch", 1);
    await this.step("step 8.1: the new Synapse starts", () => this.project.run(start!));
    this.a = await access();
    door.leadsTo(this.a);
    await bridge.start(APPSERVICE_PORT);
    people.reconnect();
    await until("a message acknowledged by the new server", 120, async () => {
      await people.alice.sendTextMessage(people.encryptedRoom, "at the new place");
      return undefined;
    });
    this.result.downtime = Math.round((Date.now() - stopped) / 1000);
    print(
      `downtime: ${this.result.downtime} s from the stop of the old server to the first message acknowledged by the new one`,
    );
    await this.compare(before, "through the new ingress");
    await this.lives(oldKeys);
  }

  private async compare(before: Awaited<ReturnType<People["facts"]>>, where: string): Promise<void> {
    const now = await this.people.facts(this.people.events.slice(0, Object.keys(before.events!).length));
    const differs = Object.keys(before).filter((part) => !isDeepStrictEqual(before[part], now[part]));
    for (const part of differs)
      print(`  differs: ${part}: ${JSON.stringify(before[part])} and ${JSON.stringify(now[part])}`);
    assert.deepEqual(differs, [], `not as before ${where}`);
    const sizes = Object.entries(before).map(([part, all]) => `${part} (${Object.keys(all).length})`);
    this.kept(`equal to the old server's answers, ${where}: ${sizes.join(", ")}`);
  }

  /** What has to work besides. */
  private async lives(oldKeys: any): Promise<void> {
    const { people, bridge, door, old } = this;
    assert.equal((await people.login("alice", people.password("alice"))).status, 200);
    assert.equal((await people.login("alice", "wrong")).status, 403);
    this.kept("the password that was hashed with the old pepper logs in, a wrong one does not");
    people.isBack("bob");
    await people.reads(people.bob, "waits for bob");
    await people.reads(people.bob, "at the new place");
    await people.say(people.bob, people.encryptedRoom, "from bob");
    await people.reads(people.alice, "from bob");
    this.kept(
      "devices go on where they were: one that had been away gets the room key that waited for it in the old database, and reads what was written meanwhile; new encrypted messages are read in both directions",
    );
    const id = await people.say(people.alice, people.bridgedRoom, "hello from the new place");
    await until("the message at the bridge", 60, () =>
      bridge.has("hello from the new place")
        ? undefined
        : `${bridge.events.length} events, ${bridge.strangers} refused`,
    );
    assert.equal(bridge.strangers, 0);
    const whoami = await door.must("/_matrix/client/v3/account/whoami?user_id=@bridged-1:local.test", {
      token: old.appservice.asToken,
    });
    assert.equal(whoami.user_id, "@bridged-1:local.test");
    this.kept("the bridge gets new messages with the token that it knows, and its own token still acts for its users");
    const event = this.newSql(`select json from event_json where event_id = '${id}'`);
    assert.equal(await this.signedBy(event, oldKeys), "valid");
    this.kept("the signature of a new event is right by the old server's key, as the old version of Synapse checks it");
    const keys = await door.must("/_matrix/key/v2/server");
    assert.deepEqual(keys.verify_keys, oldKeys.verify_keys);
    this.kept("other servers get the old signing key (/_matrix/key/v2/server)");
    assert.equal((await people.loginByProvider()).user_id, "@carol:local.test");
    this.kept("the user of the identity provider logs in by it, into the same account");
  }

  /** Checked by the programs of the old server. */
  private async signedBy(event: string, keys: any): Promise<string> {
    fs.writeFileSync(path.join(this.old.root, "etc/matrix-synapse/event.json"), event);
    fs.writeFileSync(path.join(this.old.root, "etc/matrix-synapse/keys.json"), JSON.stringify(keys));
    return (
      await this.old.onMachine(
        `python -W ignore - <<'PY'
import json
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.crypto.event_signing import redact_event_dict
from unpaddedbase64 import decode_base64
event = json.load(open("/etc/matrix-synapse/event.json"))
keys = json.load(open("/etc/matrix-synapse/keys.json"))["verify_keys"]
[(name, key)] = keys.items()
version = KNOWN_ROOM_VERSIONS["@VERSION@"]
signed = redact_event_dict(version, event)
signed.pop("unsigned", None)
verify_signed_json(signed, "local.test", decode_verify_key_bytes(name, decode_base64(key["key"])))
print("valid")
PY`.replace("@VERSION@", this.old.sql(`select room_version from rooms where room_id = '${this.people.bridgedRoom}'`)),
      )
    ).trim();
  }

  /** Into the new server and back. */
  async there(keep: (result: Rehearsal) => void): Promise<void> {
    await this.inventory();
    await this.beside();
    await this.evening();
    keep(this.result);
    await this.back();
    keep(this.result);
  }

  /** The way back. */
  async back(): Promise<void> {
    const { people, door, bridge } = this;
    const lost = await people.say(people.alice, people.bridgedRoom, "lost on the way back");
    const from = Date.now();
    const [stop] = this.blocks("The way back", 2);
    await this.step("the way back, 1: the new Synapse stops", () => this.project.run(stop!));
    bridge.stop();
    const refused = await door.ask("/_matrix/client/versions");
    assert.equal(refused.status, 503);
    this.kept("stopped, the new server answers 503");
    await this.oldAgain(from, lost);
  }

  /** The old server goes on with its own database, and meets clients that are further. */
  private async oldAgain(from: number, lost: string): Promise<void> {
    const { people, old, door, bridge } = this;
    const statement = /"(select [^"]+)"/.exec(this.blocks("The way back", 2)[1]!)![1]!;
    await this.step("the way back, 3: the numbers of the old database", async () => void old.sql(statement));
    await this.step("the way back, 4: the old Synapse starts", () => old.startSynapse());
    await bridge.start(APPSERVICE_PORT);
    people.leaves("alice");
    door.leadsTo(old.url);
    people.reconnect();
    await until("a message acknowledged by the old server", 60, async () => {
      await people.say(people.bob, people.encryptedRoom, "bob is back");
      return undefined;
    });
    this.result.wayBack = Math.round((Date.now() - from) / 1000);
    people.isBack("alice");
    await people.reads(people.alice, "bob is back");
    await people.say(people.alice, people.bridgedRoom, "back again");
    await until("the message at the bridge", 30, () => (bridge.has("back again") ? undefined : "not yet"));
    const { status } = await door.ask(
      `/_matrix/client/v3/rooms/${encodeURIComponent(people.bridgedRoom)}/event/${encodeURIComponent(lost)}`,
      {
        token: people.persons.get("alice")!.token,
      },
    );
    assert.equal(status, 404);
    this.kept(
      "back on the old server, the same devices send and read on, what was sent before a device was back too; the bridge gets messages; what was sent on the new one is not there",
    );
  }

  /** The way back alone, without a cluster: the old server's database is put back to what it was some messages ago. */
  async backAlone(): Promise<void> {
    const { people, old, bridge } = this;
    await old.stopSynapse();
    old.keepDatabase();
    await old.startSynapse();
    people.reconnect();
    let lost = "";
    await until("a message", 60, async () => {
      lost = await people.say(people.alice, people.bridgedRoom, "lost on the way back");
      return undefined;
    });
    for (let i = 0; i < 10; i++) await people.say(people.bob, people.encryptedRoom, `meanwhile ${i}`);
    await people.reads(people.alice, "meanwhile 9");
    await old.stopSynapse();
    bridge.stop();
    old.putDatabaseBack();
    await this.oldAgain(Date.now(), lost);
  }

  async end(): Promise<void> {
    this.people.stop();
    this.bridge.stop();
    await this.old.stop();
  }
}

function cluster(): void {
  const state = path.join(STATE, ".pulumi", "stacks");
  if (fs.existsSync(state))
    throw new Error(`${state}: a stack has been deployed here; \`npm run local -- down\` first`);
  for (const script of ["lab/cluster/up.sh", "lab/cluster/ingress.sh"]) {
    const { status } = spawnSync("bash", [path.join(ROOT, script)], { stdio: "inherit" });
    if (status !== 0) throw new Error(`${script} ended with ${status}`);
  }
  enter(engineGroup());
}

async function main(argv: string[]): Promise<void> {
  const options = parse(argv, {
    workers: { type: "boolean" },
    "way-back": { type: "boolean" },
    "no-record": { type: "boolean" },
  });
  const alone = options["way-back"] ?? false;
  if (!alone) cluster();
  const move = new Move(options.workers ?? false, alone ? "127.0.0.1" : MACHINE);
  // An interrupted run leaves no old server behind.
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => void move.end().finally(() => process.exit(1)));
  print(`files of this rehearsal, with the logs of the old server and of every command: ${move.dir}`);
  try {
    await move.old_();
    await (alone ? move.backAlone() : move.there(options["no-record"] ? () => undefined : record));
    print(`all of it worked.${alone ? "" : ` Stack ${STACK}; the cluster runs on: npm run local -- down`}`);
  } catch (error) {
    print(`NOT ok: ${(error as Error).stack}`);
    process.exitCode = 1;
  } finally {
    await move.end();
  }
  process.exit();
}

runMain(USAGE, main);
