import * as pulumi from "@pulumi/pulumi";
import { digest } from "./digest";

/**
 * Digest of everything that a pod reads at start, by name; the order of the names does not matter. The values may be
 * secret: a digest of generated high-entropy values reveals nothing, so the result is not marked secret and diffs stay
 * readable.
 *
 * @example
 *   configHash({ "homeserver.yaml": text, token });
 */
export function configHash(parts: Record<string, pulumi.Input<string>>): pulumi.Output<string> {
  const keys = Object.keys(parts).sort();
  return pulumi.unsecret(
    pulumi
      .all(keys.map((k) => pulumi.output(parts[k])))
      .apply((values) => digest(JSON.stringify(keys.map((k, i) => [k, values[i]])))),
  );
}
