/** Certificate authorities that are real, and a tls provider's answers with real keys and signatures. */
import "reflect-metadata"; // @peculiar/x509 wants it first
import { createPrivateKey, generateKeyPairSync, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { deterministic } from "../../cli/generated";
import type { Generator } from "../../cli/evaluate";

x509.cryptoProvider.set(webcrypto as any);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;

export interface Authority {
  privateKey: string;
  certificate: string;
}

export const ecKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }).toString();

async function keyPair(pem: string): Promise<any> {
  const pkcs8 = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  const privateKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
  const { d: _d, key_ops: _ops, ...jwk } = await webcrypto.subtle.exportKey("jwk", privateKey);
  return { privateKey, publicKey: await webcrypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["verify"]) };
}

interface Form {
  ca?: boolean;
  notBefore?: Date;
  notAfter?: Date;
}

/** A self-signed certificate; of an authority unless told otherwise. */
export async function selfSigned(pem: string, options: Form = {}): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test CA",
    keys: await keyPair(pem),
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + 1000 * HOUR_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(options.ca ?? true, undefined, true)],
  });
  return `${certificate.toString("pem")}\n`;
}

export async function authority(options: Form = {}): Promise<Authority> {
  const privateKey = ecKey();
  return { privateKey, certificate: await selfSigned(privateKey, options) };
}

async function signed(inputs: any): Promise<string> {
  const { names, key } = JSON.parse(inputs.certRequestPem);
  const issuer = new x509.X509Certificate(inputs.caCertPem);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0]}`,
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + HOUR_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: (await keyPair(key)).publicKey,
    signingKey: (await keyPair(inputs.caPrivateKeyPem)).privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value: string) => ({ type: "dns" as const, value }))),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** Passwords as ever; keys and certificates as a tls provider makes them. The same key for the same name. */
export function realTls(): Generator {
  const keys = new Map<string, string>();
  return async (r, urn) => {
    switch (r.type) {
      case "tls:index/privateKey:PrivateKey":
        keys.set(r.name, keys.get(r.name) ?? ecKey());
        return { privateKeyPem: keys.get(r.name)! };
      case "tls:index/selfSignedCert:SelfSignedCert":
        return { certPem: await selfSigned(r.inputs.privateKeyPem) };
      // Only the signature below reads it.
      case "tls:index/certRequest:CertRequest":
        return { certRequestPem: JSON.stringify({ names: r.inputs.dnsNames, key: r.inputs.privateKeyPem }) };
      case "tls:index/locallySignedCert:LocallySignedCert":
        return { certPem: await signed(r.inputs) };
      default:
        return deterministic(r);
    }
  };
}
