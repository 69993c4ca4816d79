/** Address ranges in coturn's notation, first-last. Pure. */
import { addressText, parseAddress, parseNetwork } from "../../core/addresses";

export interface AddressRange {
  first: string;
  last: string;
}

/**
 * First and last address of a network, or of a single address. Throws on anything else.
 *
 * @example cidrRange("10.0.0.0/8") // { first: "10.0.0.0", last: "10.255.255.255" }
 */
export function cidrRange(cidr: string): AddressRange {
  const range = parseAddress(cidr) ?? parseNetwork(cidr);
  if (!range) {
    throw new Error(
      `${JSON.stringify(cidr)} is not a valid address range. Give an address with a prefix length, such as 10.0.0.0/8 or fd00::/8.`,
    );
  }
  return { first: addressText(range.family, range.from), last: addressText(range.family, range.to) };
}

/** A single address, or first-last. Throws on the unspecified address. */
export const coturnRange = (cidr: string): string => {
  const { first, last } = cidrRange(cidr);
  if (first === last && /^[0:.]+$/.test(first))
    throw new Error(
      `${JSON.stringify(cidr)}: coturn takes the unspecified address to mean every address. Give the intended ranges.`,
    );
  return first === last ? first : `${first}-${last}`;
};
