/** Which connections Synapse's processes open: each that they need, on its port, and none besides. */
import assert from "node:assert/strict";
import { federationPorts, synapseEdges, synapsePeer } from "../../components/layers/synapse/edges";
import type { WorkerClass } from "../../components/domain/workerClasses";
import { endKey, type Edge } from "../../components/core/edges";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { ldapSettings } from "../helpers/example";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

type Change = (s: Settings, p: Plan) => void;
function edgesOf(change: Change = () => undefined): Edge[] {
  const settings = fixtureSettings(),
    plan = fixturePlan();
  change(settings, plan);
  return synapseEdges({ settings, plan });
}
const peer = (component: string, namespace = "matrix") => ({ component, namespace });
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: "TCP" as const }));
const from = (cls: WorkerClass, edges: Edge[]): Array<Omit<Edge, "from">> =>
  edges.flatMap(({ from: f, ...rest }) => ("component" in f && f.component === `synapse-${cls}` ? [rest] : []));
/** What a change adds, by class. */
function added(change: Change): Array<[string, Omit<Edge, "from">]> {
  const before = new Set(edgesOf().map((e) => JSON.stringify(e)));
  return edgesOf(change).flatMap(({ from: f, ...rest }) =>
    before.has(JSON.stringify({ from: f, ...rest })) ? [] : [["component" in f ? f.component : endKey(f), rest]],
  );
}
const WORLD = { world: true } as const;

/** What every process needs. */
const DATABASE = {
  to: {
    labels: { "cnpg.io/poolerName": "synapse-postgres-pooler-rw" },
    namespace: "matrix",
    label: "synapse-postgres-pooler-rw",
  },
  ports: tcp(5432),
  why: "database, through the connection pooler",
};
const REDIS = {
  to: peer("redis-synapse-master"),
  ports: tcp(6379),
  why: "replication stream and shared cache, at the master",
};
const writer = (cls: string) => ({
  to: peer(`synapse-${cls}`),
  ports: tcp(9093),
  why: `requests to the writers of class ${cls}`,
});
/** The port in use, and all that their number may lead to: a refusal at once, not silence. */
const PERSISTERS = {
  to: peer("synapse-event-persister"),
  ports: [...tcp(9202), { port: 9201, endPort: 9700, protocol: "TCP" as const }],
  why: "requests to the writers of class event-persister",
};
const [MAIN, MEDIA, EPHEMERAL, ACCOUNT, RECEIPTS, DEVICES] = [
  "main",
  "media",
  "ephemeral",
  "account",
  "receipts",
  "device-lists",
].map(writer);

