/**
 * What cert-manager and an ACME authority ask of the network policies. The lab has neither: its certificates come from
 * the stack's own CA. (cert-manager: "HTTP01", the solver's pod has the label acme.cert-manager.io/http01-solver and
 * listens on 8089; the controller asks for the challenge itself before it tells the authority.)
 */
import assert from "node:assert/strict";
import { evaluated, tier } from "../../lab/common/tiers";
import { Network, type Endpoint } from "../security/simulator";

const COMPONENT = "app.kubernetes.io/component";
const pod = (name: string, namespace: string, labels: Record<string, string>, address: string): Endpoint => ({
  name,
  address,
  pod: { namespace, labels },
});
const solver = (namespace: string): Endpoint =>
  pod("solver", namespace, { "acme.cert-manager.io/http01-solver": "true" }, "10.244.9.1");
const MANAGER = pod("cert-manager", "cert-manager", { [COMPONENT]: "cert-manager" }, "10.244.9.2");
const WORLD: Endpoint = { name: "the authority", address: "8.8.8.8" };
const tcp = (port: number): { port: number; protocol: "TCP" } => ({ port, protocol: "TCP" });

describe("ACME", function () {
  this.timeout(180_000);
  const cases: Array<
    [title: string, cluster: object, controller: Endpoint, certificates: string[], listens: number[]]
  > = [
    [
      "with the stack's own ingress controller",
      {},
      pod("nginx", "nginx-ingress", { "app.kubernetes.io/name": "nginx-ingress" }, "10.244.9.3"),
      // The certificates, and so the challenges, are in the controller's own namespace.
      ["nginx-ingress"],
      [80, 443],
    ],
    [
      "with a controller of the cluster",
      { install: { ingressController: false }, ingressClass: "traefik", ingressNamespace: "traefik" },
      pod("traefik", "traefik", { "app.kubernetes.io/name": "traefik" }, "10.244.9.3"),
      ["livekit", "matrix"],
      [8000, 8443],
    ],
  ];
  for (const [title, cluster, controller, certificates, listens] of cases)
    describe(title, () => {
      let network: Network, secured: string[], issuer: any;
      before(async () => {
        const more = { tls: { mode: "acme", email: "admin@example.org" }, cluster };
        const objects = (await evaluated(tier(1_000, { more }).config)).subject.objects.map((o) => o.inputs);
        const of = (kind: string): any[] => objects.filter((o: any) => o.kind === kind);
        network = new Network(
          of("NetworkPolicy"),
          Object.fromEntries(of("Namespace").map((n) => [n.metadata.name, n.metadata.labels ?? {}])),
        );
        secured = [
          ...new Set(
            of("Ingress")
              .filter((i) => i.spec.tls)
              .map((i) => i.metadata.namespace as string),
          ),
        ];
        [issuer] = of("ClusterIssuer");
      });

      it("the challenge reaches its solver in every namespace with certificates, and nothing else does", () => {
        assert.deepEqual(secured.sort(), certificates);
        for (const namespace of secured) {
          assert.ok(network.may(controller, solver(namespace), tcp(8089)).allowed, namespace);
          assert.ok(!network.may(WORLD, solver(namespace), tcp(8089)).allowed, namespace);
          assert.ok(!network.may(solver(namespace), WORLD, tcp(443)).allowed, namespace);
        }
      });

      it("cert-manager reaches the authority, and the public names lead it back to the controller", () => {
        assert.ok(network.may(MANAGER, WORLD, tcp(443)).allowed);
        for (const port of listens) assert.ok(network.may(MANAGER, controller, tcp(port)).egress, String(port));
      });

      it("the solver answers at the class of the stack's Ingresses", () => {
        const [{ http01 }] = issuer.spec.acme.solvers;
        assert.equal(http01.ingress.ingressClassName, (cluster as any).ingressClass ?? "nginx");
      });
    });
});
