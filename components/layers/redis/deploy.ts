/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { RedisSentinel } from "./RedisSentinel";
import { REDIS_PASSWORD } from "./secrets";
import { NAMESPACES, SECRETS, SERVICES } from "../../core/names";

export const deploy = ({ ctx, secrets, after }: Building): Resource[] => [
  new RedisSentinel(
    "redis-synapse",
    {
      ctx,
      component: SERVICES.redisSynapse,
      namespace: NAMESPACES.matrix,
      secretName: SECRETS.redisSynapse,
      password: secrets.of(REDIS_PASSWORD),
      masterName: SERVICES.redisSynapse,
    },
    after(),
  ),
];
