/** Start of the Sentinel container, as text. Pure. */
import { PORTS } from "../../core/names";
import { scriptFrom } from "../../core/scripts";
import { findMasterValues } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, FAILOVER_TIMEOUT_MILLISECONDS, minReplicas, type RedisTopology } from "./topology";

/**
 * sentinel.conf is Sentinel's own memory: which master, which epochs, which peers. It is written once, on the pod's
 * volume, and what Sentinel has learned since is never taken back. Only the lines that are this stack's to say
 * (password, quorum, times) are replaced at each start, so that a changed setting takes effect, and pods that the set
 * no longer has are forgotten: as long as they count, those that are left cannot reach a majority.
 */
export function sentinelStartScript(t: RedisTopology): string {
  return scriptFrom(__dirname, "sentinelStart.sh", {
    ...findMasterValues(t),
    REDIS_PORT: PORTS.redis,
    QUORUM: t.quorum,
    DOWN_AFTER_MILLISECONDS,
    FAILOVER_TIMEOUT_MILLISECONDS,
    MIN_REPLICAS: minReplicas(t.instances),
  });
}
