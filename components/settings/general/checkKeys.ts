/** Checks the keys that are the server's identity: imported, former and saved ones. */
import type { CheckInput } from "../../core/layer";
import { identityOf, identityProblem } from "../../core/identity";
import { certificateChain, isPlaceholder, privateKey } from "../../schema/syntax/keys";

export function checkKeys(given: CheckInput): void {
  checkAuthority(given);
  checkOldKeys(given);
  checkIdentity(given);
}

function checkAuthority({ settings, report, now }: CheckInput): void {
  const { caPrivateKey, caCertificate } = settings.importSecrets;
  if (caPrivateKey === undefined && caCertificate === undefined) return;
  const path = "importSecrets.caCertificate",
    keyPath = "importSecrets.caPrivateKey";
  if (caPrivateKey === undefined || caCertificate === undefined) {
    const [there, missing] = caPrivateKey === undefined ? [path, keyPath] : [keyPath, path];
    report.add(
      {
        path: missing,
        given: `nothing, although ${there} is set`,
        allowed: "both, or neither: an authority is a key and its certificate",
        remedy: `add ${missing}; or remove ${there}, and the stack makes its own authority`,
      },
      [there],
    );
    return;
  }
  if (isPlaceholder(caPrivateKey) || isPlaceholder(caCertificate) || report.isWrong(path) || report.isWrong(keyPath))
    return;
  const [certificate] = certificateChain(caCertificate)!;
  if (!certificate.checkPrivateKey(privateKey(caPrivateKey)!)) {
    report.add({
      path,
      given: "a certificate that does not match importSecrets.caPrivateKey",
      allowed: "the certificate of that key",
      remedy: "give the key and the certificate of the same authority",
    });
  } else if (!certificate.ca) {
    report.add({
      path,
      given: "a certificate that may not sign others (without CA:TRUE)",
      allowed: "the certificate of an authority",
      remedy: "give the authority's own certificate; a server's certificate belongs in tls: {mode: given}",
    });
  } else if (new Date(certificate.validTo) < now) {
    report.add({
      path,
      given: `a certificate that expired on ${certificate.validTo}`,
      allowed: "one that is valid now",
      remedy: "remove both, and the stack makes its own authority, which clients must then trust",
    });
  }
}

function checkOldKeys({ settings, report }: CheckInput): void {
  settings.oldSigningKeys.forEach(({ id }, i) => {
    const first = settings.oldSigningKeys.findIndex((other) => other.id === id);
    if (first < i)
      report.add(
        {
          path: `oldSigningKeys[${i}].id`,
          given: `"${id}", as oldSigningKeys[${first}] is`,
          allowed: "each key once",
          remedy: "remove one of them",
        },
        [`oldSigningKeys[${first}].id`],
      );
  });
}

/** When all keys are imported, the error that the deployment would meet is known already here. */
function checkIdentity({ settings, report }: CheckInput): void {
  const { signingKey, caCertificate } = settings.importSecrets;
  const ownCa = settings.tls.mode === "own-ca";
  if (signingKey === undefined || (ownCa && (caCertificate === undefined || isPlaceholder(caCertificate)))) return;
  const identity = identityOf({ signingKey, ...(ownCa ? { caCertificate } : {}) });
  const problem = identity && identityProblem(settings, identity);
  if (problem) report.add(problem, ["importSecrets"]);
}
