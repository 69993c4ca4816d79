/** Times of an `npm run local` that started from nothing, for docs/proof/cluster.md. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { FirstLogin } from "../scenarios/report";
import { getItems } from "./kubectl";
import { RUN_DIR } from "../common/folders";

export const FIRST_LOGIN = path.join(RUN_DIR, "first-login.json");

/** Warning events that every start brings, and why; by reason and words. */
const EXPLAINED: Array<[reason: string, words: RegExp, why: string]> = [
  [
    "FailedScheduling",
    /unbound immediate PersistentVolumeClaims|no nodes available|untolerated taint|insufficient|Insufficient|not found|anti-affinity|topology spread/i,
    "a pod asks for a place before its volume, its node or room is there; it is asked again",
  ],
  [
    "Unhealthy",
    /Startup probe failed|Readiness probe failed/,
    "asked before it had started; only then does it count as ready",
  ],
  [
    "FailedMount",
    /not found|timed out waiting for the condition|object .* not registered/,
    "made in the same moment as what it mounts",
  ],
  // kubernetes/kubernetes issue 113429: the kubelet learns of a pod before the authorizer's own view of the nodes'
  // pods does.
  [
    "FailedMount",
    /no relationship found between node/,
    "the API server had not noted yet on which node the pod is; the kubelet asks again half a second later",
  ],
  [
    "CgroupV1",
    /.*/,
    "the test machine runs version 1 of control groups, which a later release of the kubelet will refuse",
  ],
  ["FailedGetResourceMetric", /.*/, "the autoscaler asks before metrics-server has seen a pod for a minute"],
  ["FailedComputeMetricsReplicas", /.*/, "the autoscaler asks before metrics-server has seen a pod for a minute"],
  ["FailedToUpdateEndpoint", /.*/, "two controllers wrote at once; repeated"],
  ["FailedToUpdateEndpointSlices", /.*/, "two controllers wrote at once; repeated"],
  ["NoPods", /.*/, "a disruption budget is there before its pods"],
  ["CalculateExpectedPodCountFailed", /.*/, "a disruption budget is there before its pods' owner"],
  ["ClusterIPNotAllocated", /.*/, "the API server's own allocation catches up"],
];

export async function recordFirstLogin(at: { started: number; clusterUp: number; cold: boolean }): Promise<void> {
  const loggedIn = Date.now();
  const ready = (p: any): boolean =>
    p.status.phase === "Succeeded" ||
    Boolean(p.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True"));
  let pods = getItems("pods", "-A");
  for (const end = Date.now() + 180_000; Date.now() < end && pods.some((p) => !ready(p)); pods = getItems("pods", "-A"))
    await new Promise((r) => setTimeout(r, 2000));
  const seconds = (to: number): number => Math.round((to - at.started) / 1000);
  const available = Number(/MemAvailable:\s+(\d+)/.exec(fs.readFileSync("/proc/meminfo", "utf8"))![1]) / 2 ** 20;
  const warnings = new Map<string, FirstLogin["warnings"][number]>();
  for (const e of getItems("events", "-A").filter((x) => x.type === "Warning")) {
    const explained = EXPLAINED.find(([reason, words]) => e.reason === reason && words.test(e.message))?.[2];
    const key = `${e.reason} ${explained ?? e.message}`;
    const w = warnings.get(key) ?? {
      reason: e.reason,
      count: 0,
      example: `${e.involvedObject.kind} ${e.involvedObject.name}: ${e.message}`.slice(0, 400),
      explained,
    };
    w.count += e.count ?? 1;
    warnings.set(key, w);
  }
  const record: FirstLogin = {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    cold: at.cold,
    seconds: { cluster: seconds(at.clusterUp), firstLogin: seconds(loggedIn), ready: seconds(Date.now()) },
    memoryGiB: os.totalmem() / 2 ** 30 - available,
    pods: pods.length,
    notReady: pods.filter((p) => !ready(p)).map((p) => p.metadata.name),
    restarted: pods.flatMap((p) =>
      (p.status.containerStatuses ?? [])
        .filter((c: any) => c.restartCount > 0)
        .map((c: any) => `${p.metadata.name}/${c.name} (${c.restartCount})`),
    ),
    warnings: [...warnings.values()],
  };
  fs.writeFileSync(FIRST_LOGIN, JSON.stringify(record));
}
