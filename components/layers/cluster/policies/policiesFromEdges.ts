/**
 * NetworkPolicies from the edges: by default no traffic into or out of the stack's namespaces, and for each end of an
 * edge one policy that allows its edges. Pure.
 */
import type { networking } from "@pulumi/kubernetes/types/input";
import { familyOf, hostCidr } from "../../../core/addresses";
import { isPods, peerLabels, type Edge, type Peer, type PodPeer } from "../../../core/edges";
import { NAMESPACES } from "../../../core/names";
import { hostNetworks } from "../../../domain/ownNetworks";
import type { Settings } from "../../../settings/types";
import { ingressPeer, ingressWebPorts } from "../ingressController/peer";

/** One side of a rule, as Kubernetes writes it. */
export interface PolicyPeer {
  podSelector?: object;
  namespaceSelector?: object;
  ipBlock?: { cidr: string; except?: string[] };
}
/** A port, or a range when `endPort` is set. */
export interface PolicyPort {
  protocol: "TCP" | "UDP";
  port: number;
  endPort?: number;
}
/** Traffic with any of the peers on any of the ports. */
export interface PolicyRule {
  peers: PolicyPeer[];
  ports: PolicyPort[];
}
/** A NetworkPolicy. */
export interface PolicyPlan {
  name: string;
  namespace: string;
  /** Pods that it applies to; {}: all pods of the namespace. */
  podSelector: { matchLabels?: Record<string, string> };
  ingress: PolicyRule[];
  egress: PolicyRule[];
  /** The purposes of its edges, one line each; rendered as an annotation. */
  why: string[];
}

const ENTIRE = { IPv4: "0.0.0.0/0", IPv6: "::/0" } as const;
const blocks = (cidrs: string[]): PolicyPeer[] => cidrs.map((cidr) => ({ ipBlock: { cidr } }));

const everywhere = (settings: Settings): string[] => settings.cluster.ipFamilies.map((f) => ENTIRE[f]);

/** Selects all pods with an empty selector: an empty `matchLabels` would look like a change at every apply. */
function podsOf(p: Parameters<typeof peerLabels>[0]): { matchLabels?: Record<string, string> } {
  const matchLabels = peerLabels(p);
  return Object.keys(matchLabels).length ? { matchLabels } : {};
}

/**
 * Link-local addresses: what answers there belongs to the host, such as a cloud's metadata service, which hands out the
 * host's credentials.
 */
const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"] as const;

/**
 * Networks that are not the world, though their addresses are somewhere in it: the cluster's own, and its hosts, where
 * SSH, kubelets, etcd and what else runs there would answer a pod that was taken over.
 */
const notTheWorld = (settings: Settings): string[] => [
  ...settings.cluster.podCidrs,
  ...settings.cluster.serviceCidrs,
  ...hostNetworks(settings),
  ...LINK_LOCAL,
];

/** An end of an edge as peers of a rule. `outgoing`: the policy's pods connect to it. */
function peers(p: Peer, settings: Settings, outgoing: boolean): PolicyPeer[] {
  if (isPods(p))
    return [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": p.namespace } }, podSelector: podsOf(p) },
    ];
  if ("nodes" in p) return blocks(settings.hosts.map((h) => hostCidr(h.address)));
  if ("apiServer" in p) return apiServer(settings, outgoing);
  if ("cidrs" in p) return blocks(p.cidrs);
  if (!outgoing) return blocks(everywhere(settings));
  // The world does not include the cluster's own networks. (Public names that lead back into it: see `implied`.)
  const internal = notTheWorld(settings);
  return [
    ...everywhere(settings).map((cidr): PolicyPeer => {
      const except = internal.filter((c) => familyOf(c) === familyOf(cidr));
      return { ipBlock: { cidr, ...(except.length ? { except } : {}) } };
    }),
  ];
}

/**
 * Outgoing: the API's addresses and its Service, because some network plugins check before the address is translated.
 * Incoming, for webhooks: also the pod networks, because on overlays a node's process has an address from them.
 * When no addresses are known: any address, on the edge's ports only.
 */
function apiServer(settings: Settings, outgoing: boolean): PolicyPeer[] {
  const known = settings.networkPolicies.apiServerCidrs;
  if (known.length === 0) return blocks(everywhere(settings));
  return blocks([...new Set([...known, ...(outgoing ? settings.cluster.serviceCidrs : settings.cluster.podCidrs)])]);
}

/** The API's Service listens on 443, the API server by default on 6443. */
const API_PORTS = [443, 6443];

function ports(e: Edge, outgoing: boolean): PolicyPort[] {
  const own = e.ports.map((p): PolicyPort => ({
    protocol: p.protocol,
    port: p.port,
    ...(p.endPort ? { endPort: p.endPort } : {}),
  }));
  if (!(outgoing && "apiServer" in e.to)) return own;
  return API_PORTS.map((port): PolicyPort => ({ protocol: "TCP", port })).concat(
    own.filter((p) => !API_PORTS.includes(p.port)),
  );
}

