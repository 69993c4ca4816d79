/** Settings that define a stack: the number of users and the names. Pure. */

import { hostname, int, section, text } from "../../schema/fields";
import { isServerName } from "../../schema/syntax/text";

/** Largest number of users that is planned: ten times the largest that was run. */
export const MOST_CCU = 200_000;

export const identitySettings = {
  ccu: int(1, MOST_CCU, {
    doc: "Concurrent users: the number that all sizes follow from. Measured from 100 to 20,000. Below 100 the smallest size is used; above 20,000 the plan extrapolates and says so.",
    remedy: "pulumi config set ccu 1000",
    example: 1000,
  }),
  domain: hostname({
    doc: "Base of the public host names.",
    remedy: "give a domain that you own, without https:// and without a trailing dot",
  }),
  serverName: text(
    {
      doc: "The `:server` part of user ids (@user:example.com). It can NEVER be changed later.",
      defaultText: "domain",
      allowed: "a server name of the Matrix specification: host[:port], in lower case",
      remedy: "give the name that user ids should end in, usually the domain itself",
    },
    isServerName,
    "example.com",
  ).optional(),
  hostnames: section(
    {
      homeserver: hostname({ doc: "Client and federation API.", defaultText: "matrix.<domain>" }).optional(),
      web: hostname({ doc: "Element Web.", defaultText: "chat.<domain>" }).optional(),
      admin: hostname({ doc: "Admin UI.", defaultText: "admin.<domain>" }).optional(),
      rtc: hostname({ doc: "Calls: SFU signalling and its token service.", defaultText: "rtc.<domain>" }).optional(),
      turn: hostname({ doc: "TURN over TLS.", defaultText: "turn.<domain>" }).optional(),
    },
    { doc: "Public host names. Each needs a DNS record." },
  ).prefault({}),
};
