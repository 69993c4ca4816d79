/**
 * The answers of the random and tls providers, derived from the resource's name: equal in each evaluation. Values that
 * are generated again when their inputs change (a certificate with another name in it) are derived from the inputs too,
 * so that `npm run diff` sees what reads them.
 */
import * as crypto from "node:crypto";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";

const stream = (seed: string, bytes: number): Buffer =>
  crypto.createHash("shake256", { outputLength: bytes }).update(seed).digest();

/** `alphabet` letters from the name. */
const letters = (seed: string, length: number, alphabet: string): string =>
  Array.from(stream(seed, length))
    .map((b) => alphabet[b % alphabet.length])
    .join("");

const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;

/** When every certificate of an evaluation ends. */
const END = "2100-01-01T00:00:00Z";

export function deterministic(r: MockResourceArgs): Record<string, any> {
  switch (r.type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: letters(r.name, r.inputs.length, MIXED) };
    case "random:index/randomString:RandomString":
      return { result: letters(r.name, r.inputs.length, LOWER) };
    case "random:index/randomBytes:RandomBytes": {
      const b = stream(r.name, r.inputs.length);
      return { base64: b.toString("base64"), hex: b.toString("hex") };
    }
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: pem("EC PRIVATE KEY", r.name), publicKeyPem: pem("PUBLIC KEY", r.name) };
    case "tls:index/selfSignedCert:SelfSignedCert":
      return { certPem: pem("CERTIFICATE", r.name), validityEndTime: END };
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: pem("CERTIFICATE", fromInputs(r)), validityEndTime: END };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: pem("CERTIFICATE REQUEST", fromInputs(r)) };
    case "command:remote:Command":
    case "command:local:Command":
      return { stdout: "", stderr: "" };
    default:
      return {};
  }
}

const fromInputs = (r: MockResourceArgs): string => `${r.name} ${JSON.stringify(r.inputs)}`;

const pem = (label: string, seed: string): string =>
  `-----BEGIN ${label}-----\n${stream(`${label} ${seed}`, 96)
    .toString("base64")
    .replace(/(.{64})/g, "$1\n")}\n-----END ${label}-----\n`;
