/**
 * Kubernetes quantities, read and written in the canonical form of Kubernetes: 1Gi, not 1024Mi. Objects that pass
 * through Kubernetes' own types come back in that form. In any other form the engine would see a change that was never
 * made (CloudNativePG's webhook caused one at every second `pulumi up`). Pure.
 *
 * quantityToScalar of @kubernetes/client-node does not suffice: it refuses fractions before k, M, Ki, Mi (1.5Gi is an
 * error), has no canonical form, and loads the whole client, which takes half a second. A test compares the two.
 */
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"],
  DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"],
  EXPONENTS = Array.from({ length: 40 }, (_, i) => (i === 3 ? "" : `e${3 * i - 9}`));
/** The smallest unit of Kubernetes is a billionth. */
const NANO = 10n ** 9n;

/** The value with the largest suffix that leaves a whole number. */
function suffixed(value: bigint, step: bigint, suffixes: string[]): string {
  let at = 0;
  for (; value % step === 0n && at < suffixes.length - 1; at++) value /= step;
  return `${value}${suffixes[at]}`;
}

const fromNano = (nano: bigint): string => (nano === 0n ? "0" : suffixed(nano, 1000n, DECIMAL));
const fromBytes = (bytes: bigint): string => (bytes < 1024n ? fromNano(bytes * NANO) : suffixed(bytes, 1024n, BINARY));

/** A parsed quantity. Kubernetes keeps the kind of suffix that the text has. */
interface Quantity {
  nano: bigint;
  form: "binary" | "decimal" | "exponent";
}

/**
 * The grammar of k8s.io/apimachinery/pkg/api/resource; undefined for other texts. Signs are refused, since no amount of
 * CPU, memory or storage is negative, and so are exponents of more than two digits.
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
 * A quantity in canonical form (CanonicalizeBytes in k8s.io/apimachinery/pkg/api/resource); undefined when the text is
 * not a quantity.
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
 * The value of a quantity as a number: bytes, or cores.
 *
 * @example
 *   quantityValue("16G"); // 16000000000
 *   quantityValue("1500m"); // 1.5
 *
 * @throws Error when the text is not a quantity.
 */
export function quantityValue(quantity: string): number {
  const parsed = parse(quantity);
  if (!parsed)
    throw new Error(
      `${JSON.stringify(quantity)} is not a Kubernetes quantity. Give a number, alone or followed by one of m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or an exponent, like 500m, 8Gi or 1e3.`,
    );
  // In two parts: the value in billionths can be more than a number holds exactly.
  return Number(parsed.nano / NANO) + Number(parsed.nano % NANO) / Number(NANO);
}

/** Cores as a quantity, rounded to thousandths, at least 1m: 0.25 is "250m". */
export const milliCpu = (cores: number): string =>
  fromNano(BigInt(Math.max(1, Math.round(cores * 1000))) * (NANO / 1000n));
/** MiB as a quantity, rounded to whole MiB: 1024 is "1Gi". */
export const mebi = (mib: number): string => fromBytes(BigInt(Math.round(mib)) * 1024n ** 2n);
/** GiB as a quantity, rounded up to whole GiB: 1.2 is "2Gi". */
export const gibi = (gib: number): string => fromBytes(BigInt(Math.ceil(gib)) * 1024n ** 3n);
