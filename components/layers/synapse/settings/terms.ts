/** The terms that users accept. Pure. */
import { bool, section, text } from "../../../schema/fields";

/** A ConfigMap holds a mebibyte. */
const LONGEST = 500_000;

export const termsSettings = {
  terms: section(
    {
      version: text(
        {
          doc: "Version of the text. With another version, users count as not having accepted.",
          allowed: "letters, digits, '.', '-' and '_', at most 64",
          remedy: 'write, for example, version: "2026-11"',
        },
        (v) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(v),
        "1",
      ),
      name: text({ doc: "Name of the text, which clients show." }).default("Privacy Policy"),
      page: text(
        {
          doc: "The text, in HTML without <html> and <body>. It is served as it is.",
          allowed: `HTML of at most ${LONGEST.toLocaleString("en-US")} characters, without {% endraw %}`,
          remedy: "pulumi config set --path 'matrix-ha:terms.page' < policy.html",
        },
        (v) => v.trim() !== "" && v.length <= LONGEST && !/\{%-?\s*endraw/.test(v),
        "<h1>Privacy Policy</h1>",
      ),
      atRegistration: bool({
        doc: "Who registers, by a password or at a first login by SSO, has to accept it.",
      }).default(true),
      notice: text(
        {
          doc: "Message to users who have not accepted this version, with %(consent_uri)s where the link shall be. Needs `serverNotices`. Absent: none is sent.",
          allowed: "a text with %(consent_uri)s in it",
        },
        (v) => v.includes("%(consent_uri)s"),
        "Please read %(consent_uri)s",
      ).optional(),
      refuseWithout: text(
        {
          doc: "Users who have not accepted this version can send nothing; their clients show this text, with %(consent_uri)s where the link shall be. Needs `notice`, else nobody learns of it before. Absent: they can.",
          allowed: "a text with %(consent_uri)s in it",
        },
        (v) => v.includes("%(consent_uri)s"),
        "Please accept %(consent_uri)s",
      ).optional(),
    },
    {
      doc: "Terms or a privacy policy that users accept, at https://<hostnames.homeserver>/_matrix/consent. Absent: there are none.",
    },
  ).optional(),
};
