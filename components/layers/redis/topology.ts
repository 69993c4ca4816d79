/** Names, numbers and times that Redis, Sentinel and the proxy share. Pure. */
import { PORTS, podFqdn, serviceFqdn } from "../../core/names";

/** One set of Redis and Sentinel. */
export interface RedisTopology {
  /** Name of the StatefulSet and its headless Service. @example "redis-synapse" */
  component: string;
  /** Namespace of both. */
  namespace: string;
  /** DNS domain of the cluster. @example "cluster.local" */
  clusterDomain: string;
  /** Name by which the Sentinels know the master. */
  masterName: string;
  /** Pods, each with Redis and a Sentinel. Odd, 3 to 9. */
  instances: number;
  /** Sentinels that must agree that the master is down: the majority. */
  quorum: number;
}

/**
 * Replicas that must follow a master before it accepts writes and the proxy uses it: 1 with 3 instances, 2 with 5. A
 * master that is cut off with a minority then accepts no write that would be lost once the majority has elected
 * another.
 */
export const minReplicas = (instances: number): number => Math.floor(instances / 2);

/** Seconds without an acknowledgement after which a replica no longer counts; replicas acknowledge every second. */
export const MAX_LAG_SECONDS = 5;
/** Time without an answer after which a Sentinel considers a master down. With 5 s a failover took 6.3 s (measured). */
export const DOWN_AFTER_MILLISECONDS = 5000;
export const FAILOVER_TIMEOUT_MILLISECONDS = 10000;
/**
 * Seconds for which a starting Redis waits while the Sentinels still name it as the master. Detection takes 5 s and the
 * election up to 5 s more; when a pod came back sooner as master, there were two masters for 10 s (measured).
 */
export const SELF_WAIT_SECONDS = 14;
/**
 * Largest number of instances in a plan without overrides. The proxies know that many names from the start, so that
 * growing does not change them.
 */
export const KNOWN_INSTANCES = 5;

export const headlessFqdn = (t: RedisTopology): string => serviceFqdn(t.component, t.namespace, t.clusterDomain);
export const instanceFqdn = (t: RedisTopology, ordinal: number): string =>
  podFqdn(`${t.component}-${ordinal}`, t.component, t.namespace, t.clusterDomain);
/** `host:port` of every Sentinel, for clients that ask them (LiveKit). */
export const sentinelAddresses = (t: RedisTopology): string[] =>
  Array.from({ length: t.instances }, (_, i) => `${instanceFqdn(t, i)}:${PORTS.sentinel}`);

/** Throws where the set could not elect a master, or could not fence one. */
export function checkTopology(t: RedisTopology): void {
  if (t.instances < 3 || t.instances > 9 || t.instances % 2 === 0) {
    throw new Error(
      `redis.instances is ${t.instances}: 3, 5, 7 or 9 are allowed, because a majority of the Sentinels must survive the loss of one, and an even number tolerates no more losses. Set overrides.redis.instances to 3 or 5.`,
    );
  }
  const majority = Math.floor(t.instances / 2) + 1;
  if (t.quorum !== majority) {
    throw new Error(
      `redis quorum is ${t.quorum} for ${t.instances} instances: only ${majority} (the majority) is allowed. A smaller quorum would start failovers that a minority cannot finish, a larger one would not survive the loss of ${t.instances - majority}. Leave the quorum to the plan.`,
    );
  }
}
