/** A disk that fills. */
import { until } from "../common/until";
import { FILLER, get, k, NS, psql, sleep, ssh } from "./cluster";
import { flowing, nodeOf, primary, since, whoRan, type Scenario } from "./scenario";

const FULL_SECONDS = 40;
const DISK = FILLER.replace(/\/[^/]*$/, "");

/** Path of an instance's volume, which must be on the disk that will be filled and not on the machine's own. */
async function volumePath(pod: string): Promise<string> {
  const claim = await get("pvc", "-n", NS, pod);
  const { spec } = await get("pv", claim.spec.volumeName);
  return spec.hostPath?.path ?? spec.local?.path;
}

export const STORAGE: Scenario[] = [
  {
    id: "volume-full",
    group: "failure",
    title: "The disk under the PostgreSQL primary's volumes is full",
    how: `the node's disk for local volumes filled to the last block that a process may take, for ${FULL_SECONDS} s, then freed; the primary's log advanced by 12 segments in that time`,
    seconds: 80,
    // The container is started again 10, 20 and 40 s after it failed: up to 40 s after the disk has room again (55 and
    // 102 s were measured).
    bounds: { gap: 180, failedAfterRetry: 600 },
    action: async (r) => {
      const old = await primary(),
        node = await nodeOf(NS, old);
      const path = await volumePath(old);
      if (!path.startsWith(`${DISK}/`))
        throw new Error(
          `the volume of ${old} is at ${path}, not on the disk at ${DISK}: not filled, because that would fill this machine`,
        );
      r.note(`${node} carried ${await whoRan(node)}`);
      const started = Date.now();
      let phase = "";
      try {
        r.cause();
        // Allocates blocks without writing them, except the last few: the file system needs some for its own metadata.
        await ssh(
          node,
          `set -e; a=$(df --output=avail -B1 ${DISK} | tail -1); fallocate -l $((a - 67108864)) ${FILLER}; ! dd if=/dev/zero of=${FILLER} bs=64k oflag=append conv=notrunc status=none 2>/dev/null`,
        );
        r.note(`left on ${node}'s disk: ${(await ssh(node, `df --output=avail -B1 ${DISK} | tail -1`)).trim()} bytes`);
        const errors: string[] = [];
        for (let i = 0; i < 12 && Date.now() - started < 25_000; i++)
          await psql(old, "select pg_switch_wal()").catch((error: Error) =>
            errors.push(error.message.split("\n").pop()!.slice(-160)),
          );
        if (errors.length) r.note(`PostgreSQL said: ${errors[0]}`);
        for (; Date.now() - started < FULL_SECONDS * 1000; await sleep(2000)) {
          const { status } = await get("clusters.postgresql.cnpg.io", "-n", NS, "synapse-postgres");
          if (status.phase !== phase) {
            phase = status.phase;
            r.note(
              `after ${since(started)}: ${phase}${status.currentPrimary === old ? "" : `; primary ${status.currentPrimary}`}`,
            );
          }
        }
      } finally {
        await ssh(node, `rm -f ${FILLER}`);
      }
      const freed = Date.now();
      r.note(`freed after ${since(started)}; primary then ${await primary()}`);
      await flowing(r.load, 180);
      r.note(`sends to every room ${since(freed)} after that`);
      await until("archiving goes on", 120, async () =>
        (await k(
          "-n",
          NS,
          "get",
          "cluster",
          "synapse-postgres",
          "-o",
          "jsonpath={.status.conditions[?(@.type=='ContinuousArchiving')].status}",
        )) === "True"
          ? undefined
          : "not archiving",
      );
    },
  },
];
