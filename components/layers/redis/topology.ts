/** What Redis and Sentinel need to know about each other. Pure. */
import { PORTS, podFqdn, serviceFqdn } from "../../core/names";

export interface RedisTopology {
  /** Name of the StatefulSet and of its headless Service: `redis-synapse`. */
  component: string;
  namespace: string;
  clusterDomain: string;
  /** Name under which the Sentinels know the master. */
  masterName: string;
  /** Pods, each with Redis and a Sentinel. Odd, 3 to 9. */
  instances: number;
  /** Sentinels that must agree that the master is down. */
  quorum: number;
}

/**
 * Replicas that must follow a master for it to take writes, and for the proxy to believe it. A master that was cut off
 * with fewer than half of the others can then never take a write that is lost when the majority has elected another:
 * 1 of 3, 2 of 5.
 */
export const minReplicas = (instances: number): number => Math.floor(instances / 2);

/** Seconds without an acknowledgement after which a replica no longer counts; replicas acknowledge each second. */
export const MAX_LAG_SECONDS = 5;
/** Sentinel calls a master down after so long without an answer: 5 s gave a failover in 6.3 s (measured). */
export const DOWN_AFTER_MILLISECONDS = 5000;
export const FAILOVER_TIMEOUT_MILLISECONDS = 10000;
/**
 * Seconds that a Redis which the Sentinels still call the master stays down. Detection takes 5 s and the election up to
 * 5 s more; a pod that came back sooner, as master, gave 10 s with two masters (measured).
 */
export const SELF_WAIT_SECONDS = 14;
/**
 * The most instances a plan asks for: the proxies know so many names from the start, so that growing does not change
 * them.
 */
export const KNOWN_INSTANCES = 5;

export const headlessFqdn = (t: RedisTopology): string => serviceFqdn(t.component, t.namespace, t.clusterDomain);
export const instanceFqdn = (t: RedisTopology, ordinal: number): string =>
  podFqdn(`${t.component}-${ordinal}`, t.component, t.namespace, t.clusterDomain);
/** `host:port` of every Sentinel, for clients that ask them (LiveKit). */
export const sentinelAddresses = (t: RedisTopology): string[] =>
  Array.from({ length: t.instances }, (_, i) => `${instanceFqdn(t, i)}:${PORTS.sentinel}`);

/** Refuses what cannot elect a master or cannot fence one. */
export function checkTopology(t: RedisTopology): void {
  if (t.instances < 3 || t.instances > 9 || t.instances % 2 === 0) {
    throw new Error(
      `redis.instances is ${t.instances}: 3, 5, 7 or 9 are allowed, because a majority of the Sentinels must outlive the loss of one and an even number adds nothing to it. Set overrides.redis.instances to 3 or 5.`,
    );
  }
  const majority = Math.floor(t.instances / 2) + 1;
  if (t.quorum !== majority) {
    throw new Error(
      `redis quorum is ${t.quorum} for ${t.instances} instances: ${majority} (the majority) is allowed; fewer would start failovers that a minority cannot finish, more would not survive the loss of ${t.instances - majority}.`,
    );
  }
}
