/** Redis with Sentinel for Synapse. The rtc layer makes a second set from the same component. */
import type { Layer } from "../../core/layer";
import { redisAlerts } from "./alerts";
import { checkRedis } from "./checks";
import { redisEdges } from "./edges";
import { IMAGES } from "./images";
import { redisDemands, redisFailures, redisServices, redisZoneLoss } from "./plan";
import { REDIS_PASSWORD } from "./secrets";
import { redisOverrides } from "./settings";
import { redisTargets } from "./targets";

interface Declares {
  overrides: typeof redisOverrides;
  images: typeof IMAGES;
}

export const redis: Layer<Declares> = {
  name: "redis",
  overrides: redisOverrides,
  checks: [checkRedis],
  roles: [
    {
      role: "application",
      least: 3,
      why: "Redis elects its master by a majority of three Sentinels, each on its own host",
    },
  ],
  demands: redisDemands,
  services: redisServices,
  failures: redisFailures,
  zoneLoss: redisZoneLoss,
  images: IMAGES,
  secrets: [REDIS_PASSWORD],
  edges: redisEdges,
  targets: redisTargets,
  alerts: (input) => [redisAlerts(input)],
  pods: ["redis-*"],
  component: () => import("./deploy"),
};
