/**
 * Pods and policies of a stack as a Network, and what the table of edges says about any two ends: two readings of the
 * same stack that are compared. Labels are read from the objects, not from the code that makes them.
 */
import type { Edge, Peer } from "../../components/core/edges";
import type { Settings } from "../../components/settings/types";
import { Network, type Endpoint, type Port } from "./simulator";

/** `foreign`: a pod of a namespace without policies, which is not this stack's. */
export type Ends = Endpoint & {
  kind: "pod" | "node" | "apiServer" | "world" | "foreign";
  /** A control-plane host is both: a node, and the API server. */ host?: boolean;
};
export interface World {
  network: Network;
  ends: Ends[];
}

const COMPONENT = "app.kubernetes.io/component";
const subset = (want: Record<string, string>, have: Record<string, string>): boolean =>
  Object.entries(want).every(([k, v]) => have[k] === v);

/**
 * Are these labels those of the pods that an edge means? An operator's pods carry its own labels (CloudNativePG:
 * "Labels and annotations").
 */
function means(peer: Extract<Peer, { namespace: string }>, namespace: string, labels: Record<string, string>): boolean {
  if (peer.namespace !== namespace) return false;
  return "labels" in peer
    ? subset(peer.labels, labels)
    : labels[COMPONENT] === peer.component || labels["cnpg.io/poolerName"] === peer.component;
}

/** Address inside of a network, the first that a host can have. */
const within = (cidr: string): string => cidr.replace(/\/.*$/, "").replace(/\.0$/, ".1").replace(/::$/, "::1");

/**
 * Is the endpoint what the peer of an edge names? Whoever comes from the world may be a host; who goes out to the world
 * does not mean the hosts.
 */
export function isPeer(peer: Peer, e: Ends, side: "from" | "to" = "from"): boolean {
  if ("namespace" in peer) return e.pod !== undefined && means(peer, e.pod.namespace, e.pod.labels);
  if ("nodes" in peer) return e.host === true;
  if ("apiServer" in peer) return e.kind === "apiServer";
  if ("cidrs" in peer) return peer.cidrs.some((c) => within(c) === e.address);
  return e.kind === "world" || (e.host ? side === "from" : e.kind === "node" || e.kind === "apiServer");
}

interface PodInput {
  namespace: string;
  labels: Record<string, string>;
  hostNetwork: boolean;
  name: string;
}
interface Input {
  objects: any[];
  pods: PodInput[];
  edges: Edge[];
  settings: Settings;
  replicas?: number;
}

/** Both ends of each edge, as the table names them. */
const peersOf = (edges: Edge[]): Peer[] => edges.flatMap((e) => [e.from, e.to]);

/** Adds pods, each with an address of its own; `guarded`: the namespaces that have policies. */
function podAdder(
  ends: Ends[],
  guarded: ReadonlySet<string>,
): (name: string, namespace: string, labels: Record<string, string>) => void {
  let n = 0;
  const address = (): string => {
    n++;
    return `10.244.${Math.floor(n / 250)}.${1 + (n % 250)}`;
  };
  return (name, namespace, labels) => {
    ends.push({
      kind: guarded.has(namespace) ? "pod" : "foreign",
      name,
      address: address(),
      pod: { namespace, labels },
    });
  };
}

function addPods(ends: Ends[], { pods, edges, replicas = 2 }: Input, guarded: ReadonlySet<string>): void {
  const add = podAdder(ends, guarded);
  // On the host's network a pod is its node.
  for (const p of pods.filter((x) => !x.hostNetwork))
    for (let i = 0; i < replicas; i++) add(`${p.namespace}/${p.name}#${i}`, p.namespace, p.labels);
  const onHosts = pods.filter((p) => p.hostNetwork);
  for (const peer of peersOf(edges)) {
    if (
      !("namespace" in peer) ||
      ends.some((e) => isPeer(peer, e)) ||
      onHosts.some((p) => means(peer, p.namespace, p.labels))
    )
      continue;
    const labels = "labels" in peer ? peer.labels : { [COMPONENT]: peer.component };
    add(
      `${peer.namespace}/${"component" in peer ? peer.component : peer.label} (made by others)`,
      peer.namespace,
      labels,
    );
  }
  add("kube-system/kube-dns", "kube-system", { "k8s-app": "kube-dns" });
  add("elsewhere/a pod", "elsewhere", { [COMPONENT]: "synapse-main" });
}

/** On one of the nodes, or at an address of its own. */
function addApiServer(ends: Ends[], cidrs: string[]): void {
  for (const c of cidrs) {
    const found = ends.find((e) => e.address === within(c));
    if (found) found.kind = "apiServer";
    else ends.push({ kind: "apiServer", name: "the API server", address: within(c) });
  }
}

