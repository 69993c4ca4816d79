/** Cross-field checks of the cluster: overlapping networks, IP families, address pools, storage classes. */
import type { CheckInput } from "../../core/layer";
import { overlaps, parseAddresses, type Interval } from "../../core/addresses";
import { servedServerName } from "../../domain/entranceNames";
import { POOLS_REMEDY } from "./settings";

interface Named {
  path: string;
  text: string;
  what: string;
  interval: Interval;
}

const named = (path: string, text: string, what: string): Named[] => {
  const interval = parseAddresses(text);
  return interval ? [{ path, text, what, interval }] : [];
};

export function checkCluster(given: CheckInput): void {
  checkOverlaps(given);
  checkFamilies(given);
  checkPools(given);
  checkAcme(given);
  checkStorageClasses(given);
}

/**
 * Names that no public authority certifies: reserved for private use (RFC 6761, RFC 6762, RFC 8375; ICANN reserved
 * `internal` in 2024), or in wide use for it.
 */
const PRIVATE_NAMES = /\.(local|localhost|internal|intranet|lan|home|corp|private|home\.arpa|test|invalid|onion)$/;
/** Authorities on the Internet. Others, on a network of one's own, may certify any name. */
const PUBLIC_AUTHORITIES = /(^|\.)(letsencrypt\.org|zerossl\.com|pki\.goog|buypass\.com|ssl\.com)$/;

function checkAcme({ settings, report }: CheckInput): void {
  const { tls, hostnames } = settings;
  if (tls.mode !== "acme" || !PUBLIC_AUTHORITIES.test(new URL(tls.server).hostname)) return;
  const names = [...new Set([...Object.values(hostnames), ...servedServerName(settings)])];
  const mine = names.filter((name) => PRIVATE_NAMES.test(name));
  if (mine.length === 0) return;
  report.add(
    {
      path: "tls.mode",
      given: `acme, with ${mine.join(", ")}`,
      allowed: "names that the whole Internet can resolve: the authority looks for each and asks this stack under it",
      remedy:
        "write tls: own-ca; or give names of a domain that you own; or tls.server, an ACME authority of your network",
    },
    ["tls", "domain", "serverName"],
  );
}

/**
 * The most IPv4 addresses of one entry of a pool. A stack announces at most one address for each of its nodes; a larger
 * network is a mistyped prefix, or somebody else's.
 */
const LARGEST_POOL = 1024n;

function checkOverlaps({ settings, report }: CheckInput): void {
  const { cluster } = settings;
  const networks = [
    ...cluster.podCidrs.flatMap((text, i) => named(`cluster.podCidrs[${i}]`, text, "the pods' network")),
    ...cluster.serviceCidrs.flatMap((text, i) => named(`cluster.serviceCidrs[${i}]`, text, "the Services' network")),
    ...settings.addressPools.flatMap((pool, p) =>
      pool.addresses.flatMap((text, i) => named(`addressPools[${p}].addresses[${i}]`, text, `pool ${pool.name}`)),
    ),
  ];
  const hosts = settings.hosts.flatMap((host, i) => named(`hosts[${i}].address`, host.address, `host ${host.name}`));
  const publics = settings.hosts.flatMap((host, i) =>
    host.publicAddress ? named(`hosts[${i}].publicAddress`, host.publicAddress, `public address of ${host.name}`) : [],
  );
  const clash = (a: Named, b: Named): void => {
    if (!overlaps(a.interval, b.interval)) return;
    report.add(
      {
        path: b.path,
        given: `${b.text} (${b.what})`,
        allowed: `addresses outside ${a.text} (${a.what}, ${a.path})`,
        remedy: `move one of the two: packets to the shared addresses would reach only one of them`,
      },
      [a.path],
    );
  };
  networks.forEach((a, i) => [...networks.slice(i + 1), ...hosts, ...publics].forEach((b) => clash(a, b)));
}

