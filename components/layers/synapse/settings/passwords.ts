/** Settings about passwords that Synapse keeps. Pure. */
import { bool, int, secret, section } from "../../../schema/fields";

export const passwordSettings = {
  passwords: section(
    {
      pepper: secret(
        {
          doc: "Text that is added to every password before it is hashed. It must NEVER change: with another one, or with none, no password is right any more. For accounts of an existing Synapse, the `password_config.pepper` of it; a new server needs none.",
          allowed: "text without a line break, exactly as the existing Synapse has it",
          remedy: "pulumi config set --secret --path 'matrix-ha:passwords.pepper' < FILE",
        },
        (v) => v !== "" && !/[\r\n]/.test(v),
      ).optional(),
      minimumLength: int(1, 72, {
        doc: "Fewest characters of a new password. Passwords that are shorter already go on to work.",
      }).default(8),
      requireDigit: bool({ doc: "A new password has a digit." }).default(false),
      requireSymbol: bool({ doc: "A new password has a character that is neither a letter nor a digit." }).default(
        false,
      ),
      requireLowercase: bool({ doc: "A new password has a lower-case letter." }).default(false),
      requireUppercase: bool({ doc: "A new password has an upper-case letter." }).default(false),
    },
    { doc: "Passwords that the homeserver keeps itself. Those of identity providers are theirs." },
  ).prefault({}),
};
