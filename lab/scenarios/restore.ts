/**
 * A backup is taken, the database is deleted, and the stack's own settings restore it to a chosen moment. Comes last,
 * because everything written after that moment is lost.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { takeBack } from "./changes";
import { until } from "../common/until";
import { ailment, checkpoint, CLUSTER, deploy, get, k, NS, psql, sleep } from "./cluster";
import { Client } from "./load";
import { primary, since, type Run, type Scenario } from "./scenario";

const MESSAGES = 10;
const q = encodeURIComponent;
const room = { id: "", token: crypto.randomBytes(4).toString("hex") };

async function write(user: Client, what: string): Promise<void> {
  for (let i = 0; i < MESSAGES; i++)
    await user.must("PUT", `/_matrix/client/v3/rooms/${q(room.id)}/send/m.room.message/${what}-${i}`, {
      msgtype: "m.text",
      body: `${what} ${i}`,
    });
}
/** The number of messages of each kind in the room's history. */
async function read(user: Client): Promise<Record<string, number>> {
  const { chunk } = await user.must("GET", `/_matrix/client/v3/rooms/${q(room.id)}/messages?dir=b&limit=500`);
  const count: Record<string, number> = {};
  for (const e of chunk)
    if (e.type === "m.room.message") {
      const kind = e.content.body.split(" ")[0];
      count[kind] = (count[kind] ?? 0) + 1;
    }
  return count;
}

async function backUp(r: Run, method: object): Promise<void> {
  const name = `proof-${room.token}`,
    started = Date.now();
  await k(
    "-n",
    NS,
    "create",
    "-f",
    writeManifest({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Backup",
      metadata: { name, namespace: NS },
      spec: { cluster: { name: CLUSTER }, ...method },
    }),
  );
  await until("the backup", 300, async () => {
    const { status = {} } = await get("backups.postgresql.cnpg.io", "-n", NS, name);
    if (status.phase === "failed") throw new Error(`the backup failed: ${status.error}`);
    return status.phase === "completed" ? undefined : `phase ${status.phase}`;
  });
  r.note(`base backup taken in ${since(started)}`);
}

/** A file for kubectl. */
function writeManifest(object: object): string {
  const file = path.join(os.tmpdir(), `matrix-ha-${room.token}.json`);
  fs.writeFileSync(file, JSON.stringify(object));
  return file;
}

/** Requests checkpoints repeatedly while it waits. */
async function hurried<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const loop = (async () => {
    for (; !done; await sleep(4000)) await checkpoint();
  })();
  try {
    return await work;
  } finally {
    done = true;
    await loop;
  }
}

/** Waits until all writes so far are in the archive: a restore to a moment needs a transaction after it. */
async function archived(): Promise<void> {
  const first = await primary();
  const segment = await psql(first, "select pg_walfile_name(pg_switch_wal())");
  await until(`${segment} in the archive`, 120, async () => {
    const last = await psql(first, "select last_archived_wal from pg_stat_archiver");
    return last.slice(0, 24) >= segment ? undefined : `the last is ${last}`;
  });
}
const nextName = (name: string): string => {
  const m = /^(.*)-(\d+)$/.exec(name);
  return m ? `${m[1]}-${Number(m[2]) + 1}` : `${name}-2`;
};

export const RESTORE: Scenario = {
  id: "backup-restore",
  group: "restore",
  title: "A backup is taken, the database deleted, and restored to a chosen moment",
  quiet: true,
  seconds: 270,
  bounds: { gap: 0, failedAfterRetry: 0 },
  how: `${MESSAGES} messages, a base backup, ${MESSAGES} more, the moment, ${MESSAGES} more; the Cluster and its volumes' claims deleted; \`stopSynapse\`, \`backups.restore\` and \`backups.archiveName\` as docs/operate.md says`,
  action: async (r) => {
    const cluster = await get("clusters.postgresql.cnpg.io", "-n", NS, CLUSTER);
    const plugin = cluster.spec.plugins?.find((p: any) => p.isWALArchiver);
    const archive: string =
      (plugin ? plugin.parameters.serverName : cluster.spec.backup.barmanObjectStore.serverName) ?? CLUSTER;
    const user = await Client.register(r.a, `restore-${room.token}`);
    room.id = (await user.must("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat" })).room_id;
    await write(user, "early");
    await hurried(
      backUp(
        r,
        plugin ? { method: "plugin", pluginConfiguration: { name: plugin.name } } : { method: "barmanObjectStore" },
      ),
    );
    await write(user, "before");
    await sleep(2000);
    const moment = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace(".000Z", "Z");
    await sleep(2000);
    await write(user, "after");
    await archived();
    r.note(`the moment: ${moment}; before the loss the room has ${JSON.stringify(await read(user))}`);

    const started = Date.now();
    r.cause();
    // In a whole run. While Synapse is stopped, one event persister fewer affects no client.
    takeBack(r);
    await deploy(["stopSynapse=true"], ["--keep"]);
    await until("no process of Synapse", 120, async () => {
      const n = (await get("pods", "-n", NS, "-l", "app.kubernetes.io/name=synapse")).items.filter(
        (p: any) => p.status.phase === "Running",
      ).length;
      return n ? `${n} left` : undefined;
    });
    r.note(`Synapse stopped by the stack in ${since(started)}`);
    await k("-n", NS, "delete", "cluster", CLUSTER, "--timeout=120s");
    await until("the database is gone", 120, async () => {
      const left = (await get("pods,pvc", "-n", NS, "-l", `cnpg.io/cluster=${CLUSTER}`)).items.filter(
        (o: any) => !o.metadata.labels["cnpg.io/poolerName"],
      );
      return left.length ? `${left.length} objects left` : undefined;
    });
    const deleted = Date.now();
    r.note(`the database and its volumes' claims were gone after ${since(started)}`);
    const text = await hurried(
      deploy(
        [
          "stopSynapse=false",
          `backups.archiveName=${nextName(archive)}`,
          `backups.restore={from: ${archive}, targetTime: "${moment}"}`,
        ],
        ["--keep", "--refresh"],
      ),
    );
    r.note(
      `restored and Synapse started again by one deployment, ${since(deleted)} after the deletion: ${/deployed in .*/.exec(text)?.[0] ?? ""}`,
    );

    const found = await read(user);
    r.note(`the room now has ${JSON.stringify(found)}`);
    if (found.early !== MESSAGES || found.before !== MESSAGES)
      r.fail(`messages from before the moment are missing: ${JSON.stringify(found)}`);
    if (found.after) r.fail(`${found.after} messages from after the moment are there`);
    await write(user, "anew");
    const first = (await user.must("GET", `/_matrix/client/v3/sync?timeout=0`)).rooms.join[room.id].timeline.events.at(
      -1,
    );
    if (first?.content?.body !== `anew ${MESSAGES - 1}`) r.fail("a new message does not arrive by /sync");
    r.note(`a new message was sent and synced ${since(started)} after Synapse had been told to stop`);
    await until("everything healthy", 300, ailment);
    await archived();
    await hurried(
      until("a base backup in the new archive", 300, async () =>
        (await get("backups.postgresql.cnpg.io", "-n", NS)).items.some(
          (b: any) => b.metadata.name.startsWith(`${nextName(archive)}-`) && b.status?.phase === "completed",
        )
          ? undefined
          : "not yet",
      ),
    );
    r.note("the new archive takes the log, and has a base backup of its own");
    await deploy([], ["--expect-no-changes"]);
    r.note("the next deployment changed nothing");
    user.close();
  },
};
