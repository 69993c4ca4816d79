/** Settings of how pods reach servers outside: by other addresses than in DNS, and through a proxy. Pure. */
import { address, hostname, list, secret, section, text } from "../../../schema/fields";
import { parseAddress } from "../../../core/addresses";
import { isDnsName } from "../../../schema/syntax/text";

/** A proxy's URL: without a port, its users would take different ones (Synapse 1080, programs in Go 80). */
function isProxyUrl(value: string): boolean {
  const match = /^https?:\/\/([^/:@\s]+|\[[0-9a-f:.]+\]):(\d{1,5})\/?$/.exec(value);
  const host = match?.[1]?.replace(/^\[|\]$/g, "");
  const port = Number(match?.[2]);
  return host !== undefined && (isDnsName(host) || parseAddress(host) !== undefined) && port >= 1 && port <= 65_535;
}

/**
 * Characters that mean themselves in the login of a URL. Synapse sends what stands there as it is
 * (synapse/http/proxyagent.py, parse_proxy), boto3 and programs in Go decode it: an escaped one would reach the proxy
 * in two forms.
 */
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,;=-]+$/;
const PLAIN_TEXT =
  "letters, digits and ._~!$&'()*+,;=- (Synapse sends other characters in another form than the rest of the programs)";

export const reachSettings = {
  hostAliases: list(
    section(
      {
        address: address({ doc: "Address." }),
        names: list(hostname({ doc: "DNS name." }), { doc: "Names that pods find there." }),
      },
      { doc: "An address and its names." },
    ),
    {
      doc: "Names that pods find at an address of yours, whatever DNS says: in the pods of Synapse, the token service of calls, Alertmanager, and cert-manager where this stack installs it. Backups and the hosts ask DNS. For the public names of this stack see `ingress.hairpin`.",
      example: [{ address: "10.0.0.7", names: ["sso.example.com"] }],
    },
  ).default([]),
  httpProxy: section(
    {
      url: text(
        {
          doc: "URL of the proxy.",
          allowed: "http:// or https://, a host and a port, and nothing else: http://proxy.example.com:3128",
          remedy: "write the port too; a login goes into `user` and `password`",
        },
        isProxyUrl,
        "http://proxy.example.com:3128",
      ),
      user: text({ doc: "User at the proxy.", allowed: PLAIN_TEXT }, (v) => PLAIN.test(v)).optional(),
      password: secret(
        {
          doc: "Password at the proxy.",
          allowed: PLAIN_TEXT,
          remedy: "have the proxy's administrator give another one",
        },
        (v) => PLAIN.test(v),
      ).optional(),
      noProxy: list(
        text(
          { doc: "Name with all names below it, or address.", allowed: "a DNS name or an address, without port or *" },
          (v) => isDnsName(v) || parseAddress(v) !== undefined,
          "sso.example.com",
        ),
        {
          doc: "Servers of yours that are reached without the proxy. The cluster itself, the public names of this stack (but the server name, which would stand for all names below it) and the names in `hostAliases` never go through it. Networks cannot be written: Synapse compares names and single addresses.",
          example: ["corp.example.com"],
        },
      ).default([]),
    },
    {
      doc: "HTTP proxy for what leaves the cluster: Synapse (federation, push, previews, identity providers, captcha, appservices, an external S3), backups to an external S3, the token service of calls, Alertmanager, and cert-manager where this stack installs it. E-mail, TURN, calls and `synapse.connections` do not use it. Network policies then admit these programs to the proxy only. Absent: no proxy.",
    },
  ).optional(),
};
