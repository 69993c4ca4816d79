import assert from "node:assert/strict";
import { Network, selects, type Endpoint, type Port } from "./simulator";

const tcp = (port: number): Port => ({ port, protocol: "TCP" });
let last = 0;
const pod = (namespace: string, labels: Record<string, string>, more: object = {}): Endpoint => ({
  name: `${namespace}/${JSON.stringify(labels)}`,
  address: `10.244.0.${++last}`,
  pod: { namespace, labels, ...more },
});
const outside = (address: string): Endpoint => ({ name: address, address });
const policy = (namespace: string, spec: object): any => ({ metadata: { namespace, name: "p" }, spec });
const network = (...policies: any[]): Network => new Network(policies, { a: { team: "x" }, b: { team: "y" }, c: {} });
const may = (n: Network, from: Endpoint, to: Endpoint, port: number | Port = 80): boolean =>
  n.may(from, to, typeof port === "number" ? tcp(port) : port).allowed;

/** Each sentence is one of the Kubernetes documentation. */
describe("the simulator of network policies", () => {
  const client = pod("a", { app: "client", tier: "web" }),
    server = pod("a", { app: "server" }),
    other = pod("b", { app: "client" }),
    plain = pod("c", { app: "client" });

  it("by default a pod is non-isolated, both ways", () => {
    assert.ok(may(network(), client, server));
    assert.ok(may(network(policy("b", { podSelector: {} })), client, server), "a policy of another namespace");
    assert.ok(
      may(network(policy("a", { podSelector: { matchLabels: { app: "elsewhere" } } })), client, server),
      "a policy of other pods",
    );
  });

  it("for a connection to be allowed, both the egress policy on the source and the ingress policy on the destination must allow it", () => {
    const out = policy("a", {
      podSelector: { matchLabels: { app: "client" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: { matchLabels: { app: "server" } } }] }],
    });
    const shut = policy("a", { podSelector: { matchLabels: { app: "server" } }, policyTypes: ["Ingress"] });
    const open = policy("a", {
      podSelector: { matchLabels: { app: "server" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "client" } } }] }],
    });
    assert.deepEqual(network(out, shut).may(client, server, tcp(80)), { allowed: false, egress: true, ingress: false });
    assert.deepEqual(network(out, shut, open).may(client, server, tcp(80)), {
      allowed: true,
      egress: true,
      ingress: true,
    });
    assert.deepEqual(network(out, open).may(client, other, tcp(80)), { allowed: false, egress: false, ingress: true });
  });

  it("policies do not conflict; they are additive", () => {
    const deny = policy("a", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const [one, two] = [80, 81].map((port) =>
      policy("a", { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ port }] }] }),
    );
    assert.deepEqual(
      [80, 81, 82].map((p) => network(deny, one, two).may(outside("192.0.2.1"), server, tcp(p)).allowed),
      [true, true, false],
    );
  });

  it("policyTypes: Ingress is always set without it, and Egress if there are egress rules", () => {
    const implicit = policy("a", { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] });
    assert.ok(!may(network(implicit), other, server));
    assert.ok(
      may(network(implicit), server, outside("192.0.2.1")) && !may(network(implicit), server, outside("198.51.100.1")),
    );
    assert.ok(may(network(policy("a", { podSelector: {}, ingress: [] })), server, outside("198.51.100.1")));
    assert.ok(may(network(policy("a", { podSelector: {}, policyTypes: ["Egress"] })), other, server));
  });

  it("an empty or missing from matches all sources, an empty or missing ports all ports", () => {
    for (const rule of [{}, { from: [] }, { ports: [] }])
      assert.ok(
        may(network(policy("a", { podSelector: {}, ingress: [rule] })), outside("192.0.2.1"), server, {
          port: 9,
          protocol: "SCTP",
        }),
        JSON.stringify(rule),
      );
  });

  it("namespaceSelector and podSelector in one entry are both required, in two entries either is enough", () => {
    const namespaceSelector = { matchLabels: { team: "y" } },
      podSelector = { matchLabels: { app: "client" } };
    const both = network(policy("a", { podSelector: {}, ingress: [{ from: [{ namespaceSelector, podSelector }] }] }));
    const either = network(
      policy("a", { podSelector: {}, ingress: [{ from: [{ namespaceSelector }, { podSelector }] }] }),
    );
    assert.deepEqual(
      [client, other, plain, pod("b", {})].map((p) => may(both, p, server)),
      [false, true, false, false],
    );
    assert.deepEqual(
      [client, other, plain, pod("b", {})].map((p) => may(either, p, server)),
      [true, true, false, true],
    );
    const named = network(
      policy("a", {
        podSelector: {},
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "c" } } }] }],
      }),
    );
    assert.deepEqual(
      [client, other, plain].map((p) => may(named, p, server)),
      [false, false, true],
      "the label that the control plane sets",
    );
  });

  it("an ipBlock is a network without its exceptions, of one family", () => {
    const n = network(
      policy("a", {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              { ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "192.0.2.128/25"] } },
              { ipBlock: { cidr: "fd00::/8" } },
            ],
          },
        ],
      }),
    );
    assert.deepEqual(
      ["192.0.2.1", "10.244.0.9", "192.0.2.200", "fd12::1", "2001:db8::1"].map((a) => may(n, server, outside(a))),
      [true, false, false, true, false],
    );
  });

  it("endPort makes a range; the protocol is TCP unless said; a name is a port of the pod that is called", () => {
    const n = network(
      policy("a", {
        podSelector: {},
        ingress: [
          { ports: [{ port: 100, endPort: 102, protocol: "UDP" }, { port: 7 }, { port: "web" }, { protocol: "SCTP" }] },
        ],
      }),
    );
    const target = pod("a", {}, { namedPorts: { web: tcp(8080) } });
    const asked: Array<[Port, boolean]> = [
      [{ port: 99, protocol: "UDP" }, false],
      [{ port: 100, protocol: "UDP" }, true],
      [{ port: 102, protocol: "UDP" }, true],
      [{ port: 103, protocol: "UDP" }, false],
      [tcp(101), false],
      [tcp(7), true],
      [{ port: 7, protocol: "UDP" }, false],
      [tcp(8080), true],
      [tcp(8081), false],
      [{ port: 5, protocol: "SCTP" }, true],
    ];
    for (const [p, expected] of asked) assert.equal(may(n, other, target, p), expected, JSON.stringify(p));
    assert.ok(!may(n, other, pod("a", {}), 8080), "a pod without that name");
  });

  it("a pod cannot block access to itself, nor from its own node; other nodes are addresses", () => {
    const n = network(
      policy("a", {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ ipBlock: { cidr: "10.77.0.12/32" } }] }],
      }),
    );
    const here = pod("a", {}, { node: "n1" });
    const nodes = [1, 2, 3].map((i): Endpoint => ({ name: `n${i}`, node: `n${i}`, address: `10.77.0.1${i}` }));
    assert.ok(may(n, here, here));
    assert.deepEqual(
      nodes.map((x) => may(n, x, here)),
      [true, true, false],
    );
  });

  it("expressions of selectors", () => {
    const e = (operator: string, ...values: string[]): boolean =>
      selects({ matchExpressions: [{ key: "app", operator, values }] }, { app: "x" });
    assert.deepEqual(
      [e("In", "x", "y"), e("In", "y"), e("NotIn", "y"), e("NotIn", "x"), e("Exists"), e("DoesNotExist")],
      [true, false, true, false, true, false],
    );
    assert.ok(
      selects({ matchExpressions: [{ key: "none", operator: "NotIn", values: ["x"] }] }, {}) && selects({}, {}),
    );
  });
});
