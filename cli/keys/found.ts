/** Where a deployed stack has its keys: in an export of its state, or in its cluster. Pure. */
import { specialSigKey } from "@pulumi/pulumi/runtime";
import { NAMESPACES, SECRETS } from "../../components/core/names";
import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../components/domain/importableSecrets";
import { isSigningKey } from "../../components/schema/syntax/keys";
import { SECRET_FILES } from "../../components/layers/synapse/paths";
import { Refused } from "../arguments";

export type Keys = Partial<Record<ImportableSecret, string>> & { signingKey: string };
/** A stack may have been deployed in part only. */
export interface Found {
  keys: Partial<Keys>;
  serverName?: string;
}

/** What a Kubernetes Secret of the namespace `matrix` holds, as text; undefined where it is not there. */
export type SecretReader = (name: string) => Record<string, string> | undefined;

/**
 * The Secrets that processes read hold what was generated and what was imported alike, in every version of this stack.
 */
const IN_SECRETS: Partial<Record<ImportableSecret, { secret: string; key: string }>> = {
  signingKey: { secret: SECRETS.synapse, key: SECRET_FILES.signingKey },
  macaroonSecretKey: { secret: SECRETS.synapse, key: SECRET_FILES.macaroon },
  formSecret: { secret: SECRETS.synapse, key: SECRET_FILES.form },
  registrationSharedSecret: { secret: SECRETS.synapse, key: SECRET_FILES.registration },
  databasePassword: { secret: SECRETS.database, key: "password" },
  turnSharedSecret: { secret: SECRETS.synapse, key: SECRET_FILES.turn },
};

export interface Authority {
  privateKey: string;
  certificate: string;
}

export function keysIn(read: SecretReader, authority?: Authority): Partial<Keys> {
  const keys: Partial<Keys> = {};
  for (const name of IMPORTABLE_SECRETS) {
    const place = IN_SECRETS[name];
    const value = place && read(place.secret)?.[place.key];
    // The file of the signing key ends with a line break, the setting does not.
    if (value) keys[name] = name === "signingKey" ? value.trim() : value;
  }
  if (authority) Object.assign(keys, { caPrivateKey: authority.privateKey, caCertificate: authority.certificate });
  return keys;
}

/** @param where In words: "this state". */
export function withSigningKey(keys: Partial<Keys>, where: string): Keys {
  const { signingKey } = keys;
  if (!signingKey)
    throw new Refused(
      `There is no signing key in ${where}: no Secret ${NAMESPACES.matrix}/${SECRETS.synapse} with ${SECRET_FILES.signingKey}. Is it the right one, and was it ever deployed?`,
    );
  if (!isSigningKey(signingKey))
    throw new Refused(`What ${where} has as signing key is none (\`ed25519 a_XXXX BASE64\`): nothing was saved.`);
  return { ...keys, signingKey };
}

interface Resource {
  type: string;
  urn: string;
  delete?: boolean;
  inputs?: any;
  outputs?: any;
}

/** A value of an export without the marks; refuses where the export was made without its secrets. */
function plain(value: any): any {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (specialSigKey in value) {
    if (typeof value.plaintext !== "string")
      throw new Refused(
        "The secrets of this export are encrypted. Make it with them: pulumi stack export --show-secrets",
      );
    return plain(JSON.parse(value.plaintext));
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}

const decoded = (data: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v, "base64").toString("utf8")]));

function resourcesOf(text: string): Resource[] {
  let parsed: any;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Refused("This is no JSON: give what `pulumi stack export --show-secrets` prints.");
  }
  if (parsed === null || typeof parsed !== "object" || !("deployment" in parsed))
    throw new Refused(
      "This is no export of a stack (no `deployment` in it): give what `pulumi stack export --show-secrets` prints.",
    );
  // What waits for its deletion holds values of before.
  return (parsed.deployment?.resources ?? []).filter((r: Resource) => !r.delete);
}

const nameOf = (r: Resource): string => r.urn.slice(r.urn.lastIndexOf("::") + 2);

/**
 * The own CA: what signed the server's certificate, made here or imported; else what was made and has signed nothing
 * yet.
 */
function authorityIn(resources: Resource[]): Authority | undefined {
  const signed = plain(resources.find((r) => r.type === "tls:index/locallySignedCert:LocallySignedCert")?.inputs ?? {});
  const made = (type: string, name: RegExp): any =>
    plain(resources.find((r) => r.type === type && name.test(nameOf(r)))?.outputs ?? {});
  const privateKey = signed.caPrivateKeyPem ?? made("tls:index/privateKey:PrivateKey", /-ca-key$/).privateKeyPem;
  const certificate = signed.caCertPem ?? made("tls:index/selfSignedCert:SelfSignedCert", /-ca$/).certPem;
  return privateKey && certificate ? { privateKey, certificate } : undefined;
}

/** From what `pulumi stack export --show-secrets` prints. */
export function keysInExport(text: string): Found {
  const resources = resourcesOf(text);
  const secrets = new Map(
    resources
      .filter((r) => r.type === "kubernetes:core/v1:Secret" && r.inputs?.metadata?.namespace === NAMESPACES.matrix)
      .map((r) => [r.inputs.metadata.name as string, r.inputs]),
  );
  const read: SecretReader = (name) => {
    const inputs = secrets.get(name);
    return inputs && { ...decoded(plain(inputs.data)), ...plain(inputs.stringData) };
  };
  const serverName = plain(resources.find((r) => r.type === "pulumi:pulumi:Stack")?.outputs?.serverName);
  return { keys: keysIn(read, authorityIn(resources)), ...(typeof serverName === "string" ? { serverName } : {}) };
}

/** From what `kubectl get secret NAME -o json` prints. */
export const secretOf = (json: string): Record<string, string> | undefined =>
  json.trim() === "" ? undefined : decoded(JSON.parse(json).data);
