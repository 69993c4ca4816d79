/** Values of Synapse's configuration in the form of this stack's settings. Pure. */
import { isDnsName } from "../../components/schema/syntax/text";
import { But, decide, type Converter } from "./rules";

const BYTES: Record<string, number> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Mebibytes of Synapse's size, rounded up; undefined where it is none. @example sizeMiB("50M") is 50 */
export function sizeMiB(value: unknown): number | undefined {
  const match = /^(\d+)([KMGT]?)$/.exec(String(value));
  return match ? Math.ceil((Number(match[1]) * BYTES[match[2]!]!) / 2 ** 20) : undefined;
}

const MILLISECONDS: Record<string, number> = {
  "": 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Days of Synapse's duration, not rounded; undefined where it is none. @example durationDays("2w") is 14 */
export function durationDays(value: unknown): number | undefined {
  const match = /^(\d+)([smhdwy]?)$/.exec(String(value));
  return match ? (Number(match[1]) * MILLISECONDS[match[2]!]!) / MILLISECONDS.d! : undefined;
}

/** Whole days: nothing is deleted earlier than before. */
export const days: Converter = (value) => {
  const exact = durationDays(value);
  if (exact === undefined) return decide("it is not a duration");
  const whole = Math.max(1, Math.ceil(exact));
  return whole === exact ? whole : new But(whole, "rounded up to whole days");
};

export const mebibytes: Converter = (value) => sizeMiB(value) ?? decide("it is not a size");

/** The host of an https URL that has no path of its own. */
export const httpsHost: Converter = (value) => {
  let url: URL;
  try {
    url = new URL(String(value));
  } catch {
    return decide("it is not a URL");
  }
  if (url.protocol !== "https:") return decide("it is not https: give hostnames by hand");
  if (url.port !== "" || url.pathname !== "/")
    return decide("it has a port or a path: the ingress serves hosts at 443");
  return url.hostname;
};

/** A host that pods of another cluster can reach; a socket, the same machine or a neighbour in Compose cannot be. */
export const reachableHost: Converter = (value) => {
  const host = String(value);
  const address = /^[\d.]+$/.test(host) || host.includes(":");
  if (/^(127\.|::1$|localhost$)/.test(host) || host.startsWith("/") || (!address && !isDnsName(host, 2)))
    return decide(
      "only the old machine knows this address: give in database.importFrom.host one at which the cluster's hosts reach the old database",
    );
  return host;
};
