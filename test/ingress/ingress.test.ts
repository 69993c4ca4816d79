import assert from "node:assert/strict";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { PublicIngress, controllerAnnotations, ingressEdges, publicHosts } from "../../components/layers/ingress";
import { ingressClassNotes } from "../../components/domain/ingressClasses";
import { Web } from "../../components/layers/web";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";

const evaluateIngress = (change?: Parameters<typeof fixtureContext>[0]): Promise<Evaluation> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const web = new Web("web", { ctx }, { provider: ctx.provider });
      new PublicIngress(
        "ingress",
        { ctx, tls: { secretName: (n) => `${n}-tls`, issuerAnnotations: {} } },
        { provider: ctx.provider, dependsOn: [web] },
      );
      return {};
    },
  });
const ingresses = (e: Evaluation): any[] =>
  e.resources.filter((r) => r.type === "kubernetes:networking.k8s.io/v1:Ingress").map((r) => r.inputs);
const paths = (host: string, s = fixtureSettings()): string[] =>
  publicHosts(s)
    .find((h) => h.host === host)!
    .paths.map((p) => p.path);

describe("public hosts", () => {
  it("are one Ingress each, with the rule's host in the certificate", async () => {
    const all = ingresses(
      await evaluateIngress((s) => {
        s.cluster.install.ingressController = false;
      }),
    );
    assert.deepEqual(all.map((i) => i.spec.rules[0].host).sort(), [
      "admin.example.org",
      "chat.example.org",
      "example.org",
      "matrix.example.org",
      "rtc.example.org",
    ]);
    for (const i of all) {
      assert.equal(i.spec.rules.length, 1);
      assert.deepEqual(i.spec.tls, [{ hosts: [i.spec.rules[0].host], secretName: `${i.metadata.name}-tls` }]);
      assert.equal(i.spec.ingressClassName, "nginx");
      for (const p of i.spec.rules[0].http.paths) {
        assert.ok(["Prefix", "Exact"].includes(p.pathType));
        assert.ok(typeof p.backend.service.port.name === "string");
      }
      assert.ok(!Object.keys(i.metadata.annotations).some((k) => k.includes("snippet")));
    }
  });
  it("with this stack's controller keep the certificate in the controller's namespace, and the paths beside the Services", async () => {
    const all = ingresses(await evaluateIngress());
    const of = (type: string): any[] =>
      all.filter((i) => i.metadata.annotations["nginx.org/mergeable-ingress-type"] === type);
    assert.equal(of("master").length + of("minion").length, all.length);
    const host = (i: any): string => i.spec.rules[0].host;
    assert.deepEqual(of("master").map(host), of("minion").map(host));
    for (const i of of("master")) {
      assert.equal(i.metadata.namespace, "nginx-ingress");
      assert.deepEqual(i.spec.tls, [{ hosts: [host(i)], secretName: `${i.metadata.name}-tls` }]);
      assert.equal(i.spec.rules[0].http, undefined, "the controller refuses it with paths");
    }
    for (const i of of("minion")) {
      assert.ok(["matrix", "livekit"].includes(i.metadata.namespace));
      assert.equal(i.spec.tls, undefined, "the controller refuses it with a certificate");
      assert.ok(i.spec.rules[0].http.paths.length > 0);
    }
  });
  it("lead to Services that exist, by the name of a port that they have", async () => {
    const e = await evaluateIngress();
    const services = new Map(
      e.resources
        .filter((r) => r.type === "kubernetes:core/v1:Service")
        .map((r) => [
          `${r.inputs.metadata.namespace}/${r.inputs.metadata.name}`,
          r.inputs.spec.ports.map((p: any) => p.name),
        ]),
    );
    // Services of layers that are not part of this test; the whole stack's test covers them.
    const elsewhere = ["matrix/haproxy", "livekit/livekit", "livekit/lk-jwt-service"];
    let checked = 0;
    for (const i of ingresses(e)) {
      for (const p of i.spec.rules[0].http?.paths ?? []) {
        const key = `${i.metadata.namespace}/${p.backend.service.name}`;
        if (elsewhere.includes(key)) continue;
        assert.ok(services.get(key)?.includes(p.backend.service.port.name), key);
        checked += 1;
      }
    }
    assert.equal(checked, 4);
  });
  it("never expose the admin API, metrics, replication or the SFU's webhook", () => {
    for (const h of publicHosts(fixtureSettings()).filter((x) => x.name !== "admin")) {
      for (const p of h.paths) {
        for (const secret of [
          "/_synapse/admin",
          "/_synapse/metrics",
          "/_synapse/replication",
          "/metrics",
          "/sfu_webhook",
        ]) {
          const reached =
            p.pathType === "Prefix"
              ? p.path === "/"
                ? h.name !== "web"
                : secret === p.path || secret.startsWith(`${p.path}/`)
              : secret === p.path;
          assert.ok(!reached, `${h.host}${p.path} reaches ${secret}`);
        }
      }
    }
  });
  it("admit other servers at the same entrance: the router refuses their paths while federation is off", () => {
    const s = fixtureSettings();
    s.federation.enabled = true;
    assert.deepEqual(paths("matrix.example.org", s), ["/_matrix", "/_synapse/client", "/.well-known/matrix"]);
    assert.deepEqual(paths("matrix.example.org"), paths("matrix.example.org", s));
  });
  it("serve the SFU and the token service without rewriting", () => {
    for (const p of ["/rtc", "/sfu/get", "/get_token"]) assert.ok(paths("rtc.example.org").includes(p), p);
  });
  it("share one Ingress where two names are equal", () => {
    const s = fixtureSettings();
    s.hostnames.homeserver = s.serverName;
    const hosts = publicHosts(s);
    assert.equal(hosts.filter((h) => h.host === s.serverName).length, 1);
    assert.equal(hosts[0]!.paths.filter((p) => p.path === "/.well-known/matrix").length, 1);
    s.hostnames.rtc = s.serverName;
    assert.throws(() => publicHosts(s), /rtc .*Give rtc another host name/);
  });
  it("configure the controller where an Ingress cannot", () => {
    const needs = { maxBodyMiB: 77, readTimeoutSeconds: 300, websocketServices: ["livekit"], websocketPaths: ["/rtc"] };
    const nginx = controllerAnnotations("nginx", needs);
    assert.equal(nginx["nginx.org/client-max-body-size"], "77m");
    assert.equal(nginx["nginx.org/websocket-services"], "livekit");
    assert.equal(controllerAnnotations("contour", needs)["projectcontour.io/websocket-routes"], "/rtc");
    assert.equal(controllerAnnotations("contour", needs)["ingress.kubernetes.io/force-ssl-redirect"], "true");
    assert.deepEqual(controllerAnnotations("mystery", needs), {});
    assert.equal(ingressClassNotes("nginx").length, 0);
    assert.match(ingressClassNotes("mystery")[0]!, /mystery/);
  });
  it("are declared edges from the controller, one per backend", () => {
    const e = ingressEdges({ settings: fixtureSettings(), plan: fixturePlan() });
    assert.equal(e.length, 6);
    const router = e.find((x) => "component" in x.to && x.to.component === "haproxy")!;
    assert.deepEqual(router.ports, [{ port: 8008, protocol: "TCP" }]);
  });
});
