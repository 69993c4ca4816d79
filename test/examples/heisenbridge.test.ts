/** examples/heisenbridge reads the outputs of a stack with an appservice, and makes what that stack lets through. */
import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { bridge } from "../../examples/heisenbridge/bridge";
import { evaluated, tier } from "../../lab/common/tiers";

const TOKEN = "as-token-0123456789-abcdef";
const APPSERVICE = {
  id: "heisenbridge",
  pods: { namespace: "bridges", labels: { app: "heisenbridge" }, port: 9898, service: "heisenbridge" },
  senderLocalpart: "heisenbridge",
  asToken: TOKEN,
  namespaces: { users: [{ regex: "@irc_.*" }] },
};

describe("examples/heisenbridge", function () {
  this.timeout(60_000);
  let outputs: any, made: Evaluation;
  const object = (kind: string) => made.resources.find((r) => r.inputs?.kind === kind)!.inputs;
  before(async () => {
    outputs = (await evaluated(tier(1000, { more: { appservices: [APPSERVICE] } }).config)).evaluation.outputs;
    made = await evaluate({
      stack: "bridge",
      config: {},
      generator: (r) =>
        r.type === "pulumi:pulumi:StackReference"
          ? { name: r.inputs.name, outputs, secretOutputNames: ["appservices"] }
          : {},
      program: async () => ({
        ...bridge({
          stack: "acme/matrix-ha/production",
          id: "heisenbridge",
          image: "registry.example.com/heisenbridge:1",
          owner: "@alice:example.org",
          provider: new k8s.Provider("kubernetes"),
        }),
      }),
    });
  });

  it("the stack's output has all that a bridge needs", () => {
    const { registration, hsToken, ...rest } = outputs.appservices.heisenbridge;
    assert.deepEqual(rest, {
      homeserver: "http://haproxy.matrix.svc.cluster.local:8008",
      serverName: "example.org",
      url: "http://heisenbridge.bridges.svc.cluster.local:9898",
      pods: { namespace: "bridges", labels: { app: "heisenbridge" }, port: 9898, service: "heisenbridge" },
      sender: "@heisenbridge:example.org",
      asToken: TOKEN,
    });
    assert.match(registration, /^id: heisenbridge\nurl: http:\/\/heisenbridge\.bridges\.svc\.cluster\.local:9898\n/);
    assert.match(registration, new RegExp(`^as_token: ${TOKEN}$`, "m"));
    assert.ok(hsToken.length >= 16);
  });

  it("its pods have the labels, port and Service that the stack's network policies and Synapse look for", () => {
    const { metadata, spec } = object("Deployment");
    assert.equal(metadata.namespace, "bridges");
    assert.deepEqual(spec.template.metadata.labels, { app: "heisenbridge" });
    assert.equal(spec.replicas, 1);
    const [container] = spec.template.spec.containers;
    assert.deepEqual(container.args, [
      "-c",
      "/registration/registration.yaml",
      "-l",
      "0.0.0.0",
      "-p",
      "9898",
      "-o",
      "@alice:example.org",
      "http://haproxy.matrix.svc.cluster.local:8008",
    ]);
    assert.equal(container.ports[0].containerPort, 9898);
    assert.equal(object("Service").metadata.name, "heisenbridge");
    assert.equal(object("Service").spec.ports[0].port, 9898);
  });

  it("is hardened, and the token is in its Secret alone", () => {
    const { spec } = object("Deployment").spec.template;
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.equal(spec.automountServiceAccountToken, false);
    assert.deepEqual(spec.containers[0].securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.ok(object("Secret").stringData["registration.yaml"].includes(TOKEN));
    for (const r of made.resources.filter((r) => r.inputs?.kind && r.inputs.kind !== "Secret"))
      assert.ok(!JSON.stringify(r.inputs).includes(TOKEN), r.inputs.kind);
  });

  it("lets in Synapse only, and out to DNS, the router and the Internet", () => {
    const { spec } = object("NetworkPolicy");
    assert.deepEqual(spec.ingress, [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "matrix" } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": "synapse" } },
          },
        ],
        ports: [{ port: 9898 }],
      },
    ]);
    assert.deepEqual(
      spec.egress.map((r: any) => r.ports?.[0].port),
      [53, 8008, undefined],
    );
  });
});
