/**
 * The public entrance: at how many addresses, and how many connections the ingress controller's pods behind each hold.
 *
 * MetalLB announces an address from one host, and a load balancer that keeps clients' addresses (externalTrafficPolicy
 * Local) leads only to the pods of that host. So one address is one pod at work, however many replicas there are. Each
 * address therefore has a Service and pods of its own, on hosts that no other address uses: one works, the other takes
 * over. DNS names all addresses.
 */
import { addressText, familyOf, parseAddresses } from "../core/addresses";
import type { AddressPoolSettings, Settings } from "../settings/types";
import { hostsOf } from "./hosts";
import { ceilTo } from "./interpolate";
import type { Plan, Sized } from "./types";

/**
 * Connections that clients of one user hold open. Over HTTP/2 a browser has one for each host name and for each of the
 * two credential modes (Chromium and Firefox keep requests with and without cookies apart): one for the API, one for
 * images of the same name. The third is another device of the same user (Element X: one), or the page's own host while
 * Element Web loads. HTTP/1.1 would make it six for each host name; the entrance offers HTTP/2 to all.
 */
export const CLIENT_CONNECTIONS_PER_USER = 3;
/**
 * Connections to the router behind them: nginx opens one for each request that waits, and every running client has one
 * /sync that waits up to 30 s. Two: two devices, or one and a request beside it.
 */
export const PROXIED_CONNECTIONS_PER_USER = 2;
/** What a user costs of nginx's `worker_connections`, which counts both sides. */
export const CONNECTIONS_PER_USER = CLIENT_CONNECTIONS_PER_USER + PROXIED_CONNECTIONS_PER_USER;
/** Room above the mean of an address: clients choose one of the DNS records themselves, and not evenly. */
const UNEVEN = 1.5;
/** Room for what is not a user: other servers, probes, listening sockets, the controller's own requests. */
const OTHERS = 1024;

/**
 * Users for whom a further address is announced: with so many, a failover of one address makes 15,000 handshakes, which
 * two cores answer in some seconds (`openssl speed`: a signature takes 0.03 ms with P-256, 0.45 ms with RSA-2048).
 */
export const USERS_PER_ADDRESS = 5_000;
/** Fewest worker processes: a core's worth of TLS handshakes after a failover must not stop those who are connected. */
const LEAST_WORKERS = 2;

/**
 * Memory in KiB; test/real/door.test.ts measures it with nginx 1.30 and OpenSSL 3.5. A slot of `worker_connections`,
 * which each worker allocates at its start: 0.48. A client's connection with TLS and HTTP/2: 24. A request that waits,
 * with its connection to the router: 13, and 16 more (`proxy-buffer-size`) while its answer passes.
 */
export const SLOT_KIB = 0.5;
export const CLIENT_KIB = 26;
export const PROXIED_KIB = 32;
/** The controller, which caches the objects of its namespaces, and nginx's workers without connections. */
const BASE_MIB = 160;
/**
 * After a reload, workers of the old configuration keep their connections for 30 s while clients open new ones. At
 * other times this is the room for `UNEVEN`.
 */
const RELOAD = 2;

/** The pool for the entrance: the first for `ingress`, else the first for `any`, else the first. */
export const ingressPool = (pools: AddressPoolSettings[]): AddressPoolSettings | undefined =>
  pools.find((p) => p.use.includes("ingress")) ?? pools.find((p) => p.use.includes("any")) ?? pools[0];

/** The first `most` addresses of a pool, of one family. */
function firstAddresses(pool: AddressPoolSettings | undefined, family: "IPv4" | "IPv6", most: number): string[] {
  const found: string[] = [];
  for (const text of pool?.addresses ?? []) {
    const block = parseAddresses(text);
    if (!block || familyOf(text) !== family) continue;
    for (let a = block.from; a <= block.to && found.length < most; a += 1n) found.push(addressText(block.family, a));
  }
  return found;
}

/**
 * The addresses of each entrance, one of each IP family that the pool has; empty where this stack does not install the
 * controller, because another's Service is not this stack's.
 */
export function entrances(settings: Settings): string[][] {
  const { cluster, ingress, ccu } = settings;
  if (!cluster.install.ingressController) return [];
  // Two addresses on one host would share what one host carries.
  const wanted = Math.max(1, Math.min(Math.ceil(ccu / USERS_PER_ADDRESS), hostsOf(settings, "application").length));
  const lists = cluster.ipFamilies
    .map((family) =>
      ingress.addresses
        ? ingress.addresses.filter((a) => familyOf(a) === family)
        : firstAddresses(ingressPool(settings.addressPools), family, wanted),
    )
    .filter((list) => list.length > 0);
  const shortest = Math.min(...lists.map((list) => list.length));
  if (lists.length === 0) return [[]];
  return Array.from({ length: shortest }, (_, i) => lists.map((list) => list[i]!));
}

/** The entrance, from the size that the anchors give its controller. */
export function planDoor(settings: Settings, anchors: Sized): Plan["ingress"] {
  const { ccu, overrides } = settings;
  const addresses = entrances(settings);
  const doors = Math.max(1, addresses.length);
  const replicasEach = Math.max(2, Math.ceil((overrides.ingress.replicas ?? anchors.replicas) / doors));
  const users = Math.ceil(ccu / doors);
  const room = (perUser: number): number => Math.ceil(users * perUser * UNEVEN);
  const clients = room(CLIENT_CONNECTIONS_PER_USER);
  const proxied = room(PROXIED_CONNECTIONS_PER_USER);
  // The kernel does not share connections evenly between workers, and a worker without a free slot accepts none: each
  // could hold all.
  const workerConnections = ceilTo(clients + proxied + OTHERS, 1024);
  const cpu = overrides.ingress.cpu ?? anchors.cpu;
  const workers = Math.max(LEAST_WORKERS, Math.ceil(cpu));
  const needed =
    BASE_MIB +
    (workers * workerConnections * SLOT_KIB) / 1024 +
    (RELOAD * (users * (CLIENT_CONNECTIONS_PER_USER * CLIENT_KIB + PROXIED_CONNECTIONS_PER_USER * PROXIED_KIB))) / 1024;
  return {
    replicas: replicasEach * doors,
    cpu,
    memoryMiB: overrides.ingress.memoryMiB ?? Math.max(anchors.memoryMiB, ceilTo(needed, 64)),
    replicasEach,
    // While one host is lost and a new version rolls out, each entrance has one pod more.
    hostsApart: hostsOf(settings, "application").length >= (replicasEach + 1) * doors + 1,
    addresses,
    usersEach: users,
    clientConnections: clients,
    proxiedConnections: proxied,
    workers,
    workerConnections,
    // A connection is a file; the rest are sockets that listen, logs and the configuration.
    openFiles: workerConnections + OTHERS,
  };
}
