/**
 * PostgreSQL's primary hands over, as it does when its node is drained (one of the three carries it) and when its image
 * or a parameter changes.
 */
import { until } from "../common/until";
import { behind, CLUSTER, get, k, NS, podProcesses, sleep } from "./cluster";
import { flowing, since, type Scenario } from "./scenario";

/** Longer than CloudNativePG's default of 5 s, after which it gives up a connection between instances. */
const STALL_SECONDS = 8;
/** A standby follows within this time, or has forked off and never will. */
const FOLLOW_SECONDS = 60;

const status = async (): Promise<any> => (await get("clusters.postgresql.cnpg.io", "-n", NS, CLUSTER)).status;

/** As `kubectl cnpg promote` does it. */
export const handOver = (next: string): Promise<string> =>
  k(
    "patch",
    "cluster",
    "-n",
    NS,
    CLUSTER,
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({
      status: {
        targetPrimary: next,
        targetPrimaryTimestamp: new Date().toISOString(),
        phase: "Switchover in progress",
        phaseReason: `Switching over to ${next}`,
      },
    }),
  );

export const HANDOVER: Scenario = {
  id: "handover",
  group: "failure",
  title: "The PostgreSQL primary hands over to a standby that stalls meanwhile",
  seconds: 55,
  partOf: "drain-node1",
  bounds: { gap: 120, failedAfterRetry: 300 },
  how: `\`status.targetPrimary\` set, as \`kubectl cnpg promote\` does; the successor's WAL receiver stopped (SIGSTOP) for ${STALL_SECONDS} s from that moment`,
  action: async (r) => {
    const { currentPrimary: old, instanceNames } = await status();
    const next = (instanceNames as string[]).find((n) => n !== old)!;
    const receivers = podProcesses((await get("pod", "-n", NS, next)).metadata.uid, /walreceiver/);
    if (receivers.length !== 1) throw new Error(`${receivers.length} WAL receivers in ${next}`);
    r.note(`${old} hands over to ${next}`);
    r.cause();
    const started = Date.now();
    process.kill(receivers[0]!, "SIGSTOP");
    try {
      await handOver(next);
      await sleep(STALL_SECONDS * 1000);
    } finally {
      try {
        process.kill(receivers[0]!, "SIGCONT");
      } catch {
        /* it has ended */
      }
    }
    await until(`${next} is the primary`, 180, async () =>
      (await status()).currentPrimary === next ? undefined : "still the old one",
    );
    r.note(`another primary after ${since(started)}`);
    await flowing(r.load, 180);
    const forked = new Set<string>();
    await until("every standby follows", FOLLOW_SECONDS, async () => {
      forked.clear();
      for (const s of await behind({ status: await status() })) forked.add(s);
      return forked.size ? [...forked].join(", ") : undefined;
    }).then(
      (s) => r.note(`all standbys follow ${s.toFixed(0)} s after that`),
      () => r.fail(`does not follow the new primary after ${FOLLOW_SECONDS} s: ${[...forked].join(", ")}`),
    );
  },
};
