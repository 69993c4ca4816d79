/** Reads the outputs of a matrix-ha stack, typed, and refuses an unknown version of the contract. */
import * as pulumi from "@pulumi/pulumi";
import type { RedisConnection, StackOutputs } from "../../components/outputs";

/** The version of the contract for which this consumer was written. */
const KNOWN_CONTRACT = 1;

export interface Homeserver {
  url: pulumi.Output<string>;
  redis: pulumi.Output<RedisConnection>;
  /** In-cluster address of the client API, for bots and bridges that run beside it. */
  routerUrl: pulumi.Output<string>;
}

export function homeserver(stack: string): Homeserver {
  const reference = new pulumi.StackReference(stack);
  const get = <K extends keyof StackOutputs>(key: K): pulumi.Output<StackOutputs[K]> =>
    reference.requireOutput(key) as pulumi.Output<StackOutputs[K]>;
  const contract = get("contract").apply((version) => {
    if (version !== KNOWN_CONTRACT)
      throw new Error(
        `${stack} has version ${version} of the contract, this consumer knows ${KNOWN_CONTRACT}: read the change notes and update KNOWN_CONTRACT`,
      );
    return version;
  });
  const checked = <T>(value: pulumi.Output<T>): pulumi.Output<T> =>
    pulumi.all([contract, value]).apply(([, v]) => v as T);
  return {
    url: checked(get("urls").apply((u) => u.homeserver)),
    redis: checked(get("redis")),
    routerUrl: checked(get("services").apply((s) => s.router)),
  };
}