/** Combines rules with equal ports; each peer appears once. */
function merge(rules: PolicyRule[]): PolicyRule[] {
  const byPorts = new Map<string, Map<string, PolicyPeer>>();
  for (const r of rules) {
    const key = JSON.stringify([...r.ports].sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol)));
    const found = byPorts.get(key) ?? new Map<string, PolicyPeer>();
    r.peers.forEach((p) => found.set(JSON.stringify(p), p));
    byPorts.set(key, found);
  }
  return [...byPorts].map(([key, found]) => ({ ports: JSON.parse(key), peers: [...found.values()] }));
}

/** Rules that an edge needs besides its own: the stack's public names lead back to the ingress controller. */
function implied(e: Edge, settings: Settings): PolicyRule[] {
  const web = e.ports.filter((p) => p.protocol === "TCP" && (p.port === 443 || p.port === 80));
  if (!("world" in e.to) || !web.length) return [];
  return [
    {
      peers: peers(ingressPeer(settings), settings, true),
      ports: ingressWebPorts(settings).map((port) => ({ protocol: "TCP", port })),
    },
    // Another controller may use the nodes' network: the public names are then the hosts' addresses.
    ...(settings.cluster.install.ingressController
      ? []
      : [
          {
            peers: blocks(hostNetworks(settings)),
            ports: [443, 80].map((port): PolicyPort => ({ protocol: "TCP", port })),
          },
        ]),
  ];
}

/** All policies. @param namespaces Those that the stack makes; others get no policies */
export function networkPolicies(edges: Edge[], settings: Settings, namespaces: readonly string[]): PolicyPlan[] {
  const ends = new Map<string, { peer: PodPeer; name: string }>();
  for (const e of edges) {
    for (const p of [e.from, e.to]) {
      if (!isPods(p) || !namespaces.includes(p.namespace)) continue;
      ends.set(`${p.namespace} ${JSON.stringify(peerLabels(p))}`, {
        peer: p,
        name: "component" in p ? p.component : slug(p.label),
      });
    }
  }
  const same = (p: Peer, end: PodPeer): boolean =>
    isPods(p) && p.namespace === end.namespace && JSON.stringify(peerLabels(p)) === JSON.stringify(peerLabels(end));
  const own = [...ends.values()].map(({ peer, name }): PolicyPlan => {
    const incoming = edges.filter((e) => same(e.to, peer)),
      outgoing = edges.filter((e) => same(e.from, peer));
    return {
      name: `allow-${name}`.slice(0, 63).replace(/-+$/, ""),
      namespace: peer.namespace,
      podSelector: { matchLabels: peerLabels(peer) },
      ingress: merge(
        incoming
          .map((e) => ({ peers: peers(e.from, settings, false), ports: ports(e, false) }))
          .filter((r) => r.peers.length),
      ),
      egress: merge(
        outgoing
          .flatMap((e) => [{ peers: peers(e.to, settings, true), ports: ports(e, true) }, ...implied(e, settings)])
          .filter((r) => r.peers.length),
      ),
      why: [
        ...incoming.map((e) => `from ${peerTitle(e.from)}: ${e.why}`),
        ...outgoing.map((e) => `to ${peerTitle(e.to)}: ${e.why}`),
      ],
    };
  });
  const base = namespaces.flatMap((namespace): PolicyPlan[] => [
    { name: "default-deny", namespace, podSelector: {}, ingress: [], egress: [], why: [] },
    {
      name: "allow-dns",
      namespace,
      podSelector: {},
      ingress: [],
      egress: [dns(settings)],
      why: ["to the cluster's DNS: every name is looked up there"],
    },
  ]);
  return [...base, ...unique(own)];
}

/** Gives policies of the same name in a namespace (of a component and of a labelled group) different names. */
function unique(plans: PolicyPlan[]): PolicyPlan[] {
  const seen = new Map<string, number>();
  return plans.map((p) => {
    const key = `${p.namespace}/${p.name}`,
      n = (seen.get(key) ?? 0) + 1;
    seen.set(key, n);
    return n === 1 ? p : { ...p, name: `${p.name.slice(0, 60)}-${n}` };
  });
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

/** CoreDNS has this label everywhere: kubeadm, k3s manifests/coredns.yaml, rke2-coredns (k8sApp), kubespray. */
function dns(settings: Settings): PolicyRule {
  return {
    peers: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACES.kubeSystem } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
      ...blocks(settings.cluster.nodeLocalDns.map(hostCidr)),
    ],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
}

/** An end of an edge in words: `haproxy.matrix`, `the nodes`. */
export function peerTitle(p: Peer): string {
  if ("component" in p) return `${p.component}.${p.namespace}`;
  if ("label" in p) return p.label;
  return "nodes" in p ? "the nodes" : "apiServer" in p ? "the API server" : "anywhere";
}

/** `spec` of the NetworkPolicy object. */
export function policySpec(p: PolicyPlan): networking.v1.NetworkPolicySpec {
  // A policy for one direction must not restrict the other; only default-deny restricts both.
  const types =
    p.name === "default-deny"
      ? ["Ingress", "Egress"]
      : [...(p.ingress.length ? ["Ingress"] : []), ...(p.egress.length ? ["Egress"] : [])];
  return {
    podSelector: p.podSelector,
    policyTypes: types,
    ...(p.ingress.length ? { ingress: p.ingress.map((r) => ({ from: r.peers, ports: r.ports })) } : {}),
    ...(p.egress.length ? { egress: p.egress.map((r) => ({ to: r.peers, ports: r.ports })) } : {}),
  };
}
