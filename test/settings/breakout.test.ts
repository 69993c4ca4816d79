/**
 * No text of the settings ends the line, the quote or the block of a configuration in which it stands. HAProxy's,
 * nginx's and coturn's are text of our own, without anything that escapes: what lands there must have a form that
 * cannot.
 */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { isKubernetes } from "../../components/layers/resources";
import { resolveSettings } from "../../components/settings";
import { EMAIL, OIDC, S3 } from "../helpers/example";

/** What ends something, or begins something else, in one of the three. */
const SPECIAL = ["\n", "\r", '"', "'", "`", "#", ";", "{", "}", "$", "\\", " ", "\t", "="];
const MARK = "breakout";
const TURN_SECRET = "importSecrets.turnSharedSecret";

/** Every text that may stand in one of the configurations, and others that may be as they like. */
const base = (): Record<string, any> => ({
  ...exampleConfig(1000),
  serverName: "chat.example.org",
  hostnames: {
    homeserver: "matrix.example.org",
    web: "web.example.org",
    admin: "admin.example.org",
    rtc: "rtc.example.org",
    turn: "turn.example.org",
  },
  federation: { enabled: true, domainAllowList: ["example.com"] },
  objectStore: { ...S3, region: "eu-1" },
  backups: { target: { ...S3, region: "eu-1", bucket: "backups" } },
  tls: { mode: "acme", email: "admin@example.org", server: "https://acme.example.org/directory" },
  cluster: { domain: "cluster.local", podCidrs: ["10.244.0.0/16"], serviceCidrs: ["10.96.0.0/12"] },
  turn: { allowedPrivateCidrs: ["192.168.7.0/24"] },
  firewall: { trustedCidrs: ["192.168.8.0/24"] },
  networkPolicies: { apiServerCidrs: ["10.8.0.0/24"] },
  emailSmtp: { ...EMAIL },
  sso: {
    oidc: [{ ...OIDC, scopes: ["openid"] }],
  },
  passwords: { pepper: "a-pepper" },
  rooms: {
    publicationRules: [{ action: "allow", user: "@*:example.org", alias: "#*", room: "!*" }],
    autoJoin: { aliases: ["#welcome:example.org"], inviter: "admin" },
    limitRemote: { message: "Too large." },
  },
  web: {
    elementWeb: { brand: "Chat" },
    admin: { allowCidrs: ["10.9.0.0/16"] },
    jitsiDomain: "jitsi.example.com",
    supportContact: { email: "help@example.org", matrixId: "@help:example.org", page: "https://example.org/help" },
  },
  monitoring: { alertWebhook: "https://alerts.example.org/hook", selectorLabels: { team: "chat" } },
  images: { mirror: "registry.example.org/mirror" },
  importSecrets: { turnSharedSecret: "turn-shared-secret" },
});

type Path = Array<string | number>;
function texts(value: unknown, path: Path = []): Array<{ path: Path; text: string }> {
  if (typeof value === "string") return [{ path, text: value }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, v]) => texts(v, [...path, Array.isArray(value) ? Number(key) : key]));
}
function changed(config: Record<string, any>, path: Path, text: string): Record<string, any> {
  const copy = structuredClone(config);
  const parent = path.slice(0, -1).reduce<any>((v, key) => v[key], copy);
  parent[path.at(-1)!] = text;
  return copy;
}

/**
 * ConfigMaps' and Secrets' files in which a program reads text of ours; the ingress controller makes its own of values.
 */
const CONFIGURATION = /(\.cfg|nginx\.conf|turnserver\.conf)$/;
const files = (o: any): Array<[string, string]> =>
  Object.entries({ ...o.data, ...o.stringData }).filter((e): e is [string, string] => typeof e[1] === "string");

describe("no text of the settings breaks out", () => {
  const accepted = new Map<string, string>();
  let objects: any[];
  before(async function () {
    this.timeout(300_000);
    const good = base();
    assert.deepEqual(resolveSettings(good, "test").errors, []);
    let spoilt = good;
    // Hosts are many and alike: the first stands for them.
    const all = texts({ ...good, hosts: good.hosts.slice(0, 1) });
    for (const { path, text } of all) {
      const fits = (t: string): boolean => resolveSettings(changed(spoilt, path, t), "test").errors.length === 0;
      const most = SPECIAL.reduce(
        (kept, special) => (fits(`${kept}${special}${MARK}`) ? `${kept}${special}${MARK}` : kept),
        text,
      );
      if (most === text) continue;
      spoilt = changed(spoilt, path, most);
      accepted.set(path.join("."), most.slice(text.length));
    }
    objects = (await evaluate({ stack: "test", config: spoilt })).resources.filter(isKubernetes).map((r) => r.inputs);
  });

  it("of HAProxy's, nginx's and coturn's configuration", () => {
    const read = objects.flatMap(files).filter(([name]) => CONFIGURATION.test(name));
    assert.deepEqual(
      [...new Set(read.map(([name]) => name))].sort(),
      ["haproxy.cfg", "nginx.conf", "turnserver.conf"],
      "the files that are looked at",
    );
    for (const [name, text] of read)
      for (const line of text.split("\n"))
        if (!line.startsWith("static-auth-secret=")) assert.ok(!line.includes(MARK), `${name}: ${line}`);
  });

  it("of the line with TURN's secret, which may be nearly anything: it is there whole, and alone", () => {
    const [, conf] = objects.flatMap(files).find(([name]) => name === "turnserver.conf")!;
    const lines = conf.split("\n").filter((line) => line.includes("static-auth-secret"));
    assert.deepEqual(lines, [`static-auth-secret=turn-shared-secret${accepted.get(TURN_SECRET)}`]);
    // As coturn reads a line (read_config_file in src/apps/relay/mainrelay.c).
    const [, value] = /^[^ =\t]+[ =\t]+(.*)$/.exec(lines[0]!.trimEnd())!;
    assert.equal(value.replace(/^"/, ""), `turn-shared-secret${accepted.get(TURN_SECRET)}`);
  });

  it("of what the ingress controller is told", () => {
    const told = objects.filter((o) => o.kind === "Ingress" || o.metadata?.name === "nginx-config");
    assert.ok(told.length > 2);
    for (const o of told) {
      assert.ok(!JSON.stringify(o.metadata.annotations ?? {}).includes(MARK), o.metadata.name);
      assert.ok(!JSON.stringify([o.data ?? {}, o.spec ?? {}]).includes(MARK), o.metadata.name);
    }
  });

  it("while such texts were there: settings that stand in no such file may have them", () => {
    assert.match(accepted.get("web.elementWeb.brand")!, /\n.*"/s);
    assert.ok(objects.flatMap(files).some(([name, text]) => name === "config.json" && text.includes(MARK)));
  });
});
