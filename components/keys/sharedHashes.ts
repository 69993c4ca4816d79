/** Whether several data centres have the same secrets, told without any of them. */
import { createHmac } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { ImportableSecret } from "../domain/importableSecrets";

/** Characters of each: enough that two differing secrets are never taken for the same. */
const LENGTH = 16;

/**
 * By name a hash of each secret, keyed with the server's signing key. That key is random and nobody's guess, so a hash
 * tells nothing of a secret that is short; and data centres whose signing keys differ have no hash in common.
 */
export const hashesOf = (
  signingKey: string,
  secrets: Partial<Record<ImportableSecret, string>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [
      name,
      createHmac("sha256", signingKey.trim()).update(`${name}\n${value.trim()}`).digest("hex").slice(0, LENGTH),
    ]),
  );

/** The same of values that only the deployment knows; not a secret. */
export const sharedHashes = (
  signingKey: pulumi.Output<string>,
  secrets: Partial<Record<ImportableSecret, pulumi.Output<string>>>,
): pulumi.Output<Record<string, string>> =>
  pulumi.unsecret(pulumi.all([signingKey, pulumi.all(secrets)]).apply(([key, values]) => hashesOf(key, values)));
