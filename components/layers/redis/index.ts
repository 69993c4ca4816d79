export { RedisSentinel, type RedisSentinelArgs } from "./RedisSentinel";
export { redisConnection, APPLICATION_DATABASE, REDIS_CLIENT_LABEL, type RedisConnection } from "./connection";
export { redisEdges, EXPORTER_PORT } from "./edges";
export { minReplicas, sentinelAddresses, type RedisTopology } from "./topology";
