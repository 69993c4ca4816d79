/** Checks the certificate from the settings: its key, its validity, and the host names that it covers. */
import type { X509Certificate } from "node:crypto";
import type { CheckInput } from "../../../core/layer";
import { certificateChain, isPlaceholder, privateKey } from "../../../schema/syntax/keys";

export function checkTls(given: CheckInput): void {
  checkGivenCertificate(given);
}

/** The names to which clients open TLS connections. */
export function servedNames(settings: CheckInput["settings"]): string[] {
  const { hostnames, web, rtc, turn } = settings;
  return [
    hostnames.homeserver,
    ...(web.elementWeb.enabled ? [hostnames.web] : []),
    ...(web.admin.enabled ? [hostnames.admin] : []),
    ...(rtc.enabled ? [hostnames.rtc] : []),
    ...(turn.enabled ? [hostnames.turn] : []),
  ];
}

function checkGivenCertificate({ settings, report, now }: CheckInput): void {
  const { tls } = settings;
  if (tls.mode !== "given") return;
  const path = "tls.certificate";
  const key = isPlaceholder(tls.privateKey) ? undefined : privateKey(tls.privateKey);
  if (!key && !isPlaceholder(tls.privateKey))
    report.add({
      path: "tls.privateKey",
      given: "a secret (not shown)",
      allowed: "a PEM private key without a passphrase",
      remedy:
        "give the contents of privkey.pem: pulumi config set --secret --path 'matrix-ha:tls.privateKey' < privkey.pem",
    });
  if (isPlaceholder(tls.certificate)) return;
  const chain = certificateChain(tls.certificate);
  if (!chain) {
    report.add({
      path,
      given: "text without a readable certificate",
      allowed: "PEM certificates, the server's own first",
      remedy: "give the contents of fullchain.pem (not its path)",
    });
    return;
  }
  const [leaf] = chain;
  if (key && !leaf.checkPrivateKey(key))
    report.add(
      {
        path,
        given: `a certificate for ${subjectOf(leaf)}`,
        allowed: "the certificate of tls.privateKey, first in the chain",
        remedy: "give a certificate and the key that belongs to it; put the server's own certificate first",
      },
      ["tls.privateKey"],
    );
  for (const [i, certificate] of chain.entries()) {
    const which = i === 0 ? "the certificate" : `certificate ${i + 1} of the chain`;
    if (new Date(certificate.validTo) < now)
      report.add({
        path,
        given: `${which} expired on ${certificate.validTo}`,
        allowed: "certificates that are valid now",
        remedy: "renew it; or use tls.mode acme, which renews certificates automatically",
      });
    else if (new Date(certificate.validFrom) > now)
      report.add({
        path,
        given: `${which} is not valid before ${certificate.validFrom}`,
        allowed: "certificates that are valid now",
        remedy: "wait, or correct the clock",
      });
  }
  const uncovered = servedNames(settings).filter((name) => leaf.checkHost(name) === undefined);
  if (uncovered.length > 0)
    report.add(
      {
        path,
        given: `a certificate for ${subjectOf(leaf)}`,
        allowed: `a certificate that also covers ${uncovered.join(", ")}`,
        remedy: `get a certificate for all names (or *.${settings.domain}), or change hostnames`,
      },
      ["domain", "hostnames"],
    );
}

const subjectOf = (certificate: X509Certificate): string =>
  (certificate.subjectAltName ?? certificate.subject ?? "no name")
    .replace(/DNS:/g, "")
    .replace(/\s+/g, " ")
    .slice(0, 200);
