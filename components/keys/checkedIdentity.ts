import * as pulumi from "@pulumi/pulumi";
import { identityOf, identityProblem, type Identity } from "../core/identity";
import { MessageOnly } from "../core/messageOnly";
import { formatErrors } from "../core/errors";
import type { Settings } from "../settings/types";

/** Tools that read a stack's file have a placeholder where only the engine can decrypt. */
const UNREADABLE: Identity = { id: "(encrypted)", verifyKey: "(encrypted)", fingerprint: "(encrypted)" };

/**
 * The stack's identity as soon as its keys are known, which is not in a first preview. Fails the deployment where the
 * settings mean other keys. Public, though it is made from secrets.
 */
export function checkedIdentity(
  settings: Settings,
  signingKey: pulumi.Output<string>,
  caCertificate?: pulumi.Output<string>,
): pulumi.Output<Identity> {
  return pulumi.unsecret(
    pulumi.all([signingKey, caCertificate]).apply(([key, ca]) => {
      const identity = identityOf({ signingKey: key, caCertificate: ca });
      const problem = identity && identityProblem(settings, identity);
      if (problem) throw new MessageOnly(formatErrors([problem], "it does not fit the keys that this stack has"));
      return identity ?? UNREADABLE;
    }),
  );
}
