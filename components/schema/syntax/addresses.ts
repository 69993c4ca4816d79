/** Arithmetic on addresses, CIDRs and ranges of both families. Pure. */
import { isIP } from "node:net";

export interface Interval {
  family: 4 | 6;
  from: bigint;
  to: bigint;
}

export function addressToInt(address: string): { family: 4 | 6; value: bigint } | undefined {
  const family = isIP(address);
  if (family === 4) return { family, value: address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  if (family === 6) return { family, value: ipv6ToInt(address) };
  return undefined;
}

function ipv6ToInt(address: string): bigint {
  let text = address.replace(/%.*$/, "");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const v4 = addressToInt(dotted[2])!.value;
    text = `${dotted[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const [head, tail] = text.split("::");
  const left = head ? head.split(":") : [];
  const right = tail ? tail.split(":") : [];
  const zeros = text.includes("::") ? Array<string>(8 - left.length - right.length).fill("0") : [];
  return [...left, ...zeros, ...right].reduce((sum, part) => (sum << 16n) + BigInt(`0x${part}`), 0n);
}

/** A CIDR whose host bits are all zero, as an interval; undefined when it is none. */
export function parseCidr(text: string): Interval | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match && addressToInt(match[1]);
  if (!match || !address) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const prefix = Number(match[2]);
  if (prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  if (address.value % size !== 0n) return undefined;
  return { family: address.family, from: address.value, to: address.value + size - 1n };
}

/** A CIDR, a single address or a range `first-last`. */
export function parseAddresses(text: string): Interval | undefined {
  const cidr = parseCidr(text);
  if (cidr) return cidr;
  const parts = text.split("-").map((part) => addressToInt(part.trim()));
  if (parts.length > 2 || parts.some((part) => !part)) return undefined;
  const [first, last = first] = parts as Array<{ family: 4 | 6; value: bigint }>;
  if (first.family !== last.family || last.value < first.value) return undefined;
  return { family: first.family, from: first.value, to: last.value };
}

export const overlaps = (a: Interval, b: Interval): boolean =>
  a.family === b.family && a.from <= b.to && b.from <= a.to;

export const familyOf = (text: string): "IPv4" | "IPv6" => (parseAddresses(text)?.family === 6 ? "IPv6" : "IPv4");

/** Half of the address space counts as the whole Internet. */
const WHOLE_INTERNET_BITS = 1n;

export function isWholeInternet(text: string): boolean {
  const interval = parseAddresses(text);
  if (!interval) return false;
  const bits = interval.family === 4 ? 32n : 128n;
  return interval.to - interval.from + 1n >= 1n << (bits - WHOLE_INTERNET_BITS);
}
