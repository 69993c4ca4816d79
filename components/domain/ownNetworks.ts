/** The deployment's own addresses, public ones included: what users make the servers connect to must not reach them. */
import { isIP } from "node:net";
import { hostCidr } from "../core/addresses";
import type { Settings } from "../settings/types";

/** Networks of pods and Services, and each host. @param except Addresses of hosts that are left out */
export const ownNetworks = (settings: Settings, except: ReadonlySet<string> = new Set()): string[] => [
  ...new Set([
    ...settings.hosts
      .flatMap((h) => [h.address, ...(h.publicAddress === undefined ? [] : [h.publicAddress])])
      .filter((a) => isIP(a) !== 0 && !except.has(a))
      .map(hostCidr),
    ...settings.cluster.podCidrs,
    ...settings.cluster.serviceCidrs,
  ]),
];
