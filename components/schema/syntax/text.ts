/** Grammars of the texts in settings. `is...` return a boolean, `...Problem` what is wrong or undefined. Pure. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { isPrivateAddress } from "../../core/addresses";

/** One part of a DNS name, as Kubernetes object names need it: at most 63 characters. */
export const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Value of a Kubernetes label: at most 63 characters. */
export const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Whether a text is a DNS name in lower case. @param labels Fewest parts it must have. @default 1 */
export const isDnsName = (text: string, labels = 1): boolean =>
  text.length <= 253 &&
  text.split(".").length >= labels &&
  text.split(".").every((label) => DNS_LABEL.test(label)) &&
  !isIPv4(text);

/** Server name grammar of the Matrix specification (appendices, "Server name"), in lower case. */
export function isServerName(text: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text);
  if (!match || text.length > 230) return false;
  if (match[2] !== undefined && (Number(match[2]) < 1 || Number(match[2]) > 65535)) return false;
  if (match[1].startsWith("[")) return isIPv6(match[1].slice(1, -1));
  return isIPv4(match[1]) || isDnsName(match[1]);
}

/** Whether a text is a URL without user and password. @param protocols Allowed ones, with colon: `["https:"]` */
export function isUrl(text: string, protocols: string[]): boolean {
  // The parser leaves line breaks and blanks out; who gets the text would not.
  if (/[\s\p{Cc}]/u.test(text)) return false;
  try {
    const url = new URL(text);
    return protocols.includes(url.protocol) && url.hostname !== "" && url.username === "" && url.password === "";
  } catch {
    return false;
  }
}

/**
 * An S3 endpoint uses HTTPS; HTTP only if its address is private or its name internal (.svc, .internal, .local, .lan).
 */
export function isS3Endpoint(text: string): boolean {
  if (isUrl(text, ["https:"])) return true;
  if (!isUrl(text, ["http:"])) return false;
  const host = new URL(text).hostname.replace(/^\[|\]$/g, "");
  return isIP(host) ? isPrivateAddress(host) : /\.svc(\.|$)|\.(internal|local|lan)$/.test(host);
}

/** The parts of an image reference; `digest` with its `sha256:`. */
export interface ImageReference {
  repository: string;
  tag?: string;
  digest?: string;
}

// The grammar of distribution/reference: a registry with its port, then the parts of a path. A URL is none.
const REGISTRY = /[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?/.source;
const COMPONENT = /[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*/.source;
const IMAGE = new RegExp(
  `^((?:${REGISTRY}/)?${COMPONENT}(?:/${COMPONENT})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/** Parses an image reference; undefined when it is not valid. */
export function parseImage(text: string): ImageReference | undefined {
  const match = IMAGE.exec(text);
  return match ? { repository: match[1], tag: match[2], digest: match[3] } : undefined;
}

/** The known name that a mistyped one probably means; undefined when none is similar enough. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(name);
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  if (ranked.length > 0 && ranked[0].distance <= Math.max(1, Math.floor(wanted.length / 3))) return ranked[0].candidate;
  return known.find(
    (candidate) =>
      wanted.length >= 4 &&
      (plain(candidate).startsWith(wanted) || (wanted.startsWith(plain(candidate)) && candidate.length >= 4)),
  );
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 12) return 99;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = current;
  }
  return previous[b.length];
}

/** Whether a text is a moment in the form of RFC 3339. The zone is required, since programs assume different ones. */
export function isMoment(text: string): boolean {
  const m = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})$/.exec(text);
  if (!m || Number.isNaN(Date.parse(text))) return false;
  // Date.parse reads the 31st of February as the 3rd of March.
  const [, year, month, day] = m.map(Number);
  return new Date(Date.UTC(year!, month! - 1, day!)).getUTCDate() === day;
}
