/**
 * Kubernetes quantities, made in one place and in the form in which Kubernetes itself writes them: 1Gi, not 1024Mi.
 * What passes through its types comes back so, and the engine, which compares with what it was told, would see a change
 * that nobody made (CloudNativePG's webhook did that at each second `pulumi up`). Pure.
 */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"],
  DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/** The finest that Kubernetes knows. */
const NANO = 10n ** 9n;

/** With the largest suffix that leaves a whole number. */
function suffixed(value: bigint, step: bigint, suffixes: string[]): string {
  let at = 0;
  for (; value % step === 0n && at < suffixes.length - 1; at++) value /= step;
  return `${value}${suffixes[at]}`;
}

const fromNano = (nano: bigint): string => (nano === 0n ? "0" : suffixed(nano, 1000n, DECIMAL));
const fromBytes = (bytes: bigint): string => (bytes < 1024n ? fromNano(bytes * NANO) : suffixed(bytes, 1024n, BINARY));

/**
 * A quantity as Kubernetes writes it (CanonicalizeBytes in k8s.io/apimachinery/pkg/api/resource); undefined for what is
 * none, and for signs and exponents, which nothing here needs.
 */
export function canonical(quantity: string): string | undefined {
  const m = /^(\d+)(?:\.(\d+))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?$/.exec(quantity);
  if (!m) return undefined;
  const [, whole = "", fraction = "", suffix = ""] = m;
  const binary = suffix.endsWith("i");
  const unit = binary ? NANO * 1024n ** BigInt(BINARY.indexOf(suffix)) : 1000n ** BigInt(DECIMAL.indexOf(suffix));
  const places = 10n ** BigInt(fraction.length);
  const nano = (BigInt(whole + fraction) * unit + places - 1n) / places; // rounded up
  return binary && nano % NANO === 0n ? fromBytes(nano / NANO) : fromNano(nano);
}

export const milliCpu = (cores: number): string =>
  fromNano(BigInt(Math.max(1, Math.round(cores * 1000))) * (NANO / 1000n));
export const mebi = (mib: number): string => fromBytes(BigInt(Math.round(mib)) * 1024n ** 2n);
export const gibi = (gib: number): string => fromBytes(BigInt(Math.ceil(gib)) * 1024n ** 3n);
