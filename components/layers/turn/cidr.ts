/** Address ranges as coturn writes them: first-last. Pure. */
import { addressText, parseAddress, parseNetwork } from "../../core/addresses";

export interface AddressRange {
  first: string;
  last: string;
}

export function cidrRange(cidr: string): AddressRange {
  const range = parseAddress(cidr) ?? parseNetwork(cidr);
  if (!range) {
    throw new Error(
      `${JSON.stringify(cidr)} is no address range. Give an address with a prefix length, like 10.0.0.0/8 or fd00::/8.`,
    );
  }
  return { first: addressText(range.family, range.from), last: addressText(range.family, range.to) };
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
