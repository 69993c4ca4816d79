/** LiveKit and its token service, for group calls; with a Redis of their own. */
import type { Layer } from "../../core/layer";
import { rtcAlerts } from "./alerts";
import { checkCalls } from "./checks";
import { RTC_DASHBOARDS } from "./dashboards";
import { rtcEdges } from "./edges";
import { IMAGES } from "./images";
import { REDIS_MASTER_NAME } from "./livekitYaml";
import { rtcDemands, rtcFailures, rtcNotes, rtcServices } from "./plan";
import { Rtc } from "./Rtc";
import { REDIS_LIVEKIT_PASSWORD, RTC_SECRETS } from "./secrets";
import { rtcOverrides, rtcSettings } from "./settings";
import { rtcTargets } from "./targets";
import { NAMESPACES, SECRETS, SERVICES } from "../../core/names";
import { CALL_HOSTS } from "../../domain/calls";
import { ClusterFoundation } from "../cluster/ClusterFoundation";
import { RedisSentinel } from "../redis/RedisSentinel";

export const rtc: Layer<{ settings: typeof rtcSettings; overrides: typeof rtcOverrides; images: typeof IMAGES }> = {
  name: "rtc",
  settings: rtcSettings,
  overrides: rtcOverrides,
  checks: [checkCalls],
  roles: [{ ...CALL_HOSTS, when: (settings) => settings.rtc.enabled }],
  demands: rtcDemands,
  services: rtcServices,
  failures: rtcFailures,
  notes: rtcNotes,
  images: IMAGES,
  secrets: RTC_SECRETS,
  edges: rtcEdges,
  targets: rtcTargets,
  alerts: rtcAlerts,
  dashboards: RTC_DASHBOARDS,
  pods: ["livekit", "lk-jwt-service"],
  deploy({ ctx, secrets, get, after }) {
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
  },
};
