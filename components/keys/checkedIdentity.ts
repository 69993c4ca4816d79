import * as pulumi from "@pulumi/pulumi";
import { identityOf, identityProblem, type Identity } from "../core/identity";
import { MessageOnly } from "../core/messageOnly";
import { formatErrors } from "../core/errors";
import type { Settings } from "../settings/types";

/** For tools that read a stack's file: they have a placeholder in place of an encrypted key. */
const UNREADABLE: Identity = { id: "(encrypted)", verifyKey: "(encrypted)", fingerprint: "(encrypted)" };

/**
 * The stack's identity, known as soon as its keys are (not in a first preview). The result is not secret, although it
 * is made from secrets.
 *
 * @param signingKey Line of the signing key file.
 * @param caCertificate PEM of the stack's own CA, where it has one.
 * @throws MessageOnly, and so fails the deployment, when `savedKeys` or `oldSigningKeys` contradict these keys
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
      if (problem) throw new MessageOnly(formatErrors([problem], "it does not match the keys of this stack"));
      return identity ?? UNREADABLE;
    }),
  );
}
