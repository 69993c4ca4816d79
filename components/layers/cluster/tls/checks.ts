/** Checks the certificate from the settings: its key, its validity, and the host names that it covers. */
import type { X509Certificate } from "node:crypto";
import type { CheckInput } from "../../../core/layer";
import type { Settings } from "../../../settings/types";
import { certificateChain, isPlaceholder, privateKey } from "../../../schema/syntax/keys";
import { isPlainObject } from "../../../schema/walk";
import { DNS01_SECRET } from "./publicTls";

export function checkTls(given: CheckInput): void {
  checkGivenCertificate(given);
  checkTrusted(given);
  checkDns01(given);
}

/** The solver's references lead to the Secret that the stack makes, and each key in it is used. */
function checkDns01({ settings, report }: CheckInput): void {
  const { tls, cluster } = settings;
  if (tls.mode !== "acme" || !tls.dns01) return;
  const { solver, credentials } = tls.dns01;
  const providers = Object.keys(solver).filter((key) => key !== "cnameStrategy");
  if (providers.length !== 1)
    report.add({
      path: "tls.dns01.solver",
      given: providers.length === 0 ? "no DNS provider" : providers.join(", "),
      allowed: "one DNS provider of cert-manager, such as cloudflare, route53, rfc2136 or webhook",
      remedy: "copy what stands below dns01 in cert-manager's documentation of your provider",
    });
  const keys = Object.keys(credentials);
  if (keys.length > 0 && !cluster.install.certManager)
    report.add(
      {
        path: "tls.dns01.credentials",
        given: "credentials, while cert-manager is not this stack's: where it looks for them is not known",
        allowed: "none, or the cert-manager that this stack installs",
        remedy:
          "make the ClusterIssuer yourself, and write tls: {mode: issuer, clusterIssuer: NAME, certifiesTurn: true}",
      },
      ["cluster.install.certManager"],
    );
  const named = referencesOf(solver);
  for (const key of keys.filter((k) => !named.some((r) => r.name === DNS01_SECRET && r.key === k)))
    report.add({
      path: `tls.dns01.credentials.${key}`,
      given: "a credential that the solver does not refer to",
      allowed: `keys that stand in the solver as {name: ${DNS01_SECRET}, key: ${key}}`,
      remedy: "refer to it in tls.dns01.solver, or remove it",
    });
  for (const { name, key } of named.filter((r) => r.name === DNS01_SECRET && !keys.includes(r.key)))
    report.add({
      path: "tls.dns01.solver",
      given: `a reference to the key ${key} of ${name}, which has no such key`,
      allowed: "keys of tls.dns01.credentials",
      remedy: `pulumi config set --secret --path 'matrix-ha:tls.dns01.credentials["${key}"]' < FILE`,
    });
}

/** All `{name, key}` below a value. */
function referencesOf(value: unknown): Array<{ name: string; key: string }> {
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  if (!isPlainObject(value)) return [];
  const { name, key } = value;
  return typeof name === "string" && typeof key === "string"
    ? [{ name, key }]
    : Object.values(value).flatMap(referencesOf);
}

/** Checks `trustedAuthorities`, and that they are there where a server's certificate is said to be of one. */
function checkTrusted({ settings, report, now }: CheckInput): void {
  const { trustedAuthorities, tls, objectStore, backups } = settings;
  if (trustedAuthorities === undefined) {
    const wanting = [
      ["tls", tls.mode === "acme" && tls.privateAuthority],
      ["objectStore", objectStore.kind === "s3" && objectStore.privateAuthority],
      ["backups.target", backups.target.kind === "s3" && backups.target.privateAuthority],
    ] as const;
    for (const [section] of wanting.filter(([, wants]) => wants))
      report.add(
        {
          path: `${section}.privateAuthority`,
          given: "true, without trustedAuthorities",
          allowed: "true only where the authority's certificate is known",
          remedy: "give that certificate as trustedAuthorities, or remove privateAuthority",
        },
        ["trustedAuthorities"],
      );
    return;
  }
  for (const [i, authority] of (certificateChain(trustedAuthorities) ?? []).entries())
    if (new Date(authority.validTo) < now)
      report.add({
        path: "trustedAuthorities",
        given: `a certificate (number ${i + 1}, ${subjectOf(authority)}) that expired on ${authority.validTo}`,
        allowed: "certificates that are valid now",
        remedy: "replace it with the authority's present certificate, or remove it",
      });
}

/** Notes where other servers are asked to trust a certificate that no public authority signed. */
export function privateCertificateNotes({ tls, federation, trustedAuthorities }: Settings): string[] {
  const by =
    tls.mode === "own-ca"
      ? "the stack's own authority (output caCertificate)"
      : tls.mode === "given" && isPrivate(tls.certificate, trustedAuthorities)
        ? "a private authority"
        : tls.mode === "acme" && tls.privateAuthority
          ? "a private authority"
          : undefined;
  if (!federation.enabled || by === undefined) return [];
  return [
    federation.domainAllowList
      ? `Federation: the certificate is of ${by}. Each server of federation.domainAllowList must be told to trust it; authorities of theirs that are private belong into trustedAuthorities.`
      : `Federation will not work with servers on the Internet: the certificate is of ${by}, which they do not trust. Use tls.mode acme or a certificate of a public authority; or list the servers that were told to trust it in federation.domainAllowList.`,
  ];
}

/** Whether a chain ends in itself or in one of the private authorities; false where it cannot be read. */
function isPrivate(chain: string, authorities: string | undefined): boolean {
  const last = certificateChain(chain)?.at(-1);
  const known = (authorities && certificateChain(authorities)) || [];
  return last !== undefined && [last, ...known].some((one) => last.checkIssued(one));
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
