/**
 * A presence counter in another namespace: talks to the homeserver inside the cluster and keeps its numbers in database
 * 2 of the stack's Redis. Shows how to read the contract; `podEnvironment` is the environment that its pods would get.
 */
import * as pulumi from "@pulumi/pulumi";
import { homeserver } from "./homeserver";

const server = homeserver(new pulumi.Config("matrix-ha-consumer").require("homeserverStack"));

export const homeserverUrl = server.url;
/** The password is a reference: the pod reads it from the Secret, this program never sees it. */
export const podEnvironment = pulumi.all([server.routerUrl, server.redis]).apply(([router, redis]) => [
  { name: "HOMESERVER_URL", value: router },
  { name: "REDIS_URL", value: `redis://${redis.host}:${redis.port}/${redis.database}` },
  { name: "REDIS_PASSWORD", valueFrom: { secretKeyRef: { name: redis.password.name, key: redis.password.key } } },
]);
