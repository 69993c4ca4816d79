/** Address ranges as coturn writes them: first-last. Pure. */
import { isIPv4, isIPv6 } from "node:net";

export interface AddressRange {
  first: string;
  last: string;
}

export function cidrRange(cidr: string): AddressRange {
  const [address, length] = cidr.split("/");
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (bits === undefined || prefix === undefined || !Number.isInteger(prefix) || prefix < 0 || prefix > bits) {
    throw new Error(
      `${JSON.stringify(cidr)} is no address range. Give an address with a prefix length, like 10.0.0.0/8 or fd00::/8.`,
    );
  }
  const size = 1n << BigInt(bits - prefix);
  const first = (toNumber(address) / size) * size;
  const format = bits === 32 ? v4 : v6;
  return { first: format(first), last: format(first + size - 1n) };
}

/** One address alone, or first-last. */
export const coturnRange = (cidr: string): string => {
  const { first, last } = cidrRange(cidr);
  if (first === last && /^[0:.]+$/.test(first))
    throw new Error(
      `${JSON.stringify(cidr)}: coturn takes the unspecified address for any address. Name the ranges that are meant.`,
    );
  return first === last ? first : `${first}-${last}`;
};

function toNumber(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((n, part) => n * 256n + BigInt(part), 0n);
  // An IPv4 tail (::ffff:10.0.0.1) is two groups.
  const plain = address.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const [a, b, c, d] = tail.split(".").map(Number) as [number, number, number, number];
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head, tail] = plain.split("::");
  const groups = (text: string | undefined): string[] => (text ? text.split(":") : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all =
    tail === undefined ? groups(head) : [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
  return all.reduce((n, group) => n * 65536n + BigInt(`0x${group}`), 0n);
}

const v4 = (n: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (n >> shift) & 255n).join(".");
const v6 = (n: bigint): string =>
  Array.from({ length: 8 }, (_v, i) => ((n >> BigInt(112 - 16 * i)) & 65535n).toString(16)).join(":");
