/** The deployment's own addresses, public ones included: what users make the servers connect to must not reach them. */
import { hostCidr } from "../core/addresses";
import type { Settings } from "../settings/types";

/** Each host by itself, by both of its addresses. @param except Addresses that are left out */
export const hostNetworks = ({ hosts }: Pick<Settings, "hosts">, except: ReadonlySet<string> = new Set()): string[] => [
  ...new Set(
    hosts
      .flatMap(({ address, publicAddress }) => [address, ...(publicAddress === undefined ? [] : [publicAddress])])
      .filter((address) => !except.has(address))
      .map(hostCidr),
  ),
];

/** Networks of pods and Services, and each host. @param except Addresses of hosts that are left out */
export const ownNetworks = (settings: Settings, except?: ReadonlySet<string>): string[] => [
  ...new Set([...hostNetworks(settings, except), ...settings.cluster.podCidrs, ...settings.cluster.serviceCidrs]),
];
