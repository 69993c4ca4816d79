import assert from "node:assert/strict";
import {
  networkPolicies,
  policySpec,
  type PolicyPlan,
} from "../../components/layers/cluster/policies/policiesFromEdges";
import { tcp, udp, type Edge } from "../../components/core/edges";
import { fixtureSettings } from "../fixtures/plan";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";
import { POOLERS } from "../../components/layers/postgres/edges";

const pod = (component: string, namespace = "matrix"): Edge["from"] => ({ component, namespace });
const plans = (
  edges: Edge[],
  change: (s: ReturnType<typeof fixtureSettings>) => void = () => undefined,
  namespaces = ["matrix", "minio"],
): PolicyPlan[] => {
  const settings = fixtureSettings();
  change(settings);
  return networkPolicies(edges, settings, namespaces);
};
const named = (list: PolicyPlan[], name: string, namespace = "matrix"): PolicyPlan => {
  const found = list.filter((p) => p.name === name && p.namespace === namespace);
  assert.equal(
    found.length,
    1,
    `${found.length} policies ${namespace}/${name} among ${list.map((p) => p.name).join(", ")}`,
  );
  return found[0]!;
};
const cidrs = (rule: { peers: any[] }): string[] => rule.peers.flatMap((p) => (p.ipBlock ? [p.ipBlock.cidr] : []));

