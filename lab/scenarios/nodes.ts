/** Whole machines: drained, frozen, cut off. */
import { cable, CLUSTER, clusterAilment, freeze, get, holder, k, NS, sleep, thaw, until } from "./cluster";
import { NODES, flowing, nodeOf, primary, since, whoRan, type Run, type Scenario } from "./scenario";

/** Longer than the 40 s after which Kubernetes calls a node lost. */
const CUT_SECONDS = Number(process.env.CUT_SECONDS ?? 50);
/**
 * A node stays frozen until another primary serves, and then until something is acknowledged without it, each at most
 * so long (the other standby follows late: its looks into the archive wait for a MinIO pod). If it were thawed in
 * the middle of the failover, its processes would take CPU time from the successors, and the old primary would archive
 * WAL that this standby must not read. The single processes on the node come back only with it (or with a taint by
 * hand), and with them the rooms of its event persister.
 */
const FROZEN_SECONDS = 150,
  WITHOUT_IT_SECONDS = 60;
/**
 * A drain waits for each workload with a disruption budget, one after the other, as long as its start takes on shared
 * cores.
 */
const DRAIN_SECONDS = 240;
/** From the cordon of its node until another instance is PostgreSQL's primary and the old one follows it. */
const HANDOVER_SECONDS = 150;

async function drain(r: Run, node: string): Promise<void> {
  r.note(`${node} carried ${await whoRan(node)}`);
  r.cause();
  const started = Date.now();
  try {
    const old = await primary();
    if ((await nodeOf(NS, old)) === node) {
      await k("cordon", node);
      const handedOver = async (): Promise<string | undefined> => {
        const cluster = await get("clusters.postgresql.cnpg.io", "-n", NS, CLUSTER);
        return cluster.status.currentPrimary === old ? "still the old one" : clusterAilment(cluster);
      };
      r.note(
        `another instance primary, and all of them ready, ${(await until("another primary", HANDOVER_SECONDS, handedOver)).toFixed(0)} s after the node was cordoned`,
      );
    }
    await k("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", `--timeout=${DRAIN_SECONDS}s`);
    r.note(`drained in ${since(started)}`);
    await flowing(r.load, 180);
  } catch (error) {
    r.fail(`the drain did not end: ${(error as Error).message.split("\n").slice(-2).join(" ").slice(-300)}`);
  } finally {
    await k("uncordon", node);
  }
}

export const MACHINES: Scenario[] = [
  ...NODES.map((node): Scenario => ({
    id: `drain-${node}`,
    group: "failure",
    title: `${node} is drained`,
    how: "as docs/operate.md says: where it carries PostgreSQL's primary, cordoned until another instance is it and all are ready; kubectl drain; then uncordoned",
    promised: "node 8 min",
    seconds: 100,
    quick: node === "node1",
    // Half of what was promised before. All pods of a node start again at once on two shared cores: 11 to 105 s were
    // measured, and 231 s when the only remaining standby had forked off (cloudnative-pg issue 4990).
    bounds: { gap: 240, failedAfterRetry: 400 },
    action: (r) => drain(r, node),
  })),
  {
    id: "node-frozen",
    group: "failure",
    title: "The node of the PostgreSQL primary freezes",
    how: `SIGSTOP to every process of the node until another primary has taken over and messages are acknowledged again, at most ${FROZEN_SECONDS} + ${WITHOUT_IT_SECONDS} s, then SIGCONT`,
    promised: "PostgreSQL 315 s, node 8 min",
    seconds: 185,
    bounds: { gap: 240, failedAfterRetry: 600 },
    action: async (r) => {
      const old = await primary(),
        node = await nodeOf(NS, old);
      r.note(`${node} carried ${await whoRan(node)}`);
      const started = Date.now();
      try {
        r.cause();
        r.note(`${freeze(node)} processes stopped`);
        await until("another primary", FROZEN_SECONDS, async () =>
          (await primary()) !== old ? undefined : "still the old one",
        ).then(
          () => r.note(`another primary after ${since(started)}`),
          () => r.note(`no other primary within ${FROZEN_SECONDS} s`),
        );
        const takenOver = Date.now();
        await until("an acknowledgement", WITHOUT_IT_SECONDS, async () =>
          r.load.acknowledgedSince(takenOver) ? undefined : "nothing is acknowledged",
        ).then(
          () => r.note(`the first message acknowledged without it after ${since(started)}`),
          () =>
            r.fail(
              `nothing was acknowledged within ${WITHOUT_IT_SECONDS} s of the takeover, while the node was frozen`,
            ),
        );
      } finally {
        thaw(node);
      }
      r.note(`thawed after ${since(started)}`);
      r.note(`sends to every room again ${(await flowing(r.load, 180)).toFixed(0)} s after that`);
    },
  },
  {
    id: "node-cut",
    group: "failure",
    title: "The node that holds the address is cut from the network",
    how: `its switch port down for ${CUT_SECONDS} s, then up`,
    promised: "node 8 min",
    seconds: 90,
    // 7 to 21 s were measured, and 93 s where it carried PostgreSQL's primary as well: then as when that one's node
    // freezes.
    bounds: { gap: 240, failedAfterRetry: 600 },
    action: async (r) => {
      const node = await holder(r.a.address);
      r.note(`${node} carried the address and ${await whoRan(node)}`);
      try {
        r.cause();
        await cable(node, "down");
        await sleep(CUT_SECONDS * 1000);
        r.note(`in the meantime the address was held by ${await holder(r.a.address).catch(() => "no node")}`);
      } finally {
        await cable(node, "up");
      }
      r.note(`sends to every room again ${(await flowing(r.load, 180)).toFixed(0)} s after it was back`);
    },
  },
];
