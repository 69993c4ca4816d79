/** Settings of outgoing e-mail. Pure. */
import { hostname, oneOf, port, secret, section, text } from "../../../schema/fields";
import { isDnsName } from "../../../schema/syntax/text";

/** One word of an address before the @ (RFC 5322, atext), with a letter or digit in it. */
const ADDRESS = /^(?=[^@]*[a-z0-9][^@]*@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([^@]+)$/i;
/** A name before an address: what means something there (RFC 5322, specials) is in quotes, parentheses are in pairs. */
const NAME = /^(?:[^<>()[\]:;@,"\r\n]|\([^()<>"\r\n]*\)|"[^"<>\r\n]*")*$/;

/** Whether a text is an e-mail address. @example isEmailAddress("matrix@example.com") */
export function isEmailAddress(value: string): boolean {
  const domain = ADDRESS.exec(value)?.[2];
  return domain !== undefined && isDnsName(domain.toLowerCase());
}

/** An address, or a name with an address in angle brackets. */
export function isSender(value: string): boolean {
  const named = /^([^<]*)<([^<>]*)>$/.exec(value);
  return named ? NAME.test(named[1]!) && isEmailAddress(named[2]!) : isEmailAddress(value);
}

/** What `emailSmtp.tls` may say; Synapse's options for each are in homeserverYaml.ts. */
export const SMTP_TLS = ["required", "implicit", "opportunistic", "off"] as const;
export type SmtpTls = (typeof SMTP_TLS)[number];

/** What applies where the settings do not say: submission requires TLS, a relay at port 25 need not have it. */
export const smtpTls = (e: { port: number; tls?: SmtpTls }): SmtpTls =>
  e.tls ?? (e.port === 465 ? "implicit" : e.port === 25 ? "opportunistic" : "required");

export const emailSettings = {
  emailSmtp: section(
    {
      host: text(
        { doc: "SMTP server.", allowed: "a DNS name or address" },
        (v) => isDnsName(v) || /^[0-9a-f.:]+$/i.test(v),
        "smtp.example.com",
      ),
      port: port({ doc: "Port. It decides about TLS, unless `tls` does." }).default(587),
      tls: oneOf(SMTP_TLS, {
        doc: "`required`: the connection is upgraded (STARTTLS), or nothing is sent. `implicit`: TLS from the first byte. `opportunistic`: upgraded where the server offers it, else in clear. `off`: in clear, also where it is offered. Except with `off`, the certificate must be of a public authority or of one of `trustedAuthorities`; a self-signed one is listed there itself.",
        defaultText: "implicit at port 465, opportunistic at 25, else required",
      }).optional(),
      tlsName: hostname({
        doc: "Name in the server's certificate, where it is not `host`: of a relay that is reached by its address, say.",
        defaultText: "host",
      }).optional(),
      user: text({ doc: "User." }).optional(),
      password: secret({ doc: "Password. With `tls: off` it is sent in clear." }).optional(),
      from: text(
        {
          doc: "Sender.",
          allowed: "`Name <address@example.com>` or an address; a name with one of , ; : @ [ ] stands in quotes",
        },
        isSender,
        "a@example.com",
      ),
    },
    { doc: "Outgoing e-mail: password resets, confirmations, notifications. Absent: none is sent." },
  ).optional(),
};
