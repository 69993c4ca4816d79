/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { REDIS_MASTER_NAME } from "./livekitYaml";
import { Rtc } from "./Rtc";
import { REDIS_LIVEKIT_PASSWORD } from "./secrets";
import { NAMESPACES, SECRETS, SERVICES } from "../../core/names";
import { ClusterFoundation } from "../cluster/ClusterFoundation";
import { RedisSentinel } from "../redis/RedisSentinel";

export function deploy({ ctx, secrets, get, after }: Building): Resource[] {
  if (!ctx.plan.rtc) return [];
  const { tls } = get(ClusterFoundation);
  const redis = new RedisSentinel(
    "redis-livekit",
    {
      ctx,
      component: SERVICES.redisLivekit,
      namespace: NAMESPACES.livekit,
      secretName: SECRETS.redisLivekit,
      password: secrets.of(REDIS_LIVEKIT_PASSWORD),
      masterName: REDIS_MASTER_NAME,
    },
    after(),
  );
  const ca = tls.trustBundle ? { configMap: tls.trustBundle, key: "ca.crt", hash: tls.caPem } : undefined;
  return [new Rtc("rtc", { ctx, secrets, ca }, after(tls.ready, redis.ready))];
}
