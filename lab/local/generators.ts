/** Real values for what the random and tls providers make, kept in the driver's state. For local use only. */
import * as crypto from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Generator } from "../../cli/evaluate";
import type { State } from "./state";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";

function letters(inputs: any): string {
  const alphabet = [
    inputs.lower === false ? "" : LOWER, inputs.upper === false ? "" : LOWER.toUpperCase(), inputs.numeric === false ? "" : DIGITS,
    inputs.special === false ? "" : (inputs.overrideSpecial ?? "!@#$%&*()-_=+[]{}<>:?"),
  ].join("");
  return Array.from({ length: inputs.length }, () => alphabet[crypto.randomInt(alphabet.length)]).join("");
}

function privateKey(inputs: any): Record<string, string> {
  const pair = inputs.algorithm === "RSA" ? crypto.generateKeyPairSync("rsa", { modulusLength: inputs.rsaBits ?? 2048 })
    : inputs.algorithm === "ED25519" ? crypto.generateKeyPairSync("ed25519")
      : crypto.generateKeyPairSync("ec", { namedCurve: { P224: "secp224r1", P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" }[inputs.ecdsaCurve as string ?? "P224"]! });
  const pkcs8 = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { privateKeyPem: pkcs8, privateKeyPemPkcs8: pkcs8, publicKeyPem: pair.publicKey.export({ type: "spki", format: "pem" }).toString() };
}

const USAGES: Record<string, number> = {
  digital_signature: x509.KeyUsageFlags.digitalSignature, key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  cert_signing: x509.KeyUsageFlags.keyCertSign, crl_signing: x509.KeyUsageFlags.cRLSign,
};
const EXTENDED: Record<string, string> = { server_auth: "1.3.6.1.5.5.7.3.1", client_auth: "1.3.6.1.5.5.7.3.2" };

const subjectText = (s: any): string => [s?.commonName && `CN=${s.commonName}`, s?.organization && `O=${s.organization}`].filter(Boolean).join(", ");

async function importKeys(pem: string): Promise<{ privateKey: any; publicKey: any }> {
  const key = crypto.createPrivateKey(pem);
  const algorithm = key.asymmetricKeyType === "rsa" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
    : { name: "ECDSA", namedCurve: { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "P-256" };
  const subtle = crypto.webcrypto.subtle;
  const publicKey = crypto.createPublicKey(pem).export({ type: "spki", format: "der" });
  return {
    privateKey: await subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }) as any, algorithm as any, true, ["sign"]) as any,
    publicKey: await subtle.importKey("spki", publicKey as any, algorithm as any, true, ["verify"]) as any,
  };
}

async function certificate(inputs: any, request?: { subject: string; names: string[]; ips: string[]; publicKey: any }): Promise<Record<string, any>> {
  x509.cryptoProvider.set(crypto.webcrypto as any);
  const signer = await importKeys(request ? inputs.caPrivateKeyPem : inputs.privateKeyPem);
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + inputs.validityPeriodHours * 3_600_000);
  const flags = (inputs.allowedUses as string[]).reduce((n, u) => n | (USAGES[u] ?? 0), 0);
  const extended = (inputs.allowedUses as string[]).map((u) => EXTENDED[u]).filter((u): u is string => Boolean(u));
  const names = request ?? { subject: subjectText(inputs.subject), names: inputs.dnsNames ?? [], ips: inputs.ipAddresses ?? [], publicKey: signer.publicKey };
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(Boolean(inputs.isCaCertificate), undefined, true),
    ...(flags ? [new x509.KeyUsagesExtension(flags, true)] : []),
    ...(extended.length ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
    await x509.SubjectKeyIdentifierExtension.create(names.publicKey),
  ];
  const alternative = [...names.names.map((value: string) => ({ type: "dns" as const, value })), ...names.ips.map((value: string) => ({ type: "ip" as const, value }))];
  if (alternative.length) extensions.push(new x509.SubjectAlternativeNameExtension(alternative));
  const issuer = request ? new x509.X509Certificate(inputs.caCertPem).subject : names.subject;
  if (request) extensions.push(await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey));
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: crypto.randomBytes(12).toString("hex").replace(/^[89a-f]/, "7"), subject: names.subject, issuer, notBefore, notAfter,
    publicKey: names.publicKey, signingKey: signer.privateKey, signingAlgorithm: { name: "ECDSA", hash: "SHA-256" }, extensions,
  });
  return { certPem: `${cert.toString("pem")}\n`, validityStartTime: notBefore.toISOString(), validityEndTime: notAfter.toISOString(), readyForRenewal: false };
}

/** A request is kept as the values a certificate needs; only this driver reads it back. */
const certRequest = (inputs: any): Record<string, any> => ({
  certRequestPem: Buffer.from(JSON.stringify({
    subject: subjectText(inputs.subject), names: inputs.dnsNames ?? [], ips: inputs.ipAddresses ?? [],
    publicKeyPem: crypto.createPublicKey(inputs.privateKeyPem).export({ type: "spki", format: "pem" }).toString(),
  })).toString("base64"),
});

async function locallySigned(inputs: any): Promise<Record<string, any>> {
  const r = JSON.parse(Buffer.from(inputs.certRequestPem, "base64").toString());
  const key = crypto.createPublicKey(r.publicKeyPem);
  const algorithm = key.asymmetricKeyType === "rsa" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "ECDSA", namedCurve: "P-256" };
  const publicKey = await crypto.webcrypto.subtle.importKey("spki", key.export({ type: "spki", format: "der" }) as any, algorithm as any, true, ["verify"]) as any;
  return certificate(inputs, { subject: r.subject, names: r.names, ips: r.ips, publicKey });
}

async function generate(type: string, inputs: any): Promise<Record<string, any> | undefined> {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
    case "random:index/randomString:RandomString":
      return { result: letters(inputs) };
    case "random:index/randomBytes:RandomBytes": {
      const b = crypto.randomBytes(inputs.length);
      return { base64: b.toString("base64"), hex: b.toString("hex") };
    }
    case "tls:index/privateKey:PrivateKey": return privateKey(inputs);
    case "tls:index/selfSignedCert:SelfSignedCert": return certificate(inputs);
    case "tls:index/certRequest:CertRequest": return certRequest(inputs);
    case "tls:index/locallySignedCert:LocallySignedCert": return locallySigned(inputs);
    default: return undefined;
  }
}

/** Values are made once per resource and inputs; a changed input makes a new one, as the providers do. */
export function persistentGenerator(state: State): Generator {
  return async (resource) => {
    const key = `${resource.type}::${resource.name}`;
    const digest = crypto.createHash("sha256").update(JSON.stringify(resource.inputs)).digest("hex");
    const known = state.generated[key];
    if (known && known.digest === digest) return known.outputs;
    const outputs = await generate(resource.type, resource.inputs);
    if (!outputs) return {};
    state.generated[key] = { digest, outputs };
    state.save();
    return outputs;
  };
}
