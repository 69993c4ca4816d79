/**
 * Kubernetes quantities, read and made in one place, in the form in which Kubernetes itself writes them: 1Gi, not
 * 1024Mi. What passes through its types comes back so, and the engine, which compares with what it was told, would see a
 * change that nobody made (CloudNativePG's webhook did that at each second `pulumi up`). Pure.
 *
 * Not quantityToScalar of @kubernetes/client-node: it takes no fractions before k, M, Ki, Mi (1.5Gi is an error), knows
 * no canonical form, and comes with the whole client, which takes half a second to load. A test holds both together.
 */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"],
  DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"],
  EXPONENTS = Array.from({ length: 40 }, (_, i) => (i === 3 ? "" : `e${3 * i - 9}`));
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

/** As the text says it: Kubernetes keeps to the kind of suffix that somebody chose. */
interface Quantity {
  nano: bigint;
  form: "binary" | "decimal" | "exponent";
}

/**
 * The grammar of k8s.io/apimachinery/pkg/api/resource; undefined for what is none, and for signs, since nothing that is
 * measured so is less than nothing. Of exponents those that fit into two digits.
 */
function parse(text: string): Quantity | undefined {
  const m = /^(?=\.?\d)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (!m) return undefined;
  const [, whole = "", fraction = "", suffix = "", exponent] = m;
  const form = exponent !== undefined ? "exponent" : suffix.endsWith("i") ? "binary" : "decimal";
  const power = Number(exponent ?? 0);
  const unit = {
    binary: () => NANO * 1024n ** BigInt(BINARY.indexOf(suffix)),
    decimal: () => 1000n ** BigInt(DECIMAL.indexOf(suffix)),
    exponent: () => NANO * 10n ** BigInt(Math.max(0, power)),
  }[form]();
  const places = 10n ** BigInt(fraction.length + Math.max(0, -power));
  return { nano: (BigInt(whole + fraction) * unit + places - 1n) / places, form }; // rounded up
}

/**
 * A quantity as Kubernetes writes it (CanonicalizeBytes in k8s.io/apimachinery/pkg/api/resource); undefined for what is
 * none.
 *
 * @example
 *   canonical("1024Mi"); // "1Gi"
 *   canonical("0.1"); // "100m"
 *   canonical("1500000e0"); // "1500e3"
 */
export function canonical(quantity: string): string | undefined {
  const parsed = parse(quantity);
  if (!parsed) return undefined;
  const { nano, form } = parsed;
  if (form === "exponent") return nano === 0n ? "0" : suffixed(nano, 1000n, EXPONENTS);
  return form === "binary" && nano % NANO === 0n ? fromBytes(nano / NANO) : fromNano(nano);
}

/**
 * What a quantity is worth: bytes, or cores.
 *
 * @example
 *   quantityValue("16G"); // 16000000000
 *   quantityValue("1500m"); // 1.5
 *
 * @throws When it is no quantity.
 */
export function quantityValue(quantity: string): number {
  const parsed = parse(quantity);
  if (!parsed)
    throw new Error(
      `${JSON.stringify(quantity)} is no Kubernetes quantity. Give a number with one of m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, an exponent, or nothing behind it, like 500m, 8Gi or 1e3.`,
    );
  // Apart, since the whole of it in billionths is more than a number holds exactly.
  return Number(parsed.nano / NANO) + Number(parsed.nano % NANO) / Number(NANO);
}

export const milliCpu = (cores: number): string =>
  fromNano(BigInt(Math.max(1, Math.round(cores * 1000))) * (NANO / 1000n));
export const mebi = (mib: number): string => fromBytes(BigInt(Math.round(mib)) * 1024n ** 2n);
export const gibi = (gib: number): string => fromBytes(BigInt(Math.ceil(gib)) * 1024n ** 3n);
