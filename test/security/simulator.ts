/**
 * What NetworkPolicies allow, by the words of the Kubernetes documentation
 * (concepts/services-networking/network-policies and the API reference of networking.k8s.io/v1), for questions of the
 * kind "may A connect to B on this port". Pure, and written without the code that makes this stack's policies: it reads
 * their finished objects.
 */
import { BlockList, isIPv6 } from "node:net";

export type Protocol = "TCP" | "UDP" | "SCTP";
export interface Port {
  port: number;
  protocol: Protocol;
}

/** One end of a connection: a pod, or anything else that has an address. */
export interface Endpoint {
  name: string;
  address: string;
  /** Only pods with a network of their own are pods for a policy: one on the host's network is its node. */
  pod?: { namespace: string; labels: Record<string, string>; namedPorts?: Record<string, Port>; node?: string };
  /** Name of the node, when the endpoint is one, or a process on one. */
  node?: string;
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Array<{ key: string; operator: string; values?: string[] }>;
}
interface Rule {
  peers: Array<(e: Endpoint) => boolean>;
  ports: any[];
  seen: Map<Endpoint, boolean>;
}
interface Isolation {
  isolated: boolean;
  rules: Rule[];
}
export interface Verdict {
  allowed: boolean;
  egress: boolean;
  ingress: boolean;
}

/** An empty selector selects everything; a key that is missing satisfies NotIn. */
export function selects(selector: Selector, labels: Record<string, string>): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([k, v]) => labels[k] === v) &&
    (selector.matchExpressions ?? []).every((e) => {
      switch (e.operator) {
        case "In":
          return e.key in labels && e.values!.includes(labels[e.key]!);
        case "NotIn":
          return !(e.key in labels && e.values!.includes(labels[e.key]!));
        case "Exists":
          return e.key in labels;
        case "DoesNotExist":
          return !(e.key in labels);
        default:
          throw new Error(`unknown operator ${e.operator}`);
      }
    })
  );
}

function contains(cidr: string): (address: string) => boolean {
  const [net, bits] = cidr.split("/") as [string, string];
  const family = isIPv6(net) ? "ipv6" : "ipv4";
  const list = new BlockList();
  // A prefix of 0 is refused by some versions of Node: two halves are the same.
  if (bits === "0")
    for (const half of family === "ipv6" ? ["::", "8000::"] : ["0.0.0.0", "128.0.0.0"]) list.addSubnet(half, 1, family);
  else list.addSubnet(net, Number(bits), family);
  return (address) => isIPv6(address) === (family === "ipv6") && list.check(address, family);
}

/** Does an entry of `ports` cover the port? A name is looked up in the pod that is connected to. */
function covers(entry: any, p: Port, target: Endpoint): boolean {
  if ((entry.protocol ?? "TCP") !== p.protocol) return false;
  if (entry.port === undefined) return true;
  if (typeof entry.port === "string") {
    const named = target.pod?.namedPorts?.[entry.port];
    return named?.port === p.port && named.protocol === p.protocol;
  }
  return p.port >= entry.port && p.port <= (entry.endPort ?? entry.port);
}

export class Network {
  private readonly ingressOf = new Map<Endpoint, Isolation>();
  private readonly egressOf = new Map<Endpoint, Isolation>();

  /**
   * `policies`: the objects. `namespaces`: each name with its labels (the API server adds kubernetes.io/metadata.name
   * itself).
   */
  constructor(
    private readonly policies: any[],
    private readonly namespaces: Record<string, Record<string, string>>,
  ) {}

  may(from: Endpoint, to: Endpoint, port: Port): Verdict {
    return this.between(from, to)(port);
  }

  /** For many ports between the same two. */
  between(from: Endpoint, to: Endpoint): (port: Port) => Verdict {
    // "A pod cannot block access to itself"; "traffic to and from the node where a pod is running is always allowed".
    if (
      from === to ||
      (from.node !== undefined && from.node === to.pod?.node) ||
      (to.node !== undefined && to.node === from.pod?.node)
    )
      return () => ({ allowed: true, egress: true, ingress: true });
    const out = this.passes(this.isolation(from, "egress"), to, to),
      into = this.passes(this.isolation(to, "ingress"), from, to);
    return (port) => {
      const egress = out(port),
        ingress = into(port);
      return { allowed: egress && ingress, egress, ingress };
    };
  }

  private passes(side: Isolation, other: Endpoint, target: Endpoint): (port: Port) => boolean {
    if (!side.isolated) return () => true;
    const rules = side.rules.filter((rule) => {
      let peer = rule.seen.get(other);
      if (peer === undefined)
        rule.seen.set(other, (peer = rule.peers.length === 0 || rule.peers.some((matches) => matches(other))));
      return peer;
    });
    return (port) =>
      rules.some((rule) => rule.ports.length === 0 || rule.ports.some((entry) => covers(entry, port, target)));
  }

  /** Policies add up: isolated when one selects the pod for the direction, and allowed is what any of these allows. */
  private isolation(e: Endpoint, direction: "ingress" | "egress"): Isolation {
    const known = direction === "ingress" ? this.ingressOf : this.egressOf;
    const found = known.get(e);
    if (found) return found;
    const mine = e.pod
      ? this.policies.filter(
          (p) =>
            p.metadata.namespace === e.pod!.namespace &&
            selects(p.spec.podSelector ?? {}, e.pod!.labels) &&
            this.types(p).includes(direction),
        )
      : [];
    const fresh: Isolation = {
      isolated: mine.length > 0,
      rules: mine
        .flatMap((p) => (p.spec[direction] ?? []) as any[])
        .map((r): Rule => ({
          peers: ((direction === "ingress" ? r.from : r.to) ?? []).map((peer: any) =>
            this.peer(peer, e.pod!.namespace),
          ),
          ports: r.ports ?? [],
          seen: new Map(),
        })),
    };
    known.set(e, fresh);
    return fresh;
  }

  /** Without policyTypes: Ingress always, Egress when there are egress rules. */
  private types(policy: any): string[] {
    const given: string[] | undefined = policy.spec.policyTypes;
    return given?.length
      ? given.map((t) => t.toLowerCase())
      : ["ingress", ...(policy.spec.egress?.length ? ["egress"] : [])];
  }

  private peer(peer: any, own: string): (e: Endpoint) => boolean {
    if (peer.ipBlock) {
      const inside = contains(peer.ipBlock.cidr),
        except = (peer.ipBlock.except ?? []).map(contains) as Array<(a: string) => boolean>;
      return (e) => inside(e.address) && !except.some((x) => x(e.address));
    }
    return ({ pod }) => {
      if (!pod) return false;
      const there = peer.namespaceSelector
        ? selects(peer.namespaceSelector, {
            "kubernetes.io/metadata.name": pod.namespace,
            ...this.namespaces[pod.namespace],
          })
        : pod.namespace === own;
      return there && (!peer.podSelector || selects(peer.podSelector, pod.labels));
    };
  }
}
