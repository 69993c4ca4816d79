/** Start script of the Sentinel container. Pure. */
import { PORTS } from "../../core/names";
import { scriptFrom } from "../../core/scripts";
import { findMasterValues } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, FAILOVER_TIMEOUT_MILLISECONDS, minReplicas, type RedisTopology } from "./topology";

/**
 * sentinel.conf is Sentinel's own memory: master, epochs, peers. The script writes it once, to the pod's volume, and
 * never reverts what Sentinel has learned since. Each start replaces only the lines that this stack defines (password,
 * quorum, times), so that changed settings take effect, and removes pods that the set no longer has: as long as they
 * counted, the remaining ones could not reach a majority.
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
