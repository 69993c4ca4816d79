/**
 * Scripts of the Redis container: start, readiness and stop. Pure. They read the password only from the environment.
 */
import { PORTS } from "../../core/names";
import { scriptFrom } from "../../core/scripts";
import { findMasterValues, namesValues, sentinelsValues } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, MAX_LAG_SECONDS, minReplicas, type RedisTopology } from "./topology";

export interface RedisStartInput extends RedisTopology {
  /** Redis' own limit for its data, MiB; the container's limit leaves room for rewriting the append-only file. */
  maxmemoryMiB: number;
}

/**
 * Each start writes redis.conf again, into memory: it contains the password, and Sentinel rewrites it. The pod asks the
 * Sentinels whether it follows a master, and never relies on an earlier answer.
 *
 * A disk that fills while Redis writes can leave a hole in the append-only file, with further records behind it. From
 * then on Redis exits at each start ("Bad file format"; seen when a disk was filled). If the previous start failed to
 * load the file (`redis/loading` is still there), this one copies it and lets `redis-check-aof` truncate it at the
 * first unreadable record. A pod that follows a master, according to the Sentinels, can do without the copy and even
 * without the file: the master sends everything.
 */
export function redisStartScript(t: RedisStartInput): string {
  return scriptFrom(__dirname, "redisStart.sh", {
    ...findMasterValues(t),
    REDIS_PORT: PORTS.redis,
    MIN_REPLICAS: minReplicas(t.instances),
    MAX_LAG_SECONDS,
    MAXMEMORY_MIB: t.maxmemoryMiB,
  });
}

/**
 * Ready is a master, or a replica that is synchronised. So a rollout waits for each replica before it restarts the next
 * one. It does not wait for ever: after a change of the password, a replica synchronises only once its master has been
 * restarted too.
 *
 * When a new instance joins just before its master hands over, the Sentinels do not know it yet (they ask the master
 * for its replicas every 10 s), so none reconfigures it: it keeps following a former master and does not count (seen
 * when a set grew from 3 to 5). It therefore checks by itself, and acts on the second equal result, because during a
 * failover it may learn of the new master before its own Sentinel.
 *
 * Sentinels do not promote a replica whose master was lost more than ten times down-after-milliseconds before they
 * noticed. If they notice late (a stall of 2 s, from a drained name server or an overloaded machine, suspends them for
 * 30 s), no replica is eligible until the old master comes back (seen: 3 minutes, until the end of a drain). So a
 * replica that has waited, and whose Sentinel knows that a majority considers the master down, makes its Sentinel
 * accept replicas that have waited as long; it still prefers the most recent one. Once the set has a master again, the
 * limit is restored.
 */
export function redisReadyScript(t: RedisTopology): string {
  return scriptFrom(__dirname, "redisReady.sh", {
    ...namesValues(t),
    COMPONENT: t.component,
    MASTER_NAME: t.masterName,
    REDIS_PORT: PORTS.redis,
    SENTINEL_PORT: PORTS.sentinel,
    DOWN_AFTER_MILLISECONDS,
  });
}

/**
 * A stopping master hands over first, so the switch takes a second or two instead of the five that detection needs. In
 * the meantime it accepts no writes, and it follows its successor as soon as it knows it: Sentinel demotes a former
 * master only after 8 s, and writes to it until then would be lost (measured: those of one second).
 */
export function redisStopScript(t: RedisTopology): string {
  return scriptFrom(__dirname, "redisStop.sh", { ...sentinelsValues(t), REDIS_PORT: PORTS.redis });
}
