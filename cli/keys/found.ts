/** Finds a deployed stack's keys in an export of its state, or in its cluster. Pure. */
import { specialSigKey } from "@pulumi/pulumi/runtime";
import { NAMESPACES, SECRETS } from "../../components/core/names";
import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../components/domain/importableSecrets";
import { isSigningKey } from "../../components/schema/syntax/keys";
import { STREAM_SECRET } from "../../components/layers/postgres/topology";
import { SECRET_FILES } from "../../components/layers/synapse/paths";
import { Refused } from "../arguments";

export type Keys = Partial<Record<ImportableSecret, string>> & { signingKey: string };
/** Partial: a stack may have been deployed only in part. */
export interface Found {
  keys: Partial<Keys>;
  serverName?: string;
}

/** The contents of a Kubernetes Secret of the namespace `matrix`, as text; undefined if it does not exist. */
export type SecretReader = (name: string) => Record<string, string> | undefined;

/**
 * The Secrets that processes read hold generated and imported values alike, in every version of this stack.
 */
const IN_SECRETS: Partial<Record<ImportableSecret, { secret: string; key: string }>> = {
  signingKey: { secret: SECRETS.synapse, key: SECRET_FILES.signingKey },
  macaroonSecretKey: { secret: SECRETS.synapse, key: SECRET_FILES.macaroon },
  formSecret: { secret: SECRETS.synapse, key: SECRET_FILES.form },
  registrationSharedSecret: { secret: SECRETS.synapse, key: SECRET_FILES.registration },
  databasePassword: { secret: SECRETS.database, key: "password" },
  // Only among data centres.
  replicationPassword: { secret: STREAM_SECRET, key: "password" },
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
      `There is no signing key in ${where}: no Secret ${NAMESPACES.matrix}/${SECRETS.synapse} with ${SECRET_FILES.signingKey}. Check that this is the right one, and that it was ever deployed.`,
    );
  if (!isSigningKey(signingKey))
    throw new Refused(
      `The signing key in ${where} is not valid (\`ed25519 NAME BASE64\` is expected): nothing was saved.`,
    );
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
      throw new Refused("The secrets of this export are encrypted. Export it with: pulumi stack export --show-secrets");
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
    throw new Refused("This is not JSON: give the output of `pulumi stack export --show-secrets`.");
  }
  if (parsed === null || typeof parsed !== "object" || !("deployment" in parsed))
    throw new Refused(
      "This is not an export of a stack (it has no `deployment`): give the output of `pulumi stack export --show-secrets`.",
    );
  // Resources that wait for their deletion hold former values.
  return (parsed.deployment?.resources ?? []).filter((r: Resource) => !r.delete);
}

const nameOf = (r: Resource): string => r.urn.slice(r.urn.lastIndexOf("::") + 2);

/**
 * The own CA: the one that signed the server's certificate, generated or imported; otherwise the generated one, which
 * has not signed anything yet.
 */
function authorityIn(resources: Resource[]): Authority | undefined {
  const signed = plain(resources.find((r) => r.type === "tls:index/locallySignedCert:LocallySignedCert")?.inputs ?? {});
  const made = (type: string, name: RegExp): any =>
    plain(resources.find((r) => r.type === type && name.test(nameOf(r)))?.outputs ?? {});
  const privateKey = signed.caPrivateKeyPem ?? made("tls:index/privateKey:PrivateKey", /-ca-key$/).privateKeyPem;
  const certificate = signed.caCertPem ?? made("tls:index/selfSignedCert:SelfSignedCert", /-ca$/).certPem;
  return privateKey && certificate ? { privateKey, certificate } : undefined;
}

/** From the output of `pulumi stack export --show-secrets`. */
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

/** From the output of `kubectl get secret NAME -o json`. */
export const secretOf = (json: string): Record<string, string> | undefined =>
  json.trim() === "" ? undefined : decoded(JSON.parse(json).data);
