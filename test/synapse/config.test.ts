/** Synapse's configuration: known keys, valid combinations, no secret, and one place per setting. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import {
  homeserverConfig,
  renderSecretYaml,
  renderHomeserverYaml,
} from "../../components/layers/synapse/homeserverYaml";
import { renderLogYaml, workerConfig } from "../../components/layers/synapse/workerYaml";
import { synapseEdges } from "../../components/layers/synapse/edges";
import { streamWriters } from "../../components/layers/synapse/instances";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import type { WorkerClass } from "../../components/domain/workerClasses";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import known from "../../lab/real/known-keys.json";
import { oidcProvider } from "../helpers/example";

const s3 = { endpoint: "http://minio-api.minio.svc.cluster.local:9000", region: "us-east-1", bucket: "synapse-media" };
const turnUris = ["turn:turn.example.org:3478?transport=udp"];
const shared = (settings: Settings, plan: Plan): any =>
  homeserverConfig({ settings, plan, turnUris, rtcServiceUrl: "https://rtc.example.org" });
const cls = (c: WorkerClass, settings = fixtureSettings(), plan = fixturePlan()): any =>
  workerConfig({ settings, plan, class: c, s3 });

function full(): { settings: Settings; plan: Plan } {
  const settings = fixtureSettings();
  settings.federation = { enabled: true, domainAllowList: ["a.example"] };
  settings.registration = { ...settings.registration, enabled: true, requireEmail: true, allowGuests: true };
  settings.media = { ...settings.media, urlPreviews: true, localRetentionDays: 100 };
  settings.retention = { maxLifetimeDays: 365 };
  settings.emailSmtp = { host: "smtp.example", port: 587, user: "u", password: "smtp-secret-value", from: "a@b.c" };
  settings.sso = {
    oidc: [
      oidcProvider({
        id: "kc",
        name: "KC",
        issuer: "https://i/",
        clientId: "c",
        clientSecret: "oidc-secret-value",
        scopes: ["openid"],
      }),
    ],
    passwordLogin: false,
  };
  const plan = fixturePlan();
  settings.oldSigningKeys = [
    { id: "ed25519:a_old", key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", expiredAt: "2026-11-20T15:30:00+01:00" },
  ];
  plan.synapse.pools.push(
    { ...plan.synapse.pools[1]!, class: "federation-reader" },
    { ...plan.synapse.pools[0]!, class: "federation-sender", replicas: 2, maxReplicas: 2 },
  );
  return { settings, plan };
}

function paths(value: unknown, at = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((v) => paths(v, `${at}[]`));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([k, v]) => {
    const p = at ? `${at}.${k}` : k;
    return [p, ...paths(v, p)];
  });
}

describe("Synapse's configuration", () => {
  it("registration asks for a token, an e-mail address, both or, only where that is meant, nothing", () => {
    const asked = (registration: Partial<Settings["registration"]>): unknown[] => {
      const { settings, plan } = full();
      settings.registration = { ...fixtureSettings().registration, enabled: true, ...registration };
      const c = shared(settings, plan);
      return [c.registration_requires_token, c.registrations_require_3pid, c.enable_registration_without_verification];
    };
    assert.deepEqual(asked({ requireToken: true }), [true, undefined, undefined]);
    assert.deepEqual(asked({ requireEmail: true }), [undefined, ["email"], undefined]);
    assert.deepEqual(asked({ requireToken: true, requireEmail: true }), [true, ["email"], undefined]);
    assert.deepEqual(asked({ allowOpen: true }), [undefined, undefined, true]);
    assert.deepEqual(asked({ enabled: false, requireToken: true }), [undefined, undefined, undefined]);
  });

  it("publishes signing keys of before until when they signed, in milliseconds; without any, no such key", () => {
    const { settings, plan } = full();
    assert.deepEqual(shared(settings, plan).old_signing_keys, {
      "ed25519:a_old": {
        key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        expired_ts: Date.UTC(2026, 10, 20, 14, 30),
      },
    });
    assert.match(
      renderHomeserverYaml({ settings, plan, turnUris, rtcServiceUrl: "" }),
      /^ +expired_ts: 1795185000000$/m,
    );
    assert.ok(!("old_signing_keys" in shared(fixtureSettings(), fixturePlan())));
  });

  it("has only keys that Synapse reads", () => {
    const reads = new Set<string>(known.keys);
    const { settings, plan } = full();
    const open = (p: string): boolean =>
      known.open.some((o) => p === o || p.startsWith(`${o}.`) || p.startsWith(`${o}[`));
    const documents = [
      shared(settings, plan),
      shared(fixtureSettings(), fixturePlan()),
      parse(renderSecretYaml(settings)!),
      ...plan.synapse.pools.map((p) => workerConfig({ settings, plan, class: p.class, s3 })),
    ];
    assert.deepEqual(
      [...new Set(documents.flatMap((d) => paths(d)))].filter((p) => !reads.has(p) && !open(p)),
      [],
    );
    assert.ok(!reads.has("stream_writer"), "the list must not hold what Synapse does not read");
  });

  it("names the same processes in instance_map and stream_writers, main as main", () => {
    const c = shared(fixtureSettings(), fixturePlan());
    assert.deepEqual(c.instance_map.main, { host: "synapse-main-0.synapse-main.matrix.svc.cluster.local", port: 9093 });
    for (const [stream, names] of Object.entries<string[]>(c.stream_writers))
      for (const n of names) assert.ok(c.instance_map[n], `${stream}: ${n}`);
    assert.deepEqual(c.stream_writers.events, ["synapse-event-persister-0", "synapse-event-persister-1"]);
    assert.ok(!JSON.stringify(c.instance_map).includes("synchrotron"), "autoscaled workers are in no map");
  });

  it("lets processes that count event persisters differently meet on no port, and be refused there at once", () => {
    const of = (replicas: number): { plan: Plan; port: number } => {
      const plan = fixturePlan();
      plan.synapse.pools.find((p) => p.class === "event-persister")!.replicas = replicas;
      const map = shared(fixtureSettings(), plan).instance_map,
        ports = new Set<number>(Array.from({ length: replicas }, (_, i) => map[`synapse-event-persister-${i}`].port));
      assert.equal(ports.size, 1);
      const port = [...ports][0]!;
      assert.ok(
        cls("event-persister", fixtureSettings(), plan).worker_listeners.some(
          (l: any) => l.port === port && l.resources?.[0].names[0] === "replication",
        ),
      );
      return { plan, port };
    };
    const all = [1, 2, 3, 8, 500].map(of);
    assert.equal(new Set(all.map((x) => x.port)).size, all.length);
    // A policy that kept silent about the other port would let the sender wait for a time-out instead.
    for (const { plan } of all) {
      const edges = synapseEdges({ settings: fixtureSettings(), plan }).filter(
        (e) => "component" in e.to && e.to.component === "synapse-event-persister" && "component" in e.from,
      );
      assert.ok(edges.length > 3);
      for (const e of edges)
        for (const { port } of all)
          assert.ok(
            e.ports.some((p) => p.port <= port && port <= (p.endPort ?? p.port)),
            `${port}`,
          );
    }
  });

  it("refuses a second writer where Synapse takes one, and writers without stable names", () => {
    const two = fixturePlan();
    two.synapse.pools.find((p) => p.class === "account")!.replicas = 2;
    assert.throws(() => streamWriters(two), /stream (to_device|account_data|push_rules) has 2 writers/);
    const floating = fixturePlan();
    floating.synapse.pools.find((p) => p.class === "receipts")!.kind = "Deployment";
    assert.throws(() => streamWriters(floating), /must be a StatefulSet/);
  });

  it("gives each class its own connection pool within a whole database section", () => {
    const plan = fixturePlan();
    plan.synapse.pools.find((p) => p.class === "main")!.cpMax = 25;
    plan.synapse.pools.find((p) => p.class === "generic")!.cpMax = 12;
    const main = cls("main", fixtureSettings(), plan).database;
    assert.equal(main.args.cp_max, 25);
    assert.equal(cls("generic", fixtureSettings(), plan).database.args.cp_max, 12);
    assert.equal(main.args.host, "synapse-postgres-pooler-rw.matrix.svc.cluster.local");
    assert.ok(!("password" in main.args));
  });

  it("listens for what the routing table sends, and for replication on main and writers only", () => {
    const names = (c: WorkerClass, f = fixtureSettings(), p = fixturePlan()): string[] => {
      const d = cls(c, f, p);
      return (d.listeners ?? d.worker_listeners).flatMap((l: any) => (l.resources ?? []).flatMap((r: any) => r.names));
    };
    assert.deepEqual(names("synchrotron"), ["health", "client"]);
    assert.deepEqual(names("event-persister"), ["health", "replication"]);
    assert.deepEqual(names("pusher"), ["health"]);
    assert.deepEqual(names("media"), ["health", "media", "client", "replication"]);
    const { settings, plan } = full();
    assert.deepEqual(names("federation-reader", settings, plan), ["health", "federation"]);
    assert.deepEqual(names("main", settings, plan), ["health", "client", "federation", "replication"]);
  });

  it("runs the media repository in the media class only, synchronously in the object store", () => {
    assert.equal(shared(fixtureSettings(), fixturePlan()).enable_media_repo, false);
    assert.equal(shared(fixtureSettings(), fixturePlan()).media_instance_running_background_jobs, "synapse-media-0");
    for (const p of fixturePlan().synapse.pools)
      assert.equal(cls(p.class).enable_media_repo, p.class === "media" ? true : undefined, p.class);
    assert.equal(cls("media").media_storage_providers[0].store_synchronous, true);
  });

  it("denies URL previews of the cluster's own networks", () => {
    const { settings, plan } = full();
    const denied = cls("media", settings, plan).url_preview_ip_range_blacklist;
    for (const cidr of ["10.244.0.0/16", "10.96.0.0/16", "169.254.0.0/16", "fc00::/7"])
      assert.ok(denied.includes(cidr), cidr);
  });

  it("is closed to federation unless it is on", () => {
    const off = shared(fixtureSettings(), fixturePlan());
    assert.deepEqual(
      [off.federation_domain_whitelist, off.send_federation, off.federation_sender_instances],
      [[], false, undefined],
    );
    const { settings, plan } = full();
    const on = shared(settings, plan);
    assert.deepEqual([on.federation_domain_whitelist, on.send_federation], [["a.example"], undefined]);
    assert.deepEqual(on.federation_sender_instances, ["synapse-federation-sender-0", "synapse-federation-sender-1"]);
  });

  it("holds no secret outside of the SMTP file", () => {
    const { settings, plan } = full();
    const text =
      renderHomeserverYaml({ settings, plan, turnUris, rtcServiceUrl: "x" }) +
      plan.synapse.pools.map((p) => JSON.stringify(workerConfig({ settings, plan, class: p.class, s3 }))).join();
    for (const value of ["smtp-secret-value", "oidc-secret-value"]) assert.ok(!text.includes(value), value);
    assert.ok(renderSecretYaml(settings)!.includes("smtp-secret-value"));
    assert.equal(renderSecretYaml(fixtureSettings()), undefined);
  });

  it("offers calls what Element Call asks for, only where RTC is on", () => {
    const on = shared(fixtureSettings(), fixturePlan());
    assert.equal(on.matrix_rtc.transports[0].livekit_service_url, "https://rtc.example.org");
    assert.equal(on.max_event_delay_duration, "24h");
    const settings = fixtureSettings();
    settings.rtc.enabled = false;
    assert.equal(shared(settings, fixturePlan()).matrix_rtc, undefined);
  });

  it("logs to standard output at the level asked for", () => {
    assert.equal(parse(renderLogYaml("WARNING")).root.level, "WARNING");
  });
});
