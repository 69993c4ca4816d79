/** Certificates by a challenge in DNS, and TURN over TLS with a certificate that an issuer makes. */
import assert from "node:assert/strict";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { EVERYTHING_ON, rich, type Config } from "../helpers/richStack";

const one = (e: Evaluation, kind: string, name: string): any => {
  const found = e.resources.filter((r) => r.inputs?.kind === kind && r.inputs.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0]!.inputs;
};
const has = (e: Evaluation, kind: string): boolean => e.resources.some((r) => r.inputs?.kind === kind);

describe("certificates by DNS", function () {
  this.timeout(600_000);
  const SOLVER = { cloudflare: { apiTokenSecretRef: { name: "matrix-ha-acme-dns01", key: "api-token" } } };
  let http: Evaluation, dns: Evaluation, issuer: Evaluation;
  before(async () => {
    const of = async (tls: string, more: Config): Promise<Evaluation> => {
      const base = EVERYTHING_ON(await rich({ tls }));
      return evaluate({ stack: "t", config: { ...base, tls: { ...base.tls, ...more } } });
    };
    http = await of("acme", {});
    dns = await of("acme", { dns01: { solver: SOLVER, credentials: { "api-token": "token-of-the-provider" } } });
    issuer = await of("issuer", { certifiesTurn: true });
  });

  it("the issuer has the solver as it was written, and the credential is in a Secret where cert-manager looks", () => {
    assert.deepEqual(one(dns, "ClusterIssuer", "matrix-ha-acme").spec.acme.solvers, [{ dns01: SOLVER }]);
    const secret = one(dns, "Secret", "matrix-ha-acme-dns01");
    assert.equal(secret.metadata.namespace, "cert-manager");
    assert.deepEqual(secret.stringData, { "api-token": "token-of-the-provider" });
    for (const r of dns.resources.filter((r) => r.inputs?.kind !== "Secret"))
      assert.doesNotMatch(JSON.stringify(r.inputs ?? {}), /token-of-the-provider/, r.name);
    assert.deepEqual(Object.keys(one(http, "ClusterIssuer", "matrix-ha-acme").spec.acme.solvers[0]), ["http01"]);
  });

  it("TURN has a certificate of its own, which its pods present", () => {
    for (const [e, name] of [
      [dns, "matrix-ha-acme"],
      [issuer, "letsencrypt"],
    ] as const) {
      const { metadata, spec } = one(e, "Certificate", "turn-tls");
      assert.equal(metadata.namespace, "coturn");
      assert.deepEqual(spec.dnsNames, ["turn.example.org"]);
      assert.equal(spec.secretName, "turn-tls");
      assert.deepEqual(spec.issuerRef, { group: "cert-manager.io", kind: "ClusterIssuer", name });
      const pod = one(e, "DaemonSet", "coturn").spec.template.spec;
      assert.equal(pod.volumes.find((v: any) => v.name === "tls").secret.secretName, "turn-tls");
      const shared = e.resources.find((r) => /^synapse-shared/.test(r.inputs?.metadata?.name ?? ""))!.inputs;
      assert.match(shared.data["homeserver.yaml"], /turns:turn\.example\.org:5349\?transport=tcp/);
    }
    assert.equal(
      http.resources.some((r) => r.inputs?.kind === "Certificate" && r.inputs.metadata.namespace === "coturn"),
      false,
    );
    assert.ok(has(http, "ClusterIssuer"));
  });

  it("cert-manager may ask name servers, and nothing may reach a solver that does not run", () => {
    const anywhere = (e: Evaluation): number[] =>
      one(e, "NetworkPolicy", "allow-cert-manager")
        .spec.egress.filter((rule: any) => rule.to.some((peer: any) => peer.ipBlock?.cidr === "0.0.0.0/0"))
        .flatMap((rule: any) => rule.ports.map((p: any) => p.port));
    assert.deepEqual([...new Set(anywhere(dns))].sort(), [443, 53]);
    assert.deepEqual([...new Set(anywhere(http))].sort(), [443, 80]);
    const solver = (e: Evaluation): boolean =>
      e.resources.some((r) => r.inputs?.kind === "NetworkPolicy" && /acme-solver/.test(r.inputs.metadata.name));
    assert.deepEqual([solver(http), solver(dns)], [true, false]);
  });
});
