/**
 * Start, readiness and stop of the Redis container, as text. Pure. The password is only ever read from the environment.
 */
import { PORTS } from "../../core/names";
import { scriptFrom } from "../../core/scripts";
import { findMasterValues, namesValues, sentinelsValues } from "./findMaster";
import { DOWN_AFTER_MILLISECONDS, MAX_LAG_SECONDS, minReplicas, type RedisTopology } from "./topology";

export interface RedisStartInput extends RedisTopology {
  /** Redis' own bound on its data, MiB; the container's limit leaves room for rewriting the append-only file. */
  maxmemoryMiB: number;
}

/**
 * redis.conf is written anew at each start into memory, because it holds the password and because Sentinel rewrites it:
 * whether this pod follows somebody is asked, never remembered.
 *
 * A disk that fills while Redis writes can leave a hole within the append-only file, behind which other records follow.
 * Redis then ends at each start ("Bad file format"; seen when a disk was filled), for ever. What it could not load at
 * the start before (`redis/loading` lies beside the data while it loads them) is looked at here: cut off where it cannot
 * be read, as `redis-check-aof` does, after all of it was copied beside. A pod that follows a master, by the Sentinels'
 * word, may do without the copy, and without any of it: the master sends all.
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
 * Ready: a master, or a replica that is in step. A rollout so waits for each replica before it takes the next; but not
 * for ever: when the password is changed, a replica is in step again only after its master has been restarted too.
 *
 * A new instance that joins just before its master hands over is known to no Sentinel yet (they ask the master for its
 * replicas each 10 s), and so nobody tells it: it goes on following what is a replica now, and does not count (seen
 * when a set grew from 3 to 5). It looks for itself: twice the same, because in a failover it may know before its own
 * Sentinel. Only in its first 600 s: the Sentinels know it long before they are over.
 *
 * Sentinels promote nobody whose master went away more than ten times down-after-milliseconds before they noticed. When
 * they notice late (they pause for 30 s whenever they were stalled for 2 s, by a name server that was drained or by a
 * full machine), there is no fit replica any more, for as long as the old master does not come back (seen: 3 minutes,
 * until the end of a drain). So a replica that has waited (30 s: a failover that goes well is over long before), and
 * whose Sentinel knows that most call the master down, lets its Sentinel take replicas that have waited as long; the one
 * that is ahead is still preferred. Undone when the set has a master again.
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
 * A master that is told to stop hands over first: the switch then costs a second or two instead of the detection's
 * five. Meanwhile it takes no more writes, and it follows its successor as soon as that is known: Sentinel demotes a
 * former master only after 8 s, and what was written to it in between would be lost (measured: a second's worth). It
 * waits 10 s for its successor.
 */
export function redisStopScript(t: RedisTopology): string {
  return scriptFrom(__dirname, "redisStop.sh", { ...sentinelsValues(t), REDIS_PORT: PORTS.redis });
}
