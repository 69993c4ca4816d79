import assert from "node:assert/strict";
import {
  networkPolicies,
  policySpec,
  type PolicyPlan,
} from "../../components/layers/cluster/policies/policiesFromEdges";
import { tcp, udp, type Edge } from "../../components/core/edges";
import { fixtureSettings } from "../fixtures/context";
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
