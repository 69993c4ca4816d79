import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** Short stable digest of a text. */
export const digest = (text: string): string => crypto.createHash("sha256").update(text).digest("hex").slice(0, 16);

/**
 * Digest over everything a pod reads; order of the keys does not matter. The values may be secret: a digest
 * of generated high-entropy values reveals nothing, so the result is not marked secret and diffs stay readable.
 */
export function configHash(parts: Record<string, pulumi.Input<string>>): pulumi.Output<string> {
  const keys = Object.keys(parts).sort();
  return pulumi.unsecret(
    pulumi
      .all(keys.map((k) => pulumi.output(parts[k])))
      .apply((values) => digest(JSON.stringify(keys.map((k, i) => [k, values[i]])))),
  );
}
