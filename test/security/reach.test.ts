/** Pods reach the servers that the settings name: names at other addresses than in DNS. */
import assert from "node:assert/strict";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { EVERYTHING_ON, rich, type Config } from "../helpers/richStack";

const podsOf = (e: Evaluation): Array<{ name: string; namespace: string; pod: any }> =>
  e.resources.flatMap(({ inputs }) =>
    inputs?.spec?.template?.spec?.containers
      ? [
          {
            name: inputs.metadata.name as string,
            namespace: inputs.metadata.namespace as string,
            pod: inputs.spec.template.spec,
          },
        ]
      : [],
  );

describe("names at other addresses than in DNS", function () {
  this.timeout(600_000);
  const of = async (more: Config): Promise<Evaluation> =>
    evaluate({ stack: "t", config: { ...EVERYTHING_ON(await rich()), hostAliases: [], ...more } });

  it("without settings no pod has any", async () => {
    const e = await of({});
    assert.ok(podsOf(e).length > 20);
    assert.doesNotMatch(
      JSON.stringify(e.resources.filter((r) => r.inputs?.kind !== "CustomResourceDefinition")),
      /hostAliases/,
    );
  });

  it("hairpin false: what calls out finds the public names at the entrance, and each address stands once", async () => {
    const e = await of({
      ingress: { hairpin: false, addresses: ["203.0.113.10"] },
      hostAliases: [
        { address: "203.0.113.10", names: ["sso.example.net"] },
        { address: "10.0.0.7", names: ["mail.example.net"] },
      ],
    });
    const wanted = [
      {
        ip: "203.0.113.10",
        hostnames: [
          "matrix.example.org",
          "example.org",
          "chat.example.org",
          "admin.example.org",
          "rtc.example.org",
          "sso.example.net",
        ],
      },
      { ip: "10.0.0.7", hostnames: ["mail.example.net"] },
    ];
    const having = podsOf(e).filter(({ pod }) => pod.hostAliases);
    for (const { name, pod } of having) assert.deepEqual(pod.hostAliases, wanted, name);
    const names = having.map(({ namespace, name }) => `${namespace}/${name}`);
    const synapse = podsOf(e).filter(({ name }) => /^synapse-(main|generic|media|pusher)/.test(name));
    assert.ok(synapse.length >= 3);
    for (const { namespace, name } of synapse) assert.ok(names.includes(`${namespace}/${name}`), name);
    for (const other of ["livekit/lk-jwt-service", "cert-manager/cert-manager"])
      assert.ok(names.includes(other), `${other} of ${names.join(", ")}`);
    // What calls nothing by a public name is not restarted for it.
    for (const { name } of having) assert.doesNotMatch(name, /redis|minio|haproxy|element|well-known|livekit$|coturn/);
    const alertmanager = e.resources.find((r) => r.inputs?.kind === "Alertmanager")!.inputs;
    assert.deepEqual(alertmanager.spec.hostAliases, wanted);
  });

  it("the names are those that the ingress serves", async () => {
    const e = await of({ ingress: { hairpin: false } });
    const served = new Set(
      e.resources
        .filter((r) => r.inputs?.kind === "Ingress")
        .flatMap((r) => r.inputs.spec.rules.map((rule: any) => rule.host as string)),
    );
    const named = podsOf(e).find(({ name }) => name === "lk-jwt-service")!.pod.hostAliases[0].hostnames;
    assert.deepEqual([...named].sort(), [...served].sort());
  });
});

const PROXY = { url: "http://10.99.0.1:3128", noProxy: ["corp.example.net", "10.98.0.4"] };
const NO_PROXY =
  "localhost,127.0.0.1,::1,svc,cluster.local,@HOSTS@,10.244.0.0/16,10.96.0.0/12,matrix.example.org,chat.example.org,admin.example.org,rtc.example.org,sso.example.net,corp.example.net,10.98.0.4";

