/** Redis for the applications of other stacks, on a database of their own. Pure. */
import { NAMESPACES, PORTS, SECRETS, SERVICES, serviceFqdn } from "../../core/names";
import type { Settings } from "../../settings/types";

/** Synapse has database 0; 2 is for others. */
export const APPLICATION_DATABASE = 2;
/** Label (value "true") that lets a pod of namespace matrix reach the master when network policies are on. */
export const REDIS_CLIENT_LABEL = "matrix-ha.dev/redis-client";

/** How an application of another stack connects. */
export interface RedisConnection {
  /** Always the master. */
  host: string;
  port: number;
  /** Set aside for applications; 0 is Synapse's. */
  database: number;
  /** Where the password is. */
  password: { namespace: string; name: string; key: string };
  /**
   * Pods of namespace matrix that carry this label with the value "true" may reach it where network policies are on.
   * Pods of another namespace need a policy of their own in namespace matrix that admits them.
   */
  clientLabel: string;
}

export const redisConnection = (settings: Settings): RedisConnection => ({
  host: serviceFqdn(SERVICES.redisSynapseMaster, NAMESPACES.matrix, settings.cluster.domain),
  port: PORTS.redis,
  database: APPLICATION_DATABASE,
  password: { namespace: NAMESPACES.matrix, name: SECRETS.redisSynapse, key: "password" },
  clientLabel: REDIS_CLIENT_LABEL,
});
