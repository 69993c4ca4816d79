/** When certificates end. Pure. */
import { certificateChain } from "../../../schema/syntax/keys";

/**
 * The moment when the first certificate of a PEM text ends, RFC 3339; undefined where it cannot be read, as the
 * placeholder of an encrypted one.
 */
export function firstEnd(pem: string): string | undefined {
  const ends = (certificateChain(pem) ?? []).map((certificate) => Date.parse(certificate.validTo));
  return ends.length > 0 ? new Date(Math.min(...ends)).toISOString() : undefined;
}
