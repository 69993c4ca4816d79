/** Appservices: their settings are checked as a whole, and what is rendered from them. */
import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { CONFIG_HASH } from "../../components/core/workload";
import { resolveSettings } from "../../components/settings";
import { pythonRegexProblem } from "../../components/layers/synapse/appservices/pythonRegex";
import {
  appserviceFeatures,
  renderRegistration,
  withoutTokens,
} from "../../components/layers/synapse/appservices/registration";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { minimal } from "../helpers/example";

const TOKEN = "0123456789abcdef0123456789abcdef";
const irc = (more: object = {}): Record<string, unknown> => ({
  id: "irc",
  pods: { namespace: "bridges", labels: { app: "irc" }, port: 9898, service: "irc" },
  senderLocalpart: "ircbot",
  namespaces: { users: [{ regex: "@irc_.*:example\\.com" }] },
  ...more,
});
const sms = (more: object = {}): Record<string, unknown> => ({
  id: "sms",
  url: "https://sms.example.net/bridge",
  senderLocalpart: "smsbot",
  namespaces: { users: [{ regex: "@sms_.*:example\\.com" }] },
  ...more,
});
const FILE = `id: irc
url: http://irc.bridges.svc.cluster.local:9898
as_token: ${TOKEN}
hs_token: ${TOKEN}
sender_localpart: ircbot
namespaces: { users: [{ regex: "@irc_.*", exclusive: true }] }
`;
const whole = (registration: string): Record<string, unknown> => ({
  id: "irc",
  pods: { namespace: "bridges", labels: { app: "irc" }, port: 9898, service: "irc" },
  registration,
});

const errorsOf = (...appservices: unknown[]) =>
  resolveSettings({ ...minimal(), appservices }, "test").errors.map((e) => ({
    path: e.path,
    text: `${e.given} | ${e.allowed} | ${e.remedy}`,
  }));

