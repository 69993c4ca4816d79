export { RedisSentinel, type RedisSentinelArgs } from "./RedisSentinel";
export { redisConnection, APPLICATION_DATABASE, REDIS_CLIENT_LABEL, type RedisConnection } from "./connection";
export { redisEdges } from "./edges";
export { minReplicas, sentinelAddresses, type RedisTopology } from "./topology";
