/** Whether the parts of the stack that need several of their pods still have enough of them. Pure. */
import { NAMESPACES, SERVICES } from "../../components/core/names";
import type { Plan } from "../../components/plan";
import type { KubeObject } from "./played";
import { isReady, ownerOf, roleOf, titleOf, type Snapshot } from "./snapshot";

/** How many of a workload's pods are ready. */
const readyOf = ({ pods }: Snapshot, owner: string): KubeObject[] =>
  pods.filter((p) => isReady(p) && ownerOf(p) === owner);

/** MinIO's pool of a pod, counted from the first: pools are made of pods in their order. */
function poolOf(index: number, pools: readonly number[]): number {
  let first = 0;
  return pools.findIndex((size) => {
    first += size;
    return index < first;
  });
}

/** Pools that have lost more drives of an erasure set than its parity. */
function lostPools(now: Snapshot, minio: NonNullable<Plan["minio"]>): string[] {
  const owner = `StatefulSet ${NAMESPACES.minio}/${SERVICES.minioHeadless}`;
  const ready = new Set(readyOf(now, owner).map((p) => p.metadata.name));
  const lost = minio.pools.map(() => 0);
  for (let i = 0; i < minio.nodes; i++)
    if (!ready.has(`${SERVICES.minioHeadless}-${i}`)) lost[poolOf(i, minio.pools)]! += 1;
  return minio.pools.flatMap((nodes, pool) => {
    // A set takes the same number of drives from each pod of its pool.
    const drives = (lost[pool]! * minio.erasureSetDrives) / nodes;
    return drives > minio.parity
      ? [
          `MinIO: pool ${pool} lost ${drives} drives of each set of ${minio.erasureSetDrives}, and may lose ${minio.parity}`,
        ]
      : [];
  });
}

/**
 * Parts that cannot serve with the pods that are ready: no majority, too little parity, or none of several pods.
 *
 * @param tied Pods that are lost with their hosts' volumes. A workload of one such pod is gone until its host is back.
 */
export function standing(now: Snapshot, plan: Plan, tied: ReadonlySet<string>): string[] {
  const least = (owner: string, needed: number, what: string): string[] => {
    const ready = readyOf(now, owner).length;
    return ready >= needed ? [] : [`${what}: ${ready} ready, ${needed} needed`];
  };
  const none = now.workloads
    .filter((w) => w.kind !== "DaemonSet" && w.spec.replicas > 0)
    .filter((w) => readyOf(now, `${w.kind} ${titleOf(w)}`).length === 0)
    .filter((w) => !now.pods.some((p) => ownerOf(p) === `${w.kind} ${titleOf(w)}` && tied.has(titleOf(p))))
    .map((w) => `${w.kind} ${titleOf(w)}: none of ${w.spec.replicas} is ready`);
  const redis = (service: string, namespace: string): string[] =>
    least(`StatefulSet ${namespace}/${service}`, plan.redis.quorum, `the Sentinels of ${service}`);
  return [
    ...least(`Cluster ${NAMESPACES.matrix}/${SERVICES.postgresCluster}`, plan.postgres.syncStandbys + 1, "PostgreSQL"),
    ...redis(SERVICES.redisSynapse, NAMESPACES.matrix),
    ...(plan.rtc ? redis(SERVICES.redisLivekit, NAMESPACES.livekit) : []),
    ...(plan.minio ? lostPools(now, plan.minio) : []),
    ...(["call"] as const).flatMap((role) =>
      plan.turn || plan.rtc
        ? now.pods.some((p) => roleOf(p) === role && isReady(p))
          ? []
          : ["calls: no pod of TURN or the SFU is ready"]
        : [],
    ),
    ...none,
  ];
}