function checkFamilies({ settings, report }: CheckInput): void {
  const { cluster } = settings;
  for (const key of ["podCidrs", "serviceCidrs"] as const) {
    const families = cluster[key].map((text) => parseAddresses(text)?.family);
    if (cluster[key].length === 0)
      report.add({
        path: `cluster.${key}`,
        given: "an empty list",
        allowed: "one network, or one of each family",
        remedy:
          key === "podCidrs"
            ? "read it with `kubectl cluster-info dump | grep -m1 cluster-cidr`"
            : "read it with `kubectl cluster-info dump | grep -m1 service-cluster-ip-range`",
      });
    if (new Set(families).size < families.length)
      report.add({
        path: `cluster.${key}`,
        given: cluster[key].join(", "),
        allowed: "at most one network of each family",
        remedy: "write one IPv4 network, one IPv6 network, or one of each",
      });
  }
  cluster.ipFamilies.forEach((family, i) => {
    const has = cluster.serviceCidrs.some((text) => parseAddresses(text)?.family === (family === "IPv4" ? 4 : 6));
    if (!has)
      report.add(
        {
          path: `cluster.ipFamilies[${i}]`,
          given: family,
          allowed: "the families of cluster.serviceCidrs",
          remedy: `add an ${family} network to cluster.serviceCidrs (the cluster must have it), or remove ${family}`,
        },
        ["cluster.serviceCidrs"],
      );
  });
  if (new Set(cluster.ipFamilies).size < cluster.ipFamilies.length || cluster.ipFamilies.length === 0) {
    report.add(
      {
        path: "cluster.ipFamilies",
        given: cluster.ipFamilies.join(", ") || "an empty list",
        allowed: "IPv4, IPv6, or both, each once",
        remedy: "leave it out to take the families of cluster.serviceCidrs",
      },
      ["cluster.serviceCidrs"],
    );
  }
}

function checkPools({ input, settings, report }: CheckInput): void {
  if (input.addressPools === undefined && settings.cluster.install.metallb)
    report.add(
      {
        path: "addressPools",
        given: "nothing",
        allowed: "a list of at least one pool, from which MetalLB takes the ingress' address",
        remedy: `add \`addressPools\`: ${POOLS_REMEDY}; or cluster.install.metallb: false where the cluster gives addresses by other means`,
      },
      ["cluster.install.metallb"],
    );
  settings.addressPools.forEach((pool, i) => {
    const first = settings.addressPools.findIndex((other) => other.name === pool.name);
    if (first < i)
      report.add(
        {
          path: `addressPools[${i}].name`,
          given: `"${pool.name}", the same as addressPools[${first}]`,
          allowed: "a different name for each pool",
          remedy: "rename one of the two",
        },
        [`addressPools[${first}].name`],
      );
    pool.addresses.forEach((text, j) => {
      const interval = parseAddresses(text);
      const count = interval ? interval.to - interval.from + 1n : 0n;
      if (interval?.family !== 4 || count <= LARGEST_POOL) return;
      report.add({
        path: `addressPools[${i}].addresses[${j}]`,
        given: `"${text}", ${count.toLocaleString("en-US")} addresses`,
        allowed: `at most ${LARGEST_POOL.toLocaleString("en-US")}: addresses that no machine has, for MetalLB to announce`,
        remedy: "name the few free addresses that the network's administrator has set aside: 203.0.113.10-203.0.113.13",
      });
    });
    if (pool.use.length === 0)
      report.add({
        path: `addressPools[${i}].use`,
        given: "an empty list",
        allowed: "ingress, any",
        remedy: "leave `use` out for any use",
      });
  });
}

function checkStorageClasses({ input, settings, report }: CheckInput): void {
  const keys = ["database", "objectStore", "general"] as const;
  keys.forEach((key, i) => {
    const mine = settings.storage[key];
    if (!mine.create && input.storage[key].name === undefined) {
      report.add({
        path: `storage.${key}.name`,
        given: "nothing, although create is false",
        allowed: "the name of a StorageClass that exists",
        remedy: "run `kubectl get storageclass` and name one",
      });
    }
    for (const other of keys.slice(0, i)) {
      const theirs = settings.storage[other];
      if (mine.name === theirs.name && (mine.create || theirs.create)) {
        report.add(
          {
            path: `storage.${key}.name`,
            given: `"${mine.name}", the same as storage.${other}`,
            allowed: "a different name for each class that this stack creates",
            remedy: `leave the name out, or set create: false for both if the class exists`,
          },
          [`storage.${other}.name`],
        );
      }
    }
  });
}
