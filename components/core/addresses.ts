/**
 * IP addresses, networks and ranges of both families, as numbers that can be compared. ipaddr.js reads and writes them,
 * but Node decides whether a text is an address: ipaddr.js also accepts 10.1, 0x7f.1 and octal numbers, which different
 * programs read differently. Pure.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** All addresses from `from` to `to`, both included. For a single address the two are equal. */
export interface Interval {
  family: Family;
  from: bigint;
  to: bigint;
}

const BITS: Record<Family, number> = { 4: 32, 6: 128 };

/**
 * An address as ipaddr.js represents it; undefined when the text is not an address. Accepts four decimal parts, or IPv6
 * in any of its forms, but no zone (fe80::1%eth0): a zone names an interface of one machine and means nothing to
 * others.
 */
function read(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (isIP(text) === 0 || text.includes("%")) return undefined;
  // ipaddr.js reads ::10.0.0.1 as ::ffff:10.0.0.1, which is a different address.
  return ipaddr.parse(text.replace(/^::(?=\d+\.)/, "0::"));
}

/** The 4 or 16 bytes of an address in network order; undefined when the text is not an address. */
export const addressBytes = (text: string): Buffer | undefined => {
  const address = read(text);
  return address && Buffer.from(address.toByteArray());
};

/** A single address, without port, prefix or zone; undefined when the text is not one. */
export function parseAddress(text: string): Interval | undefined {
  const bytes = addressBytes(text);
  if (!bytes) return undefined;
  const value = BigInt(`0x${bytes.toString("hex")}`);
  return { family: bytes.length === 4 ? 4 : 6, from: value, to: value };
}

/**
 * The network that contains an address; undefined when the text is not an address with a prefix length.
 *
 * @example
 *   parseNetwork("172.16.5.4/12"); // 172.16.0.0 to 172.31.255.255
 *
 * @param text An address and a prefix length; host bits may be set.
 */
export function parseNetwork(text: string): Interval | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match && parseAddress(match[1]);
  if (!match || !address || Number(match[2]) > BITS[address.family]) return undefined;
  const size = 1n << BigInt(BITS[address.family] - Number(match[2]));
  const from = address.from - (address.from % size);
  return { family: address.family, from, to: from + size - 1n };
}

/** A CIDR as an interval; undefined when the text is not a CIDR, or when one of its host bits is set. */
export function parseCidr(text: string): Interval | undefined {
  const network = parseNetwork(text);
  return network && parseAddress(text.split("/")[0])?.from === network.from ? network : undefined;
}

/**
 * A CIDR, a single address or a range; undefined when the text is none of these, or the range is empty or mixes
 * families.
 *
 * @example
 *   parseAddresses("203.0.113.10-203.0.113.20");
 */
export function parseAddresses(text: string): Interval | undefined {
  const cidr = parseCidr(text);
  if (cidr) return cidr;
  const parts = text.split("-").map((part) => parseAddress(part.trim()));
  if (parts.length > 2 || parts.some((part) => !part)) return undefined;
  const [first, last = first] = parts as Interval[];
  if (first.family !== last.family || last.to < first.from) return undefined;
  return { family: first.family, from: first.from, to: last.to };
}

/** Whether the two share an address. */
export const overlaps = (a: Interval, b: Interval): boolean =>
  a.family === b.family && a.from <= b.to && b.from <= a.to;

/** Whether every address of `inner` is in `outer`. */
export const contains = (outer: Interval, inner: Interval): boolean =>
  outer.family === inner.family && outer.from <= inner.from && inner.to <= outer.to;

/** Family of an address, CIDR or range, in the words of Kubernetes; IPv4 when the text cannot be read. */
export const familyOf = (text: string): "IPv4" | "IPv6" => (parseAddresses(text)?.family === 6 ? "IPv6" : "IPv4");

/** An address as text: 10.0.0.1, or all eight groups of an IPv6 address (fc00:0:0:0:0:0:0:1). */
export function addressText(family: Family, value: bigint): string {
  const bytes = Buffer.from(value.toString(16).padStart(BITS[family] / 4, "0"), "hex");
  return ipaddr.fromByteArray([...bytes]).toNormalizedString();
}

/** A single address as a network: 10.0.0.1/32, fd00::1/128. */
export const hostCidr = (address: string): string => `${address}/${BITS[parseAddress(address)?.family ?? 4]}`;

/**
 * The smallest network that contains all of these intervals, as a CIDR.
 *
 * @param intervals At least one, all of the same family.
 */
export function commonNetwork(intervals: readonly Interval[]): string {
  const { family } = intervals[0]!;
  const ends = intervals.flatMap(({ from, to }) => [from, to]);
  let free = 0n;
  while (new Set(ends.map((end) => end >> free)).size > 1) free++;
  return `${addressText(family, (ends[0]! >> free) << free)}/${BITS[family] - Number(free)}`;
}

/** The names that ipaddr.js has for ranges that are not routed on the Internet. */
const PRIVATE: readonly string[] = ["private", "loopback", "linkLocal", "carrierGradeNat", "uniqueLocal"];

/** Whether an address cannot be reached over the Internet; false when the text is not an address. */
export const isPrivateAddress = (address: string): boolean => PRIVATE.includes(read(address)?.range() ?? "");

/** A network of at least half the address space (/0 or /1) counts as the whole Internet. */
const WHOLE_INTERNET_BITS = 1n;

/** Whether a CIDR or range is so large that it means everyone; false when the text cannot be read. */
export function isWholeInternet(text: string): boolean {
  const interval = parseAddresses(text);
  if (!interval) return false;
  const bits = interval.family === 4 ? 32n : 128n;
  return interval.to - interval.from + 1n >= 1n << (bits - WHOLE_INTERNET_BITS);
}

/**
 * Networks without machines on the Internet (IANA special-purpose registries): whatever connects to addresses that
 * users name must not reach them. The one list for all that does; the unspecified address of IPv6 and multicast are
 * beside it.
 */
export const SPECIAL_NETWORKS = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "240.0.0.0/4",
  "::1/128",
  // These embed IPv4 addresses, private ones included: ::ffff:0:0/96, 64:ff9b::/96, 2001::/32 and 2002::/16.
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/32",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
] as const;
/** Means this machine to whoever connects to it. */
export const UNSPECIFIED_IPV6 = "::/128";
export const MULTICAST = ["224.0.0.0/4", "ff00::/8"] as const;
/** All of these: what nothing connects to because a user or another server named it. */
export const RESERVED_NETWORKS: readonly string[] = [...SPECIAL_NETWORKS, UNSPECIFIED_IPV6, ...MULTICAST];