describe("connections of Synapse", () => {
  it("lead from each process to the database, Redis and the writers, but not from a lone one to itself", () => {
    const all = edgesOf();
    assert.deepEqual(synapsePeer("to-device"), peer("synapse-to-device"));
    const writers = [MAIN, PERSISTERS, MEDIA, EPHEMERAL, ACCOUNT, RECEIPTS, DEVICES];
    for (const cls of ["synchrotron", "generic", "background"] as const)
      assert.deepEqual(from(cls, all), [DATABASE, REDIS, ...writers], cls);
    assert.deepEqual(from("main", all), [DATABASE, REDIS, ...writers.filter((w) => w !== MAIN)]);
    assert.deepEqual(from("account", all), [DATABASE, REDIS, ...writers.filter((w) => w !== ACCOUNT)]);
    // Receipts are divided among two, which send each other what they got for the other's users.
    assert.deepEqual(from("receipts", all), [DATABASE, REDIS, ...writers]);
    assert.deepEqual(from("media", all), [
      DATABASE,
      REDIS,
      ...writers,
      { to: peer("minio", "minio"), ports: tcp(9000), why: "media" },
    ]);
  });

  it("lead to each process from its node, for probes, and to no other port from there", () => {
    const probes = edgesOf().filter((e) => "nodes" in e.from);
    assert.deepEqual(
      probes,
      [...fixturePlan().synapse.pools.map((p) => `synapse-${p.class}`), "synapse-replacer"].map((component) => ({
        from: { nodes: true },
        to: peer(component),
        ports: tcp(8080),
        why: "probes",
      })),
    );
  });

  it("let the replacer ask the API server, and nothing else", () => {
    assert.deepEqual(
      edgesOf().filter((e) => "component" in e.from && e.from.component === "synapse-replacer"),
      [
        {
          from: peer("synapse-replacer"),
          to: { apiServer: true },
          ports: tcp(6443),
          why: "which machines are lost, and their pods",
        },
      ],
    );
  });

  it("lead out of the cluster from the pusher alone, to push gateways", () => {
    assert.deepEqual(
      edgesOf().filter((e) => "world" in e.to),
      [{ from: peer("synapse-pusher"), to: WORLD, ports: tcp(443), why: "push gateways" }],
    );
  });

  it("lead to the mail server, where there is one, from those that send mail", () => {
    const mail = added((s) => {
      s.emailSmtp = { host: "192.0.2.5", port: 465, from: "a@example.org" };
    });
    const edge = { to: { cidrs: ["192.0.2.5/32"], label: "192.0.2.5" }, ports: tcp(465), why: "e-mail" };
    // Pushers send notices, main confirms addresses, background reminds of expiry.
    assert.deepEqual(
      mail,
      ["main", "pusher", "background"].map((cls) => [`synapse-${cls}`, edge]),
    );
  });

  it("lead to providers of logins from those that answer logins: their own port, and 443 for what they name", () => {
    const sso =
      (oidc: Array<{ issuer: string }>): Change =>
      (s) => {
        s.sso = { oidc: oidc as NonNullable<Settings["sso"]>["oidc"], passwordLogin: true };
      };
    const found = { to: WORLD, ports: tcp(443), why: "identity providers" };
    const own = { to: WORLD, ports: tcp(8443), why: "identity providers" };
    assert.deepEqual(added(sso([{ issuer: "https://sso.example.net:8443" }])), [
      ["synapse-main", found],
      ["synapse-main", own],
      ["synapse-generic", found],
      ["synapse-generic", own],
    ]);
    assert.deepEqual(added(sso([])), []);
  });

  it("lead to a directory from those that check passwords, also of who deletes a device or replaces keys", () => {
    const ldap = added((s) => {
      s.ldap = ldapSettings({ uris: ["ldaps://192.0.2.9", "ldaps://192.0.2.10:7636"] });
    });
    const edge = (ip: string, port: number) => ({
      to: { cidrs: [`${ip}/32`], label: ip },
      ports: tcp(port),
      why: "LDAP",
    });
    assert.deepEqual(
      ldap,
      ["main", "generic", "device-lists"].flatMap((cls) => [
        [`synapse-${cls}`, edge("192.0.2.9", 636)],
        [`synapse-${cls}`, edge("192.0.2.10", 7636)],
      ]),
    );
  });

  it("lead to other homeservers from every process, where federation is on", () => {
    const federation = added((s) => {
      s.federation = { enabled: true };
    });
    assert.deepEqual(
      federation,
      fixturePlan().synapse.pools.map((p) => [
        `synapse-${p.class}`,
        { to: WORLD, ports: tcp(443, 8448), why: "other homeservers" },
      ]),
    );
  });

  it("reach other homeservers on the usual ports and on those that the list names", () => {
    const ports = (...domainAllowList: string[]): number[] =>
      federationPorts({ ...fixtureSettings(), federation: { enabled: true, domainAllowList } }).map((p) => p.port);
    assert.deepEqual(federationPorts(fixtureSettings()), tcp(443, 8448));
    assert.deepEqual(
      ports("a.example", "b.example:9448", "c.example:8448", "[2001:db8::1]:10000"),
      [443, 8448, 9448, 10000],
    );
    assert.deepEqual(ports("a.example:80x", "[2001:db8::1]"), [443, 8448]);
  });

  it("lead from media processes to the object store that keeps media, and to pages where previews are on", () => {
    const media = (change: Change): unknown[] => from("media", edgesOf(change)).slice(9);
    assert.deepEqual(
      media((s) => {
        s.media.urlPreviews = true;
      }),
      [
        { to: peer("minio", "minio"), ports: tcp(9000), why: "media" },
        { to: WORLD, ports: tcp(80, 443), why: "URL previews" },
      ],
    );
    const external: Change = (s) => {
      s.objectStore = {
        kind: "s3",
        endpoint: "https://192.0.2.7:9443",
        bucket: "media",
        accessKey: "a",
        secretKey: "b",
      } as Settings["objectStore"];
    };
    assert.deepEqual(media(external), [
      {
        to: { cidrs: ["192.0.2.7/32"], label: "192.0.2.7" },
        ports: tcp(9443),
        why: "media in the external object store",
      },
    ]);
  });

  it("are those of the classes that the plan has", () => {
    const small = edgesOf((_, p) => {
      p.synapse.pools = p.synapse.pools.filter((x) => ["main", "generic"].includes(x.class));
    });
    assert.deepEqual(from("generic", small), [DATABASE, REDIS, MAIN]);
    assert.equal(small.length, 9, "for both the database, Redis and probes; one to main; two of the replacer");
  });
});
