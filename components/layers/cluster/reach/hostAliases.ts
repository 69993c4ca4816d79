/** Names that pods find at addresses of the operator's choice: `hostAliases` and `ingress.hairpin`. Pure. */
import { familyOf, MULTICAST, overlaps, parseAddress, parseCidr, UNSPECIFIED_IPV6 } from "../../../core/addresses";
import type { CheckInput } from "../../../core/layer";
import type { HostAlias } from "../../../core/workload/pod";
import { entranceNames } from "../../../domain/entranceNames";
import type { Settings } from "../../../settings/types";
import { entrances } from "../../../sizing/door";

/** What a pod's /etc/hosts gets; empty where nothing is set. Kubernetes wants each address once. */
export function hostAliases(settings: Settings): HostAlias[] {
  const byAddress = new Map<string, string[]>();
  const add = (ip: string, names: readonly string[]): void => {
    byAddress.set(ip, [...new Set([...(byAddress.get(ip) ?? []), ...names])]);
  };
  if (!settings.ingress.hairpin) for (const ip of entrances(settings).flat()) add(ip, entranceNames(settings));
  for (const { address, names } of settings.hostAliases) add(address, names);
  return [...byAddress].map(([ip, hostnames]) => ({ ip, hostnames }));
}

/** The same as a field of a pod; left out where it would be empty. */
export function aliased(settings: Settings): { hostAliases?: HostAlias[] } {
  const list = hostAliases(settings);
  return list.length > 0 ? { hostAliases: list } : {};
}

/** Where no server of anybody's is: the pod itself, and the network card's own link. */
const NOWHERE = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", UNSPECIFIED_IPV6, ...MULTICAST];

export function checkHostAliases({ settings, report }: CheckInput): void {
  checkHairpin({ settings, report });
  const known = new Map<string, string>();
  const own = new Set(settings.ingress.hairpin ? [] : entranceNames(settings));
  settings.hostAliases.forEach(({ address, names }, i) => {
    const at = `hostAliases[${i}]`;
    const one = parseAddress(address);
    if (one && NOWHERE.some((network) => overlaps(parseCidr(network)!, one)))
      report.add({
        path: `${at}.address`,
        given: `${address}, which is a pod's own or no machine's`,
        allowed: "the address of another machine",
        remedy: "give the address at which the server answers inside",
      });
    if (names.length === 0)
      report.add({
        path: `${at}.names`,
        given: "an empty list",
        allowed: "at least one name",
        remedy: "list the names that pods look up, or remove the entry",
      });
    names.forEach((name, j) => {
      const path = `${at}.names[${j}]`;
      if (name.endsWith(`.svc.${settings.cluster.domain}`))
        report.add(
          {
            path,
            given: `${name}, a Service of the cluster`,
            allowed: "names outside the cluster: Services are found by the cluster's DNS",
            remedy: "remove it",
          },
          ["cluster.domain"],
        );
      if (own.has(name))
        report.add(
          {
            path,
            given: `${name}, which ingress.hairpin: false leads to the entrance`,
            allowed: "names of other servers",
            remedy: "remove it here, or leave ingress.hairpin out",
          },
          ["ingress.hairpin"],
        );
      // One address of each family: a program may take either.
      const key = `${familyOf(address)} ${name}`;
      const first = known.get(key);
      if (first !== undefined)
        report.add(
          {
            path,
            given: `${name}, the same as ${first}`,
            allowed: "each name at one address of each family: many programs use the first only",
            remedy: "remove one of the two",
          },
          [first],
        );
      else known.set(key, path);
    });
  });
}

/** The addresses have to be known. */
function checkHairpin({ settings, report }: Pick<CheckInput, "settings" | "report">): void {
  if (settings.ingress.hairpin || entrances(settings).flat().length > 0) return;
  report.add(
    {
      path: "ingress.hairpin",
      given: "false, although this stack does not know the addresses of the entrance",
      allowed: "false where this stack installs the ingress controller and has a pool of addresses for it",
      remedy: `leave it out, and write hostAliases: [{address: ADDRESS OF YOUR CONTROLLER INSIDE, names: [${entranceNames(settings).join(", ")}]}]`,
    },
    ["cluster.install.ingressController", "addressPools"],
  );
}
