/** Redis for the applications of other stacks, in a separate database. Pure. */
import { NAMESPACES, PORTS, SECRETS, SERVICES, serviceFqdn } from "../../core/names";
import type { Settings } from "../../settings/types";

/** Redis database of other stacks' applications; Synapse uses 0. */
export const APPLICATION_DATABASE = 2;
/** Label (value "true") with which a pod of namespace matrix may reach the master while network policies are on. */
export const REDIS_CLIENT_LABEL = "matrix-ha.dev/redis-client";

/** How an application of another stack connects. */
export interface RedisConnection {
  /** Complete DNS name that always leads to the master. */
  host: string;
  /** TCP port of the master. */
  port: number;
  /** Number of the database for applications; 0 is Synapse's. */
  database: number;
  /** Secret with the password. */
  password: { namespace: string; name: string; key: string };
  /**
   * While network policies are on, pods of namespace matrix need this label with the value "true" to connect. Pods of
   * another namespace need a further policy in namespace matrix that admits them.
   */
  clientLabel: string;
}

/** What the stack's output says about Redis. */
export const redisConnection = (settings: Settings): RedisConnection => ({
  host: serviceFqdn(SERVICES.redisSynapseMaster, NAMESPACES.matrix, settings.cluster.domain),
  port: PORTS.redis,
  database: APPLICATION_DATABASE,
  password: { namespace: NAMESPACES.matrix, name: SECRETS.redisSynapse, key: "password" },
  clientLabel: REDIS_CLIENT_LABEL,
});
