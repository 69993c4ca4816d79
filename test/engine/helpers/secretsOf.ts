/** Every value that a deployment keeps secret, out of `pulumi stack export --show-secrets`; and where one of them is in a text. */

const GENERATED = /^(random|tls):/;
/** Shorter ones could stand anywhere by chance. */
const LEAST = 12;

function plaintexts(value: any, into: Set<string>): void {
  if (Array.isArray(value)) { for (const v of value) plaintexts(v, into); return; }
  if (value === null || typeof value !== "object") return;
  if (typeof value.plaintext === "string") { leaves(JSON.parse(value.plaintext), into); return; }
  for (const v of Object.values(value)) plaintexts(v, into);
}
function leaves(value: any, into: Set<string>): void {
  if (typeof value === "string") { into.add(value); return; }
  if (value !== null && typeof value === "object") for (const v of Object.values(value)) leaves(v, into);
}

/** What a resource shows on purpose: the lines of a private key's end are those of its public half. */
const shownOf = (r: any): string => JSON.stringify(Object.entries({ ...r.inputs, ...r.outputs }).filter(([key]) => /^(public|cert|caCert)/.test(key)));

export interface Secret { of: string; value: string }

/** Generated values, and those that settings gave, as the Secrets of the cluster and the SSH connections hold them. */
export function secretsIn(shown: string): Secret[] {
  const found: Secret[] = [];
  const { resources } = JSON.parse(shown).deployment;
  const open = resources.filter((r: any) => r.type.startsWith("tls:")).map(shownOf).join("\n");
  for (const r of resources) {
    const generated = GENERATED.test(r.type);
    if (!generated && r.type !== "kubernetes:core/v1:Secret" && r.type !== "command:remote:Command") continue;
    const values = new Set<string>();
    plaintexts(generated ? r.outputs : r.inputs, values);
    // The provider records a Secret's values in base64.
    if (r.type === "kubernetes:core/v1:Secret") for (const v of [...values]) if (Buffer.from(v, "base64").toString("base64") === v) values.add(Buffer.from(v, "base64").toString());
    // Certificates and the public halves of keys are public; of a text of several lines each is looked for.
    for (const v of values) if (!/^(-----BEGIN (CERTIFICATE|PUBLIC)|(ssh|ecdsa)-\S+ AAAA)/.test(v)) for (const line of v.split("\n")) if (line.length >= LEAST && !line.startsWith("-----") && !open.includes(line) && isSecretLine(r, line)) found.push({ of: r.urn.split("::").at(-1), value: line });
  }
  return found;
}
/** A Secret of the cluster holds names and addresses too: of those only what looks generated. */
const isSecretLine = (r: any, line: string): boolean => r.type !== "kubernetes:core/v1:Secret" || /^(ed25519 a_\w+ [A-Za-z0-9+/]{43}|[A-Za-z0-9]{32,}|[A-Za-z0-9+/=]{40,})$/.test(line);

/** Each form in which it could stand there. */
const forms = (value: string): string[] => [value, Buffer.from(value).toString("base64"), value.replace(/^ed25519 \S+ /, "")];

export function leaks(secrets: readonly Secret[], texts: Iterable<[where: string, text: string]>): string[] {
  const bad: string[] = [];
  for (const [where, text] of texts) for (const s of secrets) if (forms(s.value).some((f) => text.includes(f))) bad.push(`${s.of} is in ${where}`);
  return [...new Set(bad)];
}