describe("an HTTP proxy", function () {
  this.timeout(600_000);
  let plain: Evaluation, proxied: Evaluation, login: Evaluation, noProxy: string;
  const S3 = { kind: "s3", endpoint: "https://s3.example.net", accessKey: "AKIAEXAMPLE", secretKey: "s3-secret-key" };
  const of = async (more: Config): Promise<Evaluation> => {
    const base = EVERYTHING_ON(await rich({ tls: "acme" }));
    return evaluate({
      stack: "t",
      config: {
        ...base,
        monitoring: {
          enabled: true,
          alertWebhook: "https://alerts.example.org/hook",
          heartbeatUrl: "https://beat.example.org",
        },
        objectStore: { ...S3, bucket: "media" },
        backups: { target: { ...S3, bucket: "backups" } },
        ...more,
      },
    });
  };
  before(async () => {
    plain = await of({});
    proxied = await of({ httpProxy: PROXY });
    login = await of({ httpProxy: { ...PROXY, user: "matrix", password: "pass!word-of-proxy" } });
    const hosts: Config[] = (await rich()).hosts;
    const addresses = hosts.flatMap((h) => [h.address, ...(h.publicAddress ? [h.publicAddress] : [])]);
    noProxy = NO_PROXY.replace("@HOSTS@", [...new Set(addresses)].join(","));
  });

  const env = (e: Evaluation, name: string): Record<string, any> => {
    const [container] = podsOf(e).find((p) => p.name === name)!.pod.containers;
    return Object.fromEntries((container.env ?? []).map((v: any) => [v.name, v.value ?? v.valueFrom]));
  };
  const CALLERS = ["synapse-main", "synapse-media", "lk-jwt-service", "cert-manager"];

  it("none: nothing of it is rendered", () =>
    assert.doesNotMatch(
      JSON.stringify(plain.resources.filter((r) => r.inputs?.kind !== "CustomResourceDefinition")),
      /HTTPS_PROXY|NO_PROXY|no_proxy|proxy_url|outgoing-proxy/,
    ));

  it("Synapse, the token service and cert-manager get it, with what is reached without it", () => {
    for (const name of CALLERS) {
      const has = env(proxied, name);
      assert.equal(has.HTTP_PROXY, "http://10.99.0.1:3128", name);
      assert.equal(has.HTTPS_PROXY, "http://10.99.0.1:3128", name);
      assert.equal(has.NO_PROXY, noProxy, name);
    }
    for (const { name, pod } of podsOf(proxied))
      if (/haproxy|redis|minio|element|synapse-admin|well-known|coturn|livekit$/.test(name))
        assert.doesNotMatch(JSON.stringify(pod), /HTTPS_PROXY/, name);
  });

  it("Alertmanager and backups to an external S3 go through it", () => {
    const secret = proxied.resources.find(
      (r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === "alertmanager-config",
    )!.inputs;
    const receivers = JSON.parse(secret.stringData["alertmanager.yaml"]).receivers as Config[];
    for (const name of ["webhook", "heartbeat"]) {
      const [{ http_config }] = receivers.find((r) => r.name === name)!.webhook_configs;
      assert.equal(http_config.proxy_url, "http://10.99.0.1:3128");
      assert.equal(http_config.no_proxy, noProxy);
    }
    const store = proxied.resources.find((r) => r.inputs?.kind === "ObjectStore")!.inputs;
    const names = store.spec.instanceSidecarConfiguration.env.map((v: any) => v.name);
    assert.deepEqual(names, ["AWS_DEFAULT_REGION", "AWS_MAX_ATTEMPTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]);
  });

  it("a login is only in Secrets, and Synapse does not log it", () => {
    for (const name of CALLERS)
      assert.deepEqual(env(login, name).HTTPS_PROXY, { secretKeyRef: { name: "outgoing-proxy", key: "url" } }, name);
    const mine = login.resources.filter(
      (r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === "outgoing-proxy",
    );
    assert.deepEqual(mine.map((r) => r.inputs.metadata.namespace).sort(), ["cert-manager", "livekit", "matrix"]);
    for (const { inputs } of mine)
      assert.equal(inputs.stringData.url, "http://matrix:pass!word-of-proxy@10.99.0.1:3128");
    for (const r of login.resources.filter((r) => r.inputs?.kind !== "Secret"))
      assert.doesNotMatch(JSON.stringify(r.inputs ?? {}), /word-of-proxy/, r.name);
    const shared = login.resources.find(
      (r) => r.inputs?.kind === "ConfigMap" && /^synapse-shared/.test(r.inputs.metadata.name),
    )!.inputs;
    assert.match(shared.data["log.yaml"], /synapse\.http\.proxyagent:\s+level: INFO/);
  });

  /** What a policy lets pods connect to by address: networks, and ports. */
  const egress = (e: Evaluation, component: string): string[] =>
    e.resources
      .filter(
        (r) =>
          r.inputs?.kind === "NetworkPolicy" &&
          r.inputs.spec.podSelector.matchLabels?.["app.kubernetes.io/component"] === component,
      )
      .flatMap((r) => r.inputs.spec.egress ?? [])
      .flatMap((rule: any) =>
        rule.to
          .filter((peer: any) => peer.ipBlock)
          .flatMap((peer: any) => rule.ports.map((p: any) => `${peer.ipBlock.cidr}:${p.port}`)),
      )
      .sort();

  it("network policies open the proxy, and nothing of the Internet", async () => {
    const only = await of({
      httpProxy: { url: "http://10.99.0.1:3128" },
      hostAliases: [],
      // Where the API server is not known, its port is open to anywhere.
      networkPolicies: { apiServerCidrs: ["10.97.0.1/32"] },
      emailSmtp: undefined,
      registration: {},
    });
    for (const component of ["synapse-main", "lk-jwt-service", "cert-manager", "alertmanager", "synapse-postgres"]) {
      const open = egress(only, component);
      assert.ok(open.includes("10.99.0.1/32:3128"), `${component}: ${open.join(" ")}`);
      assert.deepEqual(
        open.filter((one) => one.startsWith("0.0.0.0/0:")),
        [],
        component,
      );
    }
    assert.ok(egress(plain, "lk-jwt-service").includes("0.0.0.0/0:443"));
  });

  it("what is reached without it stays open: addresses by themselves, a name on its ports anywhere", () => {
    const open = egress(proxied, "lk-jwt-service");
    for (const one of ["10.98.0.4/32:443", "192.0.2.90/32:443", "0.0.0.0/0:443"]) assert.ok(open.includes(one), one);
  });

  it("the plan says that the proxy has to refuse private addresses", async () => {
    const { settings } = resolveSettings({ ...(await rich()), httpProxy: PROXY }, "t");
    assert.match(plan(settings!).notes.join("\n"), /HTTP proxy: it must refuse private addresses itself/);
  });
});
