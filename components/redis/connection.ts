/** Redis for the applications of other stacks, on a database of their own. Pure. */
import { NAMESPACES, PORTS, SECRETS, SERVICES, serviceFqdn } from "../names";
import type { Settings } from "../settings/types";

/** Synapse has database 0; 2 is for others. */
export const APPLICATION_DATABASE = 2;
/** Label (value "true") that lets a pod of namespace matrix reach the master when network policies are on. */
export const REDIS_CLIENT_LABEL = "matrix-ha.dev/redis-client";

export interface RedisConnection {
  /** Always the master. */
  host: string;
  port: number;
  database: number;
  secretName: string;
  secretNamespace: string;
  /** Key of the password within the Secret. */
  secretKey: string;
  clientLabel: string;
}

export const redisConnection = (settings: Settings): RedisConnection => ({
  host: serviceFqdn(SERVICES.redisSynapseMaster, NAMESPACES.matrix, settings.cluster.domain),
  port: PORTS.redis, database: APPLICATION_DATABASE,
  secretName: SECRETS.redisSynapse, secretNamespace: NAMESPACES.matrix, secretKey: "password", clientLabel: REDIS_CLIENT_LABEL,
});