/** The mistake, the appservices that make it, the path of its error and what that says. */
const MISTAKES: Array<[what: string, appservices: unknown[], path: string, says: RegExp]> = [
  ["neither url nor pods", [irc({ pods: undefined })], "appservices[0]", /receives: false/],
  ["url and pods", [irc({ url: "http://x.example.com" })], "appservices[0].pods", /one of the two/],
  ["reached, yet it receives nothing", [irc({ receives: false })], "appservices[0].receives", /false, with pods/],
  ["a url that is no web address", [sms({ url: "ftp://x" })], "appservices[0].url", /http:\/\/ or https:\/\//],
  ["a url of the pod itself", [sms({ url: "http://localhost:29318" })], "appservices[0].url", /the pod itself/],
  [
    "pods without labels",
    [irc({ pods: { ...(irc().pods as object), labels: {} } })],
    "appservices[0].pods.labels",
    /every pod/,
  ],
  [
    "no user of its own",
    [irc({ senderLocalpart: undefined })],
    "appservices[0].senderLocalpart",
    /senderLocalpart: irc/,
  ],
  ["a user with a colon", [irc({ senderLocalpart: "a:b" })], "appservices[0].senderLocalpart", /letters, digits/],
  ["an id with a bar", [irc({ id: "a|b" })], "appservices[0].id", /letters, digits/],
  ["two of one id", [irc(), sms({ id: "irc" })], "appservices[1].id", /as appservices\[0\]\.id is/],
  [
    "two of one user",
    [irc(), sms({ senderLocalpart: "ircbot" })],
    "appservices[1].senderLocalpart",
    /appservices\[0\]/,
  ],
  ["one token twice", [irc({ asToken: TOKEN }), sms({ asToken: TOKEN })], "appservices[1].asToken", /not shown/],
  ["a short token", [irc({ asToken: "short" })], "appservices[0].asToken", /16 to 255/],
  [
    "an expression that does not compile",
    [irc({ namespaces: { users: [{ regex: "@irc_(.*" }] } })],
    "appservices[0].namespaces.users[0].regex",
    /Python's `re`/,
  ],
  [
    "an expression that matches no user id",
    [irc({ namespaces: { users: [{ regex: "irc_.*" }] } })],
    "appservices[0].namespaces.users[0].regex",
    /write @irc_/,
  ],
  [
    "all users of the server",
    [irc({ namespaces: { users: [{ regex: "@.*:example\\.com" }] } })],
    "appservices[0].namespaces.users[0].regex",
    /every user of this server/,
  ],
  [
    "users of another server",
    [irc({ namespaces: { users: [{ regex: "@irc_.*:example\\.org" }] } })],
    "appservices[0].namespaces.users[0].regex",
    /of the server example\.org.*example\.com/,
  ],
  [
    "users of two appservices",
    [irc(), sms({ namespaces: { users: [{ regex: "@irc_sms_.+:example\\.com" }] } })],
    "appservices[1].namespaces.users[0].regex",
    /@irc_sms_a.*appservices\[0\]/,
  ],
  [
    "another's user as its own",
    [irc(), sms({ senderLocalpart: "irc_sms" })],
    "appservices[1].senderLocalpart",
    /@irc_sms:example\.com/,
  ],
  [
    "encryption without what it comes with",
    [irc({ encryption: true })],
    "appservices[0].encryption",
    /receiveEphemeral/,
  ],
  [
    "a registration beside fields",
    [{ ...whole(FILE), senderLocalpart: "x" }],
    "appservices[0].senderLocalpart",
    /whole/,
  ],
  [
    "a registration twice",
    [{ ...whole(FILE), registrationSecret: { name: "irc" } }],
    "appservices[0].registrationSecret",
    /one of the two/,
  ],
  ["a registration that is no YAML", [whole("{")], "appservices[0].registration", /no YAML/],
  ["a registration without tokens", [whole("id: irc\nurl: null")], "appservices[0].registration", /as_token/],
  [
    "a registration of another id",
    [whole(FILE.replace("irc", "xmpp"))],
    "appservices[0].registration",
    /"xmpp".*"irc"/,
  ],
  [
    "a registration with another url",
    [whole(FILE.replace(/url: .*/, "url: http://localhost:9898"))],
    "appservices[0].registration",
    /localhost.*write `url: http:\/\/irc\.bridges/,
  ],
  [
    "a registration of another server's users",
    [whole(FILE.replace("@irc_.*", "@irc_.*:other[.]org").replace("[.]", "\\\\."))],
    "appservices[0].registration",
    /other\.org/,
  ],
  ["sizes of its process where there is none", [], "overrides.pools.appservice", /where there are appservices/],
];

describe("settings of appservices", () => {
  for (const [what, appservices, at, says] of MISTAKES)
    it(`refuse ${what}`, () => {
      const found = appservices.length
        ? errorsOf(...appservices)
        : resolveSettings({ ...minimal(), overrides: { pools: { appservice: { cpu: 1 } } } }, "test").errors.map(
            (e) => ({
              path: e.path,
              text: `${e.given} | ${e.allowed} | ${e.remedy}`,
            }),
          );
      assert.deepEqual([...new Set(found.map((e) => e.path))], [at], JSON.stringify(found));
      assert.match(found.map((e) => e.text).join("\n"), says);
      assert.ok(!JSON.stringify(found).includes(TOKEN), "no token is shown");
    });

  it("take what is right", () => {
    assert.deepEqual(errorsOf(irc(), sms(), { id: "puppets", receives: false, senderLocalpart: "puppets" }), []);
    assert.deepEqual(errorsOf(whole(FILE)), []);
    assert.deepEqual(errorsOf(whole("[encrypted by pulumi]")), []);
    assert.deepEqual(errorsOf({ ...whole(""), registration: undefined, registrationSecret: { name: "irc" } }), []);
    const shared = { namespaces: { users: [{ regex: "@.*", exclusive: false }] } };
    assert.deepEqual(errorsOf(irc(shared), sms(shared)), [], "all users, shared");
  });

  it("read expressions as Python does", () => {
    for (const right of [
      "@irc_(?P<n>.*):a",
      "(?i)@a",
      "[]a]",
      "@[^]]x",
      "a{2}",
      "(?>a)b",
      "a++",
      "\\Aa\\Z",
      "(?#c)a",
      "(?i:a)",
    ])
      assert.equal(pythonRegexProblem(right), undefined, right);
    for (const wrong of ["(", "a**", "[", "(?<n>a)", "\\p{L}", "\\z", "(?<=a+)b", "[z-a]", "a\\", ")", "*"])
      assert.notEqual(pythonRegexProblem(wrong), undefined, wrong);
  });
});

describe("a registration", () => {
  it("has the keys that Synapse reads", () => {
    const { settings } = resolveSettings(
      {
        ...minimal(),
        appservices: [
          irc({
            rateLimited: false,
            protocols: ["irc"],
            receiveEphemeral: true,
            receiveEphemeralUnstable: true,
            encryption: true,
            deviceManagement: true,
            scopes: ["urn:matrix:client:io.element.msc4502:rooms:is_joined"],
            allowedNetworks: ["10.0.0.0/8"],
          }),
        ],
      },
      "test",
    );
    const text = renderRegistration(settings!.appservices[0]!, "cluster.local", { asToken: "as", hsToken: "hs" });
    assert.equal(
      text,
      `id: irc
url: http://irc.bridges.svc.cluster.local:9898
as_token: as
hs_token: hs
sender_localpart: ircbot
namespaces:
  users:
    - regex: "@irc_.*:example\\\\.com"
      exclusive: true
  aliases: []
  rooms: []
rate_limited: false
protocols:
  - irc
receive_ephemeral: true
de.sorunome.msc2409.push_ephemeral: true
org.matrix.msc3202: true
io.element.msc4190: true
io.element.msc4502.scopes:
  - urn:matrix:client:io.element.msc4502:rooms:is_joined
ip_range_whitelist:
  - 10.0.0.0/8
`,
    );
  });

  it("says null where it receives nothing", () => {
    const { settings } = resolveSettings(
      { ...minimal(), appservices: [{ id: "puppets", receives: false, senderLocalpart: "puppets" }] },
      "test",
    );
    const text = renderRegistration(settings!.appservices[0]!, "cluster.local", { asToken: "as", hsToken: "hs" });
    assert.match(text, /^url: null$/m);
  });
});

describe("a registration that is given as a whole", () => {
  const text = (registration: string): string => {
    const { settings, errors } = resolveSettings(
      { ...minimal(), appservices: [{ id: "irc", url: "http://irc.example.net", registration }] },
      "test",
    );
    assert.deepEqual(errors, []);
    return withoutTokens(settings!.appservices[0]!, "cluster.local");
  };
  const lines = `id: irc\nurl: http://irc.example.net\nsender_localpart: irc\nnamespaces: {}\n`;

  it("is without its tokens in what names are made from, however it is written", () => {
    for (const registration of [
      `${lines}as_token: "${TOKEN}-as"\nhs_token: ${TOKEN}-hs\n`,
      `${lines}as_token:\n  ${TOKEN}-as\nhs_token: >-\n  ${TOKEN}-hs\n`,
      `{"id": "irc", "url": "http://irc.example.net", "sender_localpart": "irc", "namespaces": {}, "as_token": "${TOKEN}-as", "hs_token": "${TOKEN}-hs"}`,
    ]) {
      assert.ok(!text(registration).includes(TOKEN), registration);
      assert.match(text(registration), /sender_localpart: irc/);
    }
  });
});

describe("features that registrations need", () => {
  it("are on where one of them has the field, and only then", () => {
    const features = (more: object): unknown =>
      appserviceFeatures(resolveSettings({ ...minimal(), appservices: [irc(more)] }, "test").settings!);
    assert.deepEqual(features({}), {});
    assert.deepEqual(features({ receiveEphemeral: true, encryption: true }), {
      msc2409_to_device_messages_enabled: true,
      msc3202_transaction_extensions: true,
    });
    assert.deepEqual(features({ scopes: ["urn:matrix:client:io.element.msc4502:rooms:is_joined"] }), {
      msc4502_enabled: true,
    });
  });
});

describe("a stack with an appservice", function () {
  this.timeout(120_000);
  const stack = async (appservices: unknown[]): Promise<RegisteredResource[]> =>
    (
      await evaluate({
        stack: "test",
        config: {
          ...exampleConfig(100),
          ...WITHOUT_OPERATORS,
          domain: "example.com",
          monitoring: { enabled: false },
          appservices,
        },
      })
    ).resources;
  const hashes = (all: RegisteredResource[]): Record<string, string> =>
    Object.fromEntries(
      all
        .filter((r) => /:(Deployment|StatefulSet|DaemonSet)$/.test(r.type))
        .map((r) => [r.inputs.metadata.name, r.inputs.spec.template.metadata.annotations?.[CONFIG_HASH] ?? ""]),
    );
  let none: RegisteredResource[], one: RegisteredResource[];
  before(async () => {
    none = await stack([]);
    one = await stack([irc({ asToken: TOKEN })]);
  });
  const named = (all: RegisteredResource[], type: RegExp, name: RegExp) =>
    all.filter((r) => type.test(r.type) && name.test(r.inputs.metadata?.name ?? ""));

  it("gives its registration to every process of Synapse and to the check", () => {
    const [secret] = named(one, /:Secret$/, /^synapse-appservices-/);
    assert.deepEqual(Object.keys(secret!.inputs.stringData), ["irc.yaml"]);
    const readers = one.filter((r) =>
      JSON.stringify(r.inputs.spec?.template?.spec?.volumes ?? []).includes(secret!.inputs.metadata.name),
    );
    const synapse = one.filter(
      (r) =>
        /:(Deployment|StatefulSet|Job)$/.test(r.type) &&
        r.inputs.spec.template.metadata.labels["app.kubernetes.io/name"] === "synapse",
    );
    const names = (list: RegisteredResource[]) => list.map((r) => r.inputs.metadata.name).sort();
    // The replacer runs Synapse's image and is no process of it.
    assert.deepEqual(
      names(readers),
      names(synapse).filter((n) => n !== "synapse-replacer"),
    );
    assert.ok(readers.length > 10);
    for (const r of readers)
      assert.ok(
        r.inputs.spec.template.spec.containers[0].volumeMounts.some((m: any) => m.mountPath === "/conf/appservices"),
      );
  });

  it("has the check compare the URL of a registration in a Secret, once more when the settings have another", async () => {
    const bySecret = (url: string): Promise<RegisteredResource[]> =>
      stack([{ id: "sms", url, registrationSecret: { name: "sms" } }]);
    const [first, second] = [await bySecret("https://a.example.net/"), await bySecret("https://b.example.net")];
    const check = (all: RegisteredResource[]): string => {
      const [map] = named(all, /:ConfigMap$/, /^synapse-check-config/);
      return map!.inputs.data["check.py"];
    };
    assert.ok(
      check(first).includes(String.raw`urls = json.loads("{\"sms\":\"https://a.example.net\"}")`),
      check(first),
    );
    assert.ok(!check(one).includes("urls"), "one that is made here has no other");
    const job = (all: RegisteredResource[]): string => named(all, /:Job$/, /^synapse-check/)[0]!.inputs.metadata.name;
    assert.notEqual(job(first), job(second));
  });

  it("names the file and the process that sends, which exists from the first one on", () => {
    const yaml = (all: RegisteredResource[]) =>
      named(all, /:ConfigMap$/, /^synapse-shared-/)[0]!.inputs.data["homeserver.yaml"];
    assert.match(yaml(one), /^app_service_config_files:\n {2}- \/conf\/appservices\/irc\.yaml$/m);
    assert.match(yaml(one), /^notify_appservices_from_worker: synapse-appservice-0$/m);
    assert.match(yaml(none), /^notify_appservices_from_worker: synapse-background-0$/m);
    assert.doesNotMatch(yaml(none), /app_service/);
    assert.equal(named(one, /:StatefulSet$/, /^synapse-appservice$/).length, 1);
    assert.equal(named(none, /:StatefulSet$/, /^synapse-appservice$/).length, 0);
  });

  it("restarts Synapse and nothing else when a registration or a token changes", async () => {
    const isSynapse = (n: string): boolean =>
      n.startsWith("synapse-") && !["synapse-replacer", "synapse-admin"].includes(n);
    for (const more of [{ asToken: TOKEN, rateLimited: false }, { asToken: `${TOKEN}0` }]) {
      const after = hashes(await stack([irc(more)])),
        before = hashes(one);
      assert.deepEqual(
        Object.keys(before)
          .filter((n) => before[n] !== after[n])
          .sort(),
        Object.keys(before).filter(isSynapse).sort(),
      );
    }
  });

  it("lets Synapse reach the bridge, and the bridge the client API", () => {
    const policy = (name: string) => named(one, /:NetworkPolicy$/, new RegExp(`^allow-${name}$`))[0]!.inputs.spec;
    const bridge = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "bridges" } },
      podSelector: { matchLabels: { app: "irc" } },
    };
    const has = (rules: any[], side: "to" | "from", port: number): boolean =>
      rules.some(
        (r) =>
          r[side].some((p: any) => JSON.stringify(p) === JSON.stringify(bridge)) &&
          r.ports.some((p: any) => p.port === port),
      );
    for (const cls of ["appservice", "main", "generic"])
      assert.ok(has(policy(`synapse-${cls}`).egress, "to", 9898), cls);
    assert.ok(!has(policy("synapse-media").egress, "to", 9898), "media asks no appservice");
    assert.ok(has(policy("haproxy").ingress, "from", 8008));
  });
});