describe("network policies from edges", () => {
  it("deny everything in each namespace and allow DNS", () => {
    for (const namespace of ["matrix", "minio"]) {
      const list = plans([]);
      assert.deepEqual(policySpec(named(list, "default-deny", namespace)), {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
      });
      const dns = named(list, "allow-dns", namespace);
      assert.deepEqual(dns.egress[0]!.ports, [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ]);
      assert.deepEqual((policySpec(dns) as any).policyTypes, ["Egress"], "must not close what comes in");
    }
  });

  it("open an edge on both ends, and on its ports only", () => {
    const list = plans([{ from: pod("caller"), to: pod("store", "minio"), ports: tcp(9000), why: "media" }]);
    const out = named(list, "allow-caller"),
      incoming = named(list, "allow-store", "minio");
    assert.deepEqual(out.egress, [
      {
        ports: [{ protocol: "TCP", port: 9000 }],
        peers: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "minio" } },
            podSelector: { matchLabels: { "app.kubernetes.io/component": "store" } },
          },
        ],
      },
    ]);
    assert.deepEqual(incoming.ingress[0]!.ports, [{ protocol: "TCP", port: 9000 }]);
    assert.deepEqual(out.ingress, []);
    assert.deepEqual(incoming.egress, []);
    assert.deepEqual(incoming.why, ["from caller.matrix: media"]);
  });

  it("make one policy of many edges, merged by ports", () => {
    const list = plans([
      { from: pod("a"), to: pod("db"), ports: tcp(5432), why: "1" },
      { from: pod("b"), to: pod("db"), ports: tcp(5432), why: "2" },
      { from: pod("a"), to: pod("db"), ports: tcp(5432), why: "again" },
      { from: pod("b"), to: pod("db"), ports: udp(9), why: "3" },
    ]);
    const db = named(list, "allow-db");
    assert.equal(db.ingress.length, 2);
    assert.deepEqual(db.ingress.map((r) => r.peers.length).sort(), [1, 2]);
  });

  it("keep ranges of ports", () => {
    const range = named(
      plans([
        {
          from: { world: true },
          to: pod("sfu"),
          ports: [{ port: 50000, endPort: 50100, protocol: "UDP" }],
          why: "media",
        },
      ]),
      "allow-sfu",
    );
    assert.deepEqual(range.ingress[0]!.ports, [{ protocol: "UDP", port: 50000, endPort: 50100 }]);
  });

  it("know the operator's pods by the labels that the operator sets", () => {
    const list = plans([{ from: pod("synapse-main"), to: POOLERS, ports: tcp(5432), why: "database" }]);
    assert.deepEqual(named(list, "allow-synapse-postgres-pooler-rw").podSelector, {
      matchLabels: { "cnpg.io/poolerName": "synapse-postgres-pooler-rw" },
    });
  });

  it("let the API server in from its own addresses and the overlay's, and reach it on its address and its Service", () => {
    const list = plans([
      { from: { apiServer: true }, to: pod("webhook"), ports: tcp(9443), why: "checks" },
      { from: pod("webhook"), to: { apiServer: true }, ports: tcp(6443), why: "objects" },
    ]);
    const p = named(list, "allow-webhook");
    assert.deepEqual(cidrs(p.ingress[0]!), ["10.1.0.50/32", "10.244.0.0/16"]);
    assert.deepEqual(cidrs(p.egress[0]!), ["10.1.0.50/32", "10.96.0.0/16"]);
    assert.deepEqual(p.egress[0]!.ports.map((x) => x.port).sort(), [443, 6443]);
  });

  it("without known API addresses keep to the port", () => {
    const p = named(
      plans([{ from: pod("operator"), to: { apiServer: true }, ports: tcp(6443), why: "objects" }], (s) => {
        s.networkPolicies.apiServerCidrs = [];
      }),
      "allow-operator",
    );
    assert.deepEqual(cidrs(p.egress[0]!), ["0.0.0.0/0"]);
    assert.deepEqual(p.egress[0]!.ports.map((x) => x.port).sort(), [443, 6443]);
  });

  it("identify nodes by their hosts' addresses, of either family", () => {
    const p = named(
      plans([{ from: { nodes: true }, to: pod("redis"), ports: tcp(6379), why: "SFU" }], (s) => {
        s.hosts = [
          { ...s.hosts[0]!, address: "10.9.0.1" },
          { ...s.hosts[0]!, address: "fd00::1" },
        ];
      }),
      "allow-redis",
    );
    assert.deepEqual(cidrs(p.ingress[0]!), ["10.9.0.1/32", "fd00::1/128"]);
  });

  it("the world is not the cluster, but its own public names lead back to the ingress controller", () => {
    const p = named(
      plans([{ from: pod("sender"), to: { world: true }, ports: tcp(443), why: "federation" }]),
      "allow-sender",
    );
    const world = p.egress.flatMap((r) => r.peers).find((x) => x.ipBlock)!;
    assert.equal(world.ipBlock!.cidr, "0.0.0.0/0");
    assert.deepEqual(world.ipBlock!.except!.slice(0, 2), ["10.244.0.0/16", "10.96.0.0/16"]);
    assert.ok(
      p.egress.some(
        (r) =>
          JSON.stringify(r.peers).includes('"app.kubernetes.io/name":"nginx-ingress"') &&
          r.ports.some((x) => x.port === 443),
      ),
    );
  });

  it("they lead back to a controller of the cluster as well, at the container ports of the usual ones", () => {
    const p = named(
      plans([{ from: pod("sender"), to: { world: true }, ports: tcp(443), why: "federation" }], (s) => {
        s.cluster.install.ingressController = false;
        s.cluster.ingressNamespace = "traefik";
      }),
      "allow-sender",
    );
    const back = p.egress.find((r) => JSON.stringify(r.peers).includes("traefik"))!;
    // Traefik's chart: web 8000, websecure 8443.
    for (const port of [8000, 8443])
      assert.ok(
        back.ports.some((x) => x.port === port),
        String(port),
      );
  });

  it("the world is none of the hosts, by neither of their addresses, nor what answers on their links", () => {
    const change = (s: ReturnType<typeof fixtureSettings>): void => {
      s.cluster.ipFamilies = ["IPv4", "IPv6"];
      s.hosts = [
        { ...s.hosts[0]!, address: "10.9.0.1", publicAddress: "198.51.100.7" },
        { ...s.hosts[1]!, address: "fd00::1" },
      ];
    };
    const edge: Edge = { from: pod("sender"), to: { world: true }, ports: tcp(443), why: "federation" };
    const blocks = named(plans([edge], change), "allow-sender").egress.flatMap((r) =>
      r.peers.flatMap((x) => (x.ipBlock ? [x.ipBlock] : [])),
    );
    const except = Object.fromEntries(blocks.map((b) => [b.cidr, b.except!]));
    for (const address of ["10.9.0.1/32", "198.51.100.7/32", "169.254.0.0/16"])
      assert.ok(except["0.0.0.0/0"]!.includes(address), address);
    for (const address of ["fd00::1/128", "fe80::/10"]) assert.ok(except["::/0"]!.includes(address), address);
  });

  it("a controller that is not this stack's may answer the public names on the hosts' network, on the web's ports", () => {
    const p = named(
      plans([{ from: pod("sender"), to: { world: true }, ports: tcp(443, 8448), why: "federation" }], (s) => {
        s.cluster.install.ingressController = false;
        s.hosts = [{ ...s.hosts[0]!, address: "10.9.0.1" }];
      }),
      "allow-sender",
    );
    const back = p.egress.filter((r) => cidrs(r).includes("10.9.0.1/32"));
    assert.deepEqual(
      back.map((r) => r.ports.map((x) => x.port)),
      [[80, 443]],
    );
  });

  it("the world comes in from anywhere, on both families where the cluster has both", () => {
    const p = named(
      plans([{ from: { world: true }, to: pod("door"), ports: tcp(443), why: "clients" }], (s) => {
        s.cluster.ipFamilies = ["IPv4", "IPv6"];
      }),
      "allow-door",
    );
    assert.deepEqual(cidrs(p.ingress[0]!), ["0.0.0.0/0", "::/0"]);
  });

  it("allow DNS at the cluster's server and at each node's cache, and nothing else of every pod", () => {
    const list = plans([], (s) => {
      s.cluster.nodeLocalDns = ["169.254.25.10"];
    });
    const dns = named(list, "allow-dns", "minio");
    assert.deepEqual(dns.why, ["to the cluster's DNS: every name is looked up there"]);
    assert.deepEqual(policySpec(dns), {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
              podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
            },
            { ipBlock: { cidr: "169.254.25.10/32" } },
          ],
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
          ],
        },
      ],
    });
    assert.deepEqual(named(list, "default-deny").why, []);
    assert.equal(list.length, 4, "without edges there is nothing else");
  });

  it("restrict only the directions that they have rules for", () => {
    const list = plans([{ from: pod("caller"), to: pod("store", "minio"), ports: tcp(9000), why: "media" }]);
    const caller = { podSelector: { matchLabels: { "app.kubernetes.io/component": "caller" } } },
      store = { podSelector: { matchLabels: { "app.kubernetes.io/component": "store" } } };
    assert.deepEqual(policySpec(named(list, "allow-caller")), {
      ...caller,
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "minio" } }, ...store }],
          ports: [{ protocol: "TCP", port: 9000 }],
        },
      ],
    });
    assert.deepEqual(policySpec(named(list, "allow-store", "minio")), {
      ...store,
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "matrix" } }, ...caller }],
          ports: [{ protocol: "TCP", port: 9000 }],
        },
      ],
    });
  });

  it("select every pod of a foreign namespace by an empty selector, which no apply changes", () => {
    const out = named(
      plans([{ from: pod("a"), to: { labels: {}, namespace: "mail", label: "mail" }, ports: tcp(25), why: "mail" }]),
      "allow-a",
    );
    assert.deepEqual(out.egress, [
      {
        peers: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "mail" } }, podSelector: {} }],
        ports: [{ protocol: "TCP", port: 25 }],
      },
    ]);
  });

  // A rule without peers would admit everyone.
  it("have no rule for an end that has no address", () => {
    const nobody: Edge["to"] = { cidrs: [], label: "nobody" };
    const p = named(
      plans([
        { from: pod("a"), to: nobody, ports: tcp(1), why: "out" },
        { from: nobody, to: pod("a"), ports: tcp(2), why: "in" },
      ]),
      "allow-a",
    );
    assert.deepEqual([p.ingress, p.egress], [[], []]);
    assert.deepEqual(p.why, ["from nobody: in", "to nobody: out"]);
  });

  it("say of each edge where it leads and what for", () => {
    const ends: Array<[Edge["to"], string]> = [
      [pod("b", "minio"), "b.minio"],
      [{ labels: { a: "1" }, namespace: "minio", label: "the operator" }, "the operator"],
      [{ nodes: true }, "the nodes"],
      [{ apiServer: true }, "the API server"],
      [{ world: true }, "anywhere"],
      [{ cidrs: ["192.0.2.0/24"], label: "the relay" }, "the relay"],
    ];
    for (const [end, title] of ends) {
      const p = named(
        plans([
          { from: end, to: pod("a"), ports: tcp(1), why: "asks" },
          { from: pod("a"), to: end, ports: tcp(2), why: "answers" },
        ]),
        "allow-a",
      );
      assert.deepEqual(p.why, [`from ${title}: asks`, `to ${title}: answers`]);
    }
  });

  it("apply to the pods of one component in one namespace", () => {
    const list = plans([
      { from: pod("a"), to: pod("x"), ports: tcp(1), why: "one" },
      { from: pod("b"), to: pod("x", "minio"), ports: tcp(2), why: "two" },
      { from: pod("b"), to: pod("y"), ports: tcp(3), why: "three" },
    ]);
    const ports = (name: string, namespace: string): number[] =>
      named(list, name, namespace).ingress.flatMap((r) => r.ports.map((x) => x.port));
    assert.deepEqual(ports("allow-x", "matrix"), [1]);
    assert.deepEqual(ports("allow-x", "minio"), [2]);
    assert.deepEqual(ports("allow-y", "matrix"), [3]);
  });

  it("lead back to the public names for what asks the web over TCP, on its ports, and for nothing else", () => {
    const back = (ports: Edge["ports"], to: Edge["to"] = { world: true }): unknown[] =>
      named(plans([{ from: pod("a"), to, ports, why: "x" }]), "allow-a").egress.slice(1);
    const door = {
      peers: [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "nginx-ingress" } },
          podSelector: { matchLabels: { "app.kubernetes.io/name": "nginx-ingress" } },
        },
      ],
      ports: [
        { protocol: "TCP", port: 80 },
        { protocol: "TCP", port: 443 },
      ],
    };
    assert.deepEqual(back(tcp(443)), [door]);
    assert.deepEqual(back(tcp(80)), [door]);
    assert.deepEqual(back(tcp(8448, 443)), [door]);
    assert.deepEqual(back(tcp(8448)), []);
    assert.deepEqual(back(udp(443)), []);
    assert.deepEqual(back(tcp(443), { cidrs: ["192.0.2.0/24"], label: "x" }), []);
  });

  it("a controller on the hosts' network gets TCP to the web's ports", () => {
    const p = named(
      plans([{ from: pod("a"), to: { world: true }, ports: tcp(443), why: "x" }], (s) => {
        s.cluster.install.ingressController = false;
        s.hosts = [{ ...s.hosts[0]!, address: "10.9.0.1" }];
      }),
      "allow-a",
    );
    assert.deepEqual(p.egress.at(-1), {
      peers: [{ ipBlock: { cidr: "10.9.0.1/32" } }],
      ports: [
        { protocol: "TCP", port: 80 },
        { protocol: "TCP", port: 443 },
      ],
    });
  });

  it("keep exceptions to their own family, and leave them out where a family has none", () => {
    const p = named(
      plans([{ from: pod("a"), to: { world: true }, ports: tcp(8448), why: "x" }], (s) => {
        s.cluster.ipFamilies = ["IPv4", "IPv6"];
        s.hosts = [{ ...s.hosts[0]!, address: "10.9.0.1" }];
      }),
      "allow-a",
    );
    assert.deepEqual(p.egress, [
      {
        peers: [
          {
            ipBlock: {
              cidr: "0.0.0.0/0",
              except: ["10.244.0.0/16", "10.96.0.0/16", "10.9.0.1/32", "169.254.0.0/16"],
            },
          },
          { ipBlock: { cidr: "::/0", except: ["fe80::/10"] } },
        ],
        ports: [{ protocol: "TCP", port: 8448 }],
      },
    ]);
  });

  it("reach the API server over TCP at its Service's port, its usual one, and the one given", () => {
    const ports = (given: number): unknown[] =>
      named(plans([{ from: pod("a"), to: { apiServer: true }, ports: tcp(given), why: "x" }]), "allow-a").egress[0]!
        .ports;
    const usual = [
      { protocol: "TCP", port: 443 },
      { protocol: "TCP", port: 6443 },
    ];
    assert.deepEqual(ports(6443), usual);
    assert.deepEqual(ports(16443), [...usual, { protocol: "TCP", port: 16443 }]);
  });

  it("merge what has the same ports in whatever order they were named, over the same protocol only", () => {
    const db = named(
      plans([
        { from: pod("a"), to: pod("db"), ports: tcp(1, 2), why: "1" },
        { from: pod("b"), to: pod("db"), ports: tcp(2, 1), why: "2" },
        { from: pod("c"), to: pod("db"), ports: [...udp(1), ...tcp(1)], why: "3" },
        { from: pod("d"), to: pod("db"), ports: [...tcp(1), ...udp(1)], why: "4" },
        { from: pod("e"), to: pod("db"), ports: udp(1, 2), why: "5" },
      ]),
      "allow-db",
    );
    assert.deepEqual(
      db.ingress.map((r) => r.peers.length),
      [2, 2, 1],
    );
  });

  it("have names that Kubernetes takes", () => {
    const name = (label: string): string =>
      plans([{ from: pod("x"), to: { labels: { a: "1" }, namespace: "minio", label }, ports: tcp(1), why: "1" }]).find(
        (p) => p.namespace === "minio" && p.podSelector.matchLabels,
      )!.name;
    assert.equal(name("The Operator (v2)"), "allow-the-operator-v2");
    assert.equal(name("- a  b"), "allow-a-b");
    // 63 characters, the most that a label may have, and no dash at their end.
    assert.equal(name("a".repeat(70)), `allow-${"a".repeat(57)}`);
    assert.equal(name(`${"a".repeat(55)}  b c`), `allow-${"a".repeat(55)}-b`);
    assert.equal(name(`${"a".repeat(56)} b`), `allow-${"a".repeat(56)}`);
  });

  it("keep within that length when they are numbered", () => {
    const label = "a".repeat(70);
    const names = plans([
      { from: pod("x"), to: { labels: { a: "1" }, namespace: "minio", label }, ports: tcp(1), why: "1" },
      { from: pod("x"), to: { labels: { a: "2" }, namespace: "minio", label }, ports: tcp(2), why: "2" },
      { from: pod("x"), to: { labels: { a: "3" }, namespace: "matrix", label }, ports: tcp(2), why: "2" },
    ])
      .filter((p) => p.name.startsWith("allow-aaa"))
      .map((p) => `${p.namespace} ${p.name}`);
    assert.deepEqual(names.sort(), [
      `matrix allow-${"a".repeat(57)}`,
      `minio allow-${"a".repeat(54)}-2`,
      `minio allow-${"a".repeat(57)}`,
    ]);
  });

  it("do not touch foreign namespaces", () => {
    const list = plans([{ from: pod("metrics-server", "kube-system"), to: pod("a"), ports: tcp(1), why: "x" }]);
    assert.ok(list.every((p) => p.namespace !== "kube-system"));
    assert.ok(JSON.stringify(named(list, "allow-a")).includes("kube-system"));
  });

  it("give two ends of the same name two policies", () => {
    const list = plans([
      { from: pod("x"), to: { labels: { a: "1" }, namespace: "matrix", label: "peer" }, ports: tcp(1), why: "1" },
      { from: pod("x"), to: { labels: { a: "2" }, namespace: "matrix", label: "peer" }, ports: tcp(2), why: "2" },
    ]);
    assert.deepEqual(
      list.map((p) => p.name).filter((n) => n.startsWith("allow-peer")),
      ["allow-peer", "allow-peer-2"],
    );
  });

  it("are valid objects", () => {
    const list = plans([
      { from: pod("a"), to: pod("b"), ports: tcp(1), why: "x" },
      { from: { world: true }, to: pod("b"), ports: udp(2), why: "y" },
      { from: pod("b"), to: { cidrs: ["192.0.2.0/24"], label: "mail" }, ports: tcp(25), why: "z" },
    ]);
    for (const p of list)
      assert.deepEqual(
        kubernetesProblems({
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: p.name, namespace: p.namespace },
          spec: policySpec(p),
        }),
        [],
        p.name,
      );
  });
});