/** Ends that edges name by an address that is not known yet, and all other addresses. */
function addWorld(ends: Ends[], edges: Edge[], known: Set<string>): void {
  for (const peer of peersOf(edges)) {
    if ("cidrs" in peer)
      for (const c of peer.cidrs)
        if (!known.has(within(c))) {
          known.add(within(c));
          ends.push({ kind: "world", name: `${peer.label} ${c}`, address: within(c) });
        }
  }
  ends.push({ kind: "world", name: "the world", address: "203.0.113.9" });
}

/**
 * Two pods of each template (what holds between two pods holds between two replicas too), nodes, the API server, the
 * world, a pod of a namespace that has no policies, and one pod for each peer of an edge that others make.
 */
export function world(input: Input): World {
  const { objects, settings, edges } = input;
  const ends: Ends[] = [];
  const policies = objects.filter((o) => o.kind === "NetworkPolicy");
  addPods(ends, input, new Set(policies.map((p) => p.metadata.namespace)));
  for (const h of settings.hosts) ends.push({ kind: "node", host: true, name: `node ${h.name}`, address: h.address });
  const known = new Set(ends.map((e) => e.address));
  addApiServer(ends, settings.networkPolicies.apiServerCidrs);
  addWorld(ends, edges, known);
  const namespaces = Object.fromEntries(
    objects.filter((o) => o.kind === "Namespace").map((o) => [o.metadata.name, o.metadata.labels ?? {}]),
  );
  return { network: new Network(policies, namespaces), ends };
}

export const isOpen = (e: Edge, p: Port): boolean =>
  e.ports.some((x) => x.protocol === p.protocol && p.port >= x.port && p.port <= (x.endPort ?? x.port));

/** Ports of an edge, of a range its first, its last and one between. */
export const portsOf = (e: Edge): Port[] =>
  e.ports.flatMap((p) =>
    [...new Set([p.port, Math.floor((p.port + (p.endPort ?? p.port)) / 2), p.endPort ?? p.port])].map((port) => ({
      port,
      protocol: p.protocol,
    })),
  );

/** Whether the endpoint may ask for public names, which may lead back into the cluster. */
const asksTheWeb = (from: Ends, edges: Edge[]): boolean =>
  edges.some(
    (e) =>
      "world" in e.to &&
      isPeer(e.from, from) &&
      (isOpen(e, { port: 443, protocol: "TCP" }) || isOpen(e, { port: 80, protocol: "TCP" })),
  );

/**
 * What the table does not say edge by edge, and is meant to be open all the same. Each has one reason; the list is
 * short on purpose and each entry must be needed by some pair.
 */
export const BESIDES: Array<{ why: string; open: (from: Ends, to: Ends, p: Port, edges: Edge[]) => boolean }> = [
  {
    why: "every pod asks the cluster's DNS",
    open: (from, to, p) =>
      from.pod !== undefined &&
      to.pod?.labels["k8s-app"] === "kube-dns" &&
      to.pod.namespace === "kube-system" &&
      p.port === 53 &&
      p.protocol !== "SCTP",
  },
  {
    why: "the API server on the port of its Service as well",
    open: (from, to, p, edges) =>
      to.kind === "apiServer" &&
      p.protocol === "TCP" &&
      (p.port === 443 || p.port === 6443) &&
      edges.some((e) => "apiServer" in e.to && isPeer(e.from, from)),
  },
  {
    why: "the stack's own public names lead back to the ingress controller",
    open: (from, to, p, edges) =>
      p.protocol === "TCP" &&
      asksTheWeb(from, edges) &&
      (to.pod?.labels["app.kubernetes.io/name"] === "nginx-ingress"
        ? edges.some((e) => "world" in e.from && isPeer(e.to, to) && isOpen(e, p))
        : // A controller that exists, at the container ports of the usual ones.
          [80, 443, 8000, 8080, 8443].includes(p.port) &&
          edges.some((e) => "label" in e.from && e.from.label === "ingress-controller" && isPeer(e.from, to))),
  },
  {
    why: "a controller that is not this stack's may answer the public names on the hosts' own network",
    open: (from, to, p, edges) =>
      to.host === true &&
      p.protocol === "TCP" &&
      (p.port === 443 || p.port === 80) &&
      asksTheWeb(from, edges) &&
      !edges.some((e) => "component" in e.from && e.from.component === "ingress-controller"),
  },
  {
    why: "pods of namespaces that are not this stack's count as the world, and, where webhooks are asked through an overlay, as the API server",
    open: (from, to, p, edges) =>
      from.kind === "foreign" &&
      edges.some((e) => ("world" in e.from || "apiServer" in e.from) && isPeer(e.to, to) && isOpen(e, p)),
  },
];
