/**
 * Every value that a deployment keeps secret, out of `pulumi stack export --show-secrets`; and where one of them is in
 * a text.
 */

const GENERATED = /^(random|tls):/;
/** Shorter ones could stand anywhere by chance. */
const LEAST = 12;

function plaintexts(value: any, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const v of value) plaintexts(v, into);
    return;
  }
  if (value === null || typeof value !== "object") return;
  if (typeof value.plaintext === "string") {
    leaves(JSON.parse(value.plaintext), into);
    return;
  }
  for (const v of Object.values(value)) plaintexts(v, into);
}
function leaves(value: any, into: Set<string>): void {
  if (typeof value === "string") {
    into.add(value);
    return;
  }
  if (value !== null && typeof value === "object") for (const v of Object.values(value)) leaves(v, into);
}

/** What a resource shows on purpose: the lines of a private key's end are those of its public half. */
const shownOf = (r: any): string =>
  JSON.stringify(Object.entries({ ...r.inputs, ...r.outputs }).filter(([key]) => /^(public|cert|caCert)/.test(key)));

export interface Secret {
  of: string;
  value: string;
}

const SECRET_OBJECT = "kubernetes:core/v1:Secret";
const isGenerated = (r: any): boolean => GENERATED.test(r.type);
const mayHoldSecrets = (r: any): boolean =>
  isGenerated(r) || r.type === SECRET_OBJECT || r.type === "command:remote:Command";

/** Certificates and the public halves of keys are public. */
const isPublic = (value: string): boolean => /^(-----BEGIN (CERTIFICATE|PUBLIC)|(ssh|ecdsa)-\S+ AAAA)/.test(value);

/**
 * What a resource keeps secret; of a Secret of the cluster, whose values the provider records in base64, also what they
 * stand for.
 */
function valuesOf(r: any): string[] {
  const values = new Set<string>();
  plaintexts(isGenerated(r) ? r.outputs : r.inputs, values);
  if (r.type !== SECRET_OBJECT) return [...values];
  const decoded = [...values]
    .filter((v) => Buffer.from(v, "base64").toString("base64") === v)
    .map((v) => Buffer.from(v, "base64").toString());
  return [...new Set([...values, ...decoded])];
}

/** A Secret of the cluster holds names and addresses too: of those only what looks generated. */
const looksGenerated = (line: string): boolean =>
  /^(ed25519 a_\w+ [A-Za-z0-9+/]{43}|[A-Za-z0-9]{32,}|[A-Za-z0-9+/=]{40,})$/.test(line);
const isSecretLine = (r: any, line: string): boolean =>
  line.length >= LEAST && !line.startsWith("-----") && (r.type !== SECRET_OBJECT || looksGenerated(line));

/**
 * Generated values, and those that settings gave, as the Secrets of the cluster and the SSH connections hold them; of a
 * text of several lines each.
 */
export function secretsIn(shown: string): Secret[] {
  const { resources } = JSON.parse(shown).deployment as { resources: any[] };
  const open = resources
    .filter((r) => r.type.startsWith("tls:"))
    .map(shownOf)
    .join("\n");
  return resources.filter(mayHoldSecrets).flatMap((r) =>
    valuesOf(r)
      .filter((v) => !isPublic(v))
      .flatMap((v) => v.split("\n"))
      .filter((line) => isSecretLine(r, line) && !open.includes(line))
      .map((line) => ({ of: r.urn.split("::").at(-1), value: line })),
  );
}

/** Each form in which it could appear. */
const forms = (value: string): string[] => [
  value,
  Buffer.from(value).toString("base64"),
  value.replace(/^ed25519 \S+ /, ""),
];

export function leaks(secrets: readonly Secret[], texts: Iterable<[where: string, text: string]>): string[] {
  const bad: string[] = [];
  for (const [where, text] of texts)
    for (const s of secrets) if (forms(s.value).some((f) => text.includes(f))) bad.push(`${s.of} is in ${where}`);
  return [...new Set(bad)];
}
