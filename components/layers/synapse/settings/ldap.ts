/** Settings of logins by the passwords of an LDAP directory. Pure. */
import { parseAddress } from "../../../core/addresses";
import { bool, hostname, list, oneOf, secret, section, text, type FieldDoc } from "../../../schema/fields";
import { isDnsName } from "../../../schema/syntax/text";

/** A server of the directory. */
export interface LdapServer {
  host: string;
  port: number;
  /** TLS from the first byte. */
  tls: boolean;
}

/** What an address says; undefined where it is none. @example ldapServer("ldaps://ldap.example.com") */
export function ldapServer(uri: string): LdapServer | undefined {
  const [, scheme, six, name, port] =
    /^(ldaps?):\/\/(?:\[([0-9a-f:]+)\]|([^[\]:/\s]+))(?::(\d{1,5}))?\/?$/.exec(uri) ?? [];
  const host = six ?? name;
  if (scheme === undefined || host === undefined) return undefined;
  if (!(six === undefined ? isDnsName(host) || parseAddress(host) : six.includes(":") && parseAddress(six)))
    return undefined;
  const tls = scheme === "ldaps";
  const number = port === undefined ? (tls ? 636 : 389) : Number(port);
  return number >= 1 && number <= 65535 ? { host, port: number, tls } : undefined;
}

/** A filter is one expression of RFC 4515, in parentheses. */
function isFilter(value: string): boolean {
  let depth = 0;
  for (const [i, sign] of [...value].entries()) {
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (depth < 0 || (depth === 0 && i < value.length - 1)) return false;
  }
  return depth === 0 && value.startsWith("(") && value.length > 2;
}

/** Name of an attribute (RFC 4512, 2.5), without options. */
const isAttribute = (value: string): boolean => /^[A-Za-z][A-Za-z0-9-]*$/.test(value);
const attribute = (doc: FieldDoc & { example: string }) =>
  text({ allowed: "the name of an attribute", ...doc }, isAttribute, doc.example);

export const LDAP_MODES = ["search", "simple"] as const;

export const ldapSettings = {
  ldap: section(
    {
      uris: list(
        text(
          {
            doc: "Address of a server.",
            allowed: "ldaps:// or ldap://, a DNS name or address, and a port where it is not the usual one",
          },
          (value) => ldapServer(value) !== undefined,
          "ldaps://ldap.example.com",
        ),
        {
          doc: "Servers, in the order in which they are asked; the next one is asked where one cannot be reached. `ldaps://` is TLS from the first byte (port 636), `ldap://` is upgraded by StartTLS before anything is sent (port 389), unless `inClear`. The certificate must be of a public authority or of one of `trustedAuthorities`, with the host's name in it.",
        },
      ),
      inClear: bool({
        doc: "Passwords go to `ldap://` servers without TLS: who reads the network between reads them.",
      }).default(false),
      base: text(
        {
          doc: "Distinguished name below which the users are, such as ou=people,dc=example,dc=com.",
          allowed: "a distinguished name: attribute=value, with commas between",
        },
        (value) => /^[A-Za-z][\w.-]*=[^,]+(,\s*[A-Za-z][\w.-]*=[^,]+)*$/.test(value),
        "ou=people,dc=example,dc=com",
      ),
      mode: oneOf(LDAP_MODES, {
        doc: "`search`: the user is looked for, and the password is tried with the entry that was found. `simple`: the password is tried with the name <attributes.uid>=<user>,<base>; then new users get neither the directory's display name nor its e-mail address.",
      }).default("search"),
      bindDn: text({
        doc: "Distinguished name of the account that searches. Absent: the search is anonymous.",
      }).optional(),
      bindPassword: secret({ doc: "Its password." }).optional(),
      filter: text(
        {
          doc: "Only entries that it fits may log in, such as (memberOf=cn=chat,ou=groups,dc=example,dc=com).",
          allowed: "one expression in parentheses",
        },
        isFilter,
        "(objectClass=person)",
      ).optional(),
      attributes: section(
        {
          uid: attribute({
            doc: "Attribute with the name that the user types, in capitals or not. It becomes the part of the user id before the colon, in lower case, and never changes afterwards.",
            example: "uid",
            defaultText: "uid; userPrincipalName with `activeDirectory`",
          }).optional(),
          name: attribute({ doc: "Attribute with the display name of a new user.", example: "cn" }).default("cn"),
          mail: attribute({
            doc: "Attribute with the e-mail address that a new account gets, and with which users log in too.",
            example: "mail",
          }).default("mail"),
        },
        { doc: "Attributes of a user's entry." },
      ).prefault({}),
      activeDirectory: bool({
        doc: "The directory is Active Directory: users type `alice`, `DOMAIN\\alice` or `alice/corp.example.com`.",
      }).default(false),
      defaultDomain: hostname({
        doc: "Domain of those who type no domain; their user id has none. That of others is alice/other.example.com.",
      }).optional(),
      localPasswords: bool({
        doc: "Accounts with a password of their own, such as the first administrator's, can log in too. The directory is asked first.",
      }).default(true),
    },
    {
      doc: "Logins with the passwords of an LDAP directory. A first login makes the account. Absent: none.",
    },
  ).optional(),
};
