/**
 * Synapse's configuration, line by line: what each process reads of it. A line that changes here restarts processes,
 * and changes what users may do.
 */
import assert from "node:assert/strict";
import {
  days,
  homeserverConfig,
  renderSecretYaml,
  renderHomeserverYaml,
} from "../../components/layers/synapse/homeserverYaml";
import { mediaSection } from "../../components/layers/synapse/mediaYaml";
import { portsOf, renderLogYaml, renderWorkerYaml, workerConfig } from "../../components/layers/synapse/workerYaml";
import type { WorkerClass } from "../../components/domain/workerClasses";
import type { OidcProvider, Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import { oidcProvider } from "../helpers/example";

type Change = (s: Settings, p: Plan) => void;
const changed = (change: Change = () => undefined): { settings: Settings; plan: Plan } => {
  const input = { settings: fixtureSettings(), plan: fixturePlan() };
  change(input.settings, input.plan);
  return input;
};
const CALLS = { turnUris: ["turn:turn.example.org:3478?transport=udp"], rtcServiceUrl: "https://rtc.example.org" };
const shared = (change?: Change): Record<string, any> => homeserverConfig({ ...changed(change), ...CALLS });
const s3 = { endpoint: "http://minio-api.minio.svc.cluster.local:9000", region: "us-east-1", bucket: "synapse-media" };
const worker = (cls: WorkerClass, change?: Change): Record<string, any> =>
  workerConfig({ ...changed(change), class: cls, s3 });
const pool = (plan: Plan, cls: WorkerClass) => plan.synapse.pools.find((p) => p.class === cls)!;
/** Keys and values that a change of the settings adds to the shared configuration, changes in it, or takes away. */
function difference(change: Change): Record<string, unknown> {
  const before = shared(),
    after = shared(change);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    keys.flatMap((k) => (JSON.stringify(before[k]) === JSON.stringify(after[k]) ? [] : [[k, after[k]]])),
  );
}

/**
 * For 1,000 users, without federation. Whole offices share an address, so logins from one are many; guesses at a
 * password are held up per account (`rc_login`). The module that lets one process of a name use the database comes
 * before the one that opens sessions.
 */
const SHARED = `server_name: example.org
public_baseurl: https://matrix.example.org/
report_stats: false
pid_file: /tmp/synapse.pid
serve_server_wellknown: false
web_client_location: https://chat.example.org/
enable_metrics: true
user_ips_max_age: 28d
redaction_retention_period: 7d
forgotten_room_retention_period: 28d
signing_key_path: /secrets/signing.key
macaroon_secret_key_path: /secrets/macaroon-secret-key
form_secret_path: /secrets/form-secret
registration_shared_secret_path: /secrets/registration-shared-secret
worker_replication_secret_path: /secrets/worker-replication-secret
instance_map:
  main:
    host: synapse-main-0.synapse-main.matrix.svc.cluster.local
    port: 9093
  synapse-event-persister-0:
    host: synapse-event-persister-0.synapse-event-persister.matrix.svc.cluster.local
    port: 9202
  synapse-event-persister-1:
    host: synapse-event-persister-1.synapse-event-persister.matrix.svc.cluster.local
    port: 9202
  synapse-media-0:
    host: synapse-media-0.synapse-media.matrix.svc.cluster.local
    port: 9093
  synapse-media-1:
    host: synapse-media-1.synapse-media.matrix.svc.cluster.local
    port: 9093
  synapse-ephemeral-0:
    host: synapse-ephemeral-0.synapse-ephemeral.matrix.svc.cluster.local
    port: 9093
  synapse-account-0:
    host: synapse-account-0.synapse-account.matrix.svc.cluster.local
    port: 9093
  synapse-receipts-0:
    host: synapse-receipts-0.synapse-receipts.matrix.svc.cluster.local
    port: 9093
  synapse-receipts-1:
    host: synapse-receipts-1.synapse-receipts.matrix.svc.cluster.local
    port: 9093
  synapse-device-lists-0:
    host: synapse-device-lists-0.synapse-device-lists.matrix.svc.cluster.local
    port: 9093
stream_writers:
  events:
    - synapse-event-persister-0
    - synapse-event-persister-1
  typing:
    - synapse-ephemeral-0
  to_device:
    - synapse-account-0
  account_data:
    - synapse-account-0
  receipts:
    - synapse-receipts-0
    - synapse-receipts-1
  presence:
    - synapse-ephemeral-0
  push_rules:
    - synapse-account-0
  device_lists:
    - synapse-device-lists-0
  thread_subscriptions:
    - synapse-receipts-0
    - synapse-receipts-1
  quarantined_media_changes:
    - synapse-media-0
    - synapse-media-1
pusher_instances:
  - synapse-pusher-0
run_background_tasks_on: synapse-background-0
notify_appservices_from_worker: synapse-background-0
update_user_directory_from_worker: synapse-user-directory-0
enable_media_repo: false
media_instance_running_background_jobs: synapse-media-0
redis:
  enabled: true
  host: redis-synapse-master.matrix.svc.cluster.local
  port: 6379
  dbid: 0
  password_path: /secrets/redis-password
enable_registration: false
allow_guest_access: false
password_config:
  enabled: true
  localdb_enabled: true
  policy:
    enabled: true
    minimum_length: 8
presence:
  enabled: true
user_directory:
  enabled: true
  search_all_users: false
  prefer_local_users: true
require_auth_for_profile_requests: true
allow_public_rooms_without_auth: false
allow_public_rooms_over_federation: false
rc_message:
  per_second: 10
  burst_count: 50
rc_login:
  address:
    per_second: 5
    burst_count: 100
  account:
    per_second: 0.1
    burst_count: 10
  failed_attempts:
    per_second: 0.17
    burst_count: 5
rc_joins:
  local:
    per_second: 0.5
    burst_count: 20
  remote:
    per_second: 0.05
    burst_count: 20
rc_invites:
  per_room:
    per_second: 0.5
    burst_count: 20
  per_user:
    per_second: 0.1
    burst_count: 20
  per_issuer:
    per_second: 0.5
    burst_count: 20
send_federation: false
federation_domain_whitelist: []
trusted_key_servers: []
suppress_key_server_warning: true
turn_uris:
  - turn:turn.example.org:3478?transport=udp
turn_shared_secret_path: /secrets/turn-shared-secret
turn_user_lifetime: 1h
turn_allow_guests: false
experimental_features:
  msc4143_enabled: true
  msc4222_enabled: true
matrix_rtc:
  transports:
    - type: livekit
      livekit_service_url: https://rtc.example.org
max_event_delay_duration: 24h
rc_delayed_event_mgmt:
  per_second: 1
  burst_count: 20
event_cache_size: 10K
modules:
  - module: only_one.OnlyOne
    config: {}
  - module: fresh_sessions.FreshSessions
    config: {}
`;

const MAIN = `listeners:
  - type: http
    port: 8080
    bind_addresses:
      - 0.0.0.0
    resources:
      - names:
          - health
  - type: metrics
    port: 9000
    bind_addresses:
      - 0.0.0.0
  - type: http
    port: 8008
    bind_addresses:
      - 0.0.0.0
    x_forwarded: true
    resources:
      - names:
          - client
          - openid
        compress: false
  - type: http
    port: 9093
    bind_addresses:
      - 0.0.0.0
    resources:
      - names:
          - replication
log_config: /conf/shared/log.yaml
database:
  name: psycopg2
  args:
    user: synapse
    dbname: synapse
    host: synapse-postgres-pooler-rw.matrix.svc.cluster.local
    port: 5432
    cp_min: 3
    cp_max: 15
    connect_timeout: 5
    keepalives_idle: 10
    keepalives_interval: 10
    keepalives_count: 3
    tcp_user_timeout: 15000
caches:
  global_factor: 1
  expire_caches: true
  cache_entry_ttl: 30m
  sync_response_cache_duration: 2m
  cache_autotuning:
    max_cache_memory_usage: 8192M
    target_cache_memory_usage: 6963M
    min_cache_ttl: 5m
`;

/** Of a class that answers requests and writes nothing: any process of its name will do, so it has no replication. */
const GENERIC = `worker_app: synapse.app.generic_worker
worker_listeners:
  - type: http
    port: 8080
    bind_addresses:
      - 0.0.0.0
    resources:
      - names:
          - health
  - type: metrics
    port: 9000
    bind_addresses:
      - 0.0.0.0
  - type: http
    port: 8008
    bind_addresses:
      - 0.0.0.0
    x_forwarded: true
    resources:
      - names:
          - client
          - openid
        compress: false
worker_log_config: /conf/shared/log.yaml
worker_pid_file: /tmp/worker.pid
database:
  name: psycopg2
  args:
    user: synapse
    dbname: synapse
    host: synapse-postgres-pooler-rw.matrix.svc.cluster.local
    port: 5432
    cp_min: 3
    cp_max: 7
    connect_timeout: 5
    keepalives_idle: 10
    keepalives_interval: 10
    keepalives_count: 3
    tcp_user_timeout: 15000
caches:
  global_factor: 1
  expire_caches: true
  cache_entry_ttl: 30m
  sync_response_cache_duration: 2m
  cache_autotuning:
    max_cache_memory_usage: 1536M
    target_cache_memory_usage: 1305M
    min_cache_ttl: 5m
`;

const MEDIA = `worker_app: synapse.app.generic_worker
worker_listeners:
  - type: http
    port: 8080
    bind_addresses:
      - 0.0.0.0
    resources:
      - names:
          - health
  - type: metrics
    port: 9000
    bind_addresses:
      - 0.0.0.0
  - type: http
    port: 8008
    bind_addresses:
      - 0.0.0.0
    x_forwarded: true
    resources:
      - names:
          - media
          - client
        compress: false
  - type: http
    port: 9093
    bind_addresses:
      - 0.0.0.0
    resources:
      - names:
          - replication
worker_log_config: /conf/shared/log.yaml
worker_pid_file: /tmp/worker.pid
enable_media_repo: true
media_store_path: /data/media
max_upload_size: 100M
enable_authenticated_media: true
dynamic_thumbnails: false
media_storage_providers:
  - module: s3_storage_provider.S3StorageProviderBackend
    store_local: true
    store_remote: true
    store_synchronous: true
    config:
      bucket: synapse-media
      region_name: us-east-1
      endpoint_url: http://minio-api.minio.svc.cluster.local:9000
media_retention:
  remote_media_lifetime: 90d
url_preview_enabled: false
database:
  name: psycopg2
  args:
    user: synapse
    dbname: synapse
    host: synapse-postgres-pooler-rw.matrix.svc.cluster.local
    port: 5432
    cp_min: 3
    cp_max: 5
    connect_timeout: 5
    keepalives_idle: 10
    keepalives_interval: 10
    keepalives_count: 3
    tcp_user_timeout: 15000
caches:
  global_factor: 1
  expire_caches: true
  cache_entry_ttl: 30m
  sync_response_cache_duration: 2m
  cache_autotuning:
    max_cache_memory_usage: 1024M
    target_cache_memory_usage: 870M
    min_cache_ttl: 5m
`;

const LOG = `version: 1
disable_existing_loggers: false
formatters:
  precise:
    format: "%(asctime)s %(levelname)s %(name)s - %(request)s - %(message)s"
filters:
  lost:
    (): lost_events.EndWhenLost
handlers:
  console:
    class: logging.StreamHandler
    formatter: precise
    filters:
      - lost
    stream: ext://sys.stdout
loggers:
  synapse.storage.SQL:
    level: INFO
root:
  level: INFO
  handlers:
    - console
`;

describe("Synapse's configuration, line by line", () => {
  it("shared by all processes", () => {
    const { settings, plan } = changed();
    assert.equal(renderHomeserverYaml({ settings, plan, ...CALLS }), SHARED);
  });
  for (const [cls, text] of [
    ["main", MAIN],
    ["generic", GENERIC],
    ["media", MEDIA],
  ] as const)
    it(`of the class ${cls}`, () => {
      assert.equal(renderWorkerYaml({ ...changed(), class: cls, s3 }), text);
    });
  it("of the log", () => {
    // Statements at debug level hold access tokens: that logger stays at INFO whatever the level is.
    assert.equal(renderLogYaml("DEBUG"), LOG.replace("root:\n  level: INFO", "root:\n  level: DEBUG"));
  });
});

describe("Synapse's configuration follows the settings:", () => {
  it("durations as Synapse writes them", () => {
    assert.equal(days(28), "28d");
  });

  it("the web client's address goes with the web client", () => {
    assert.deepEqual(
      difference((s) => {
        s.web.elementWeb.enabled = false;
      }),
      { web_client_location: undefined },
    );
  });

  it("messages end where retention says so, a day after they were sent at the earliest", () => {
    assert.deepEqual(
      difference((s) => {
        s.retention = { maxLifetimeDays: 365 };
      }),
      {
        retention: {
          enabled: true,
          default_policy: { min_lifetime: "1d", max_lifetime: "365d" },
          allowed_lifetime_max: "365d",
          purge_jobs: [{ interval: "1d" }],
        },
      },
    );
  });

  it("people may register as the settings say", () => {
    const registration = (more: Partial<Settings["registration"]>) =>
      difference((s) => Object.assign(s.registration, more));
    assert.deepEqual(registration({ enabled: true, requireToken: true }), {
      enable_registration: true,
      registration_requires_token: true,
    });
    assert.deepEqual(registration({ enabled: true, requireEmail: true }), {
      enable_registration: true,
      registrations_require_3pid: ["email"],
    });
    assert.deepEqual(registration({ enabled: true, allowOpen: true }), {
      enable_registration: true,
      enable_registration_without_verification: true,
    });
    assert.deepEqual(registration({ requireToken: true, requireEmail: true }), {}, "off is off");
    assert.deepEqual(registration({ allowGuests: true }), { allow_guest_access: true });
  });

  it("people log in at the providers, and by password only where that is allowed", () => {
    const oidc = oidcProvider({ scopes: ["openid", "email"] });
    const providers = [
      {
        idp_id: "corp",
        idp_name: "Corp",
        issuer: "https://sso.example.net",
        client_id: "matrix",
        client_secret_path: "/secrets/oidc-corp",
        scopes: ["openid", "email"],
        user_mapping_provider: {
          config: {
            subject_claim: "sub",
            localpart_template: "{{ (user.preferred_username or user.email or '').split('@')[0] }}",
            display_name_template: "{{ user.name }}",
          },
        },
      },
    ];
    const password = { policy: { enabled: true, minimum_length: 8 } };
    const login = (sso: Settings["sso"]) =>
      difference((s) => {
        s.sso = sso;
      });
    assert.deepEqual(login({ oidc: [oidc], passwordLogin: true }), { oidc_providers: providers });
    assert.deepEqual(login({ oidc: [oidc], passwordLogin: false }), {
      password_config: { enabled: false, localdb_enabled: false, ...password },
      oidc_providers: providers,
    });
    assert.deepEqual(login({ oidc: [], passwordLogin: true }), {}, "no list without a provider");
    const mapped = (more: Partial<OidcProvider>): any =>
      (login({ oidc: [{ ...oidc, ...more }], passwordLogin: true }).oidc_providers as any[])[0];
    const config = (more: Parameters<typeof mapped>[0]): unknown => mapped(more).user_mapping_provider.config;
    const rest = { subject_claim: "sub", display_name_template: "{{ user.name }}" };
    assert.deepEqual(config({ localpart: "username" }), providers[0]!.user_mapping_provider.config);
    assert.deepEqual(config({ localpart: "email" }), {
      ...rest,
      localpart_template: "{{ (user.email or '').split('@')[0] }}",
    });
    assert.deepEqual(config({ localpart: "ask" }), rest, "without a template Synapse asks");
    assert.deepEqual(
      config({
        localpartTemplate: "{{ user.nick }}",
        confirmLocalpart: true,
        displayNameTemplate: "{{ user.nick }} (Corp)",
        emailTemplate: "{{ user.email }}",
        subjectClaim: "oid",
      }),
      {
        subject_claim: "oid",
        localpart_template: "{{ user.nick }}",
        confirm_localpart: true,
        display_name_template: "{{ user.nick }} (Corp)",
        email_template: "{{ user.email }}",
      },
    );
    assert.deepEqual(mapped({ allowExistingUsers: true }), { ...providers[0], allow_existing_users: true });
  });

  it("other servers are met where federation is on, all of them or those of the list", () => {
    assert.deepEqual(
      difference((s) => {
        s.federation = { enabled: true };
      }),
      {
        send_federation: undefined,
        federation_domain_whitelist: undefined,
        trusted_key_servers: [{ server_name: "matrix.org" }],
      },
    );
    assert.deepEqual(
      difference((s) => {
        s.federation = { enabled: true, domainAllowList: ["a.example"] };
      }),
      // No one else is asked for keys: matrix.org is not on the list.
      { send_federation: undefined, federation_domain_whitelist: ["a.example"] },
    );
  });

  it("events to other servers go out through the senders, and through none while federation is off", () => {
    const senders =
      (enabled: boolean): Change =>
      (s, p) => {
        s.federation = { enabled };
        p.synapse.pools.push({ ...pool(p, "account"), class: "federation-sender", replicas: 2, maxReplicas: 2 });
      };
    assert.deepEqual(shared(senders(true)).federation_sender_instances, [
      "synapse-federation-sender-0",
      "synapse-federation-sender-1",
    ]);
    assert.equal(shared(senders(false)).federation_sender_instances, undefined);
    assert.ok(
      !("federation_sender_instances" in shared((s) => (s.federation = { enabled: true }))),
      "main sends itself",
    );
  });

  it("work has its process, or main does it", () => {
    const without = (...classes: WorkerClass[]) =>
      difference((_, p) => {
        p.synapse.pools = p.synapse.pools.filter((x) => !classes.includes(x.class));
      });
    assert.deepEqual(without("pusher"), { pusher_instances: undefined });
    assert.deepEqual(without("user-directory"), { update_user_directory_from_worker: "synapse-background-0" });
    assert.deepEqual(without("background"), {
      run_background_tasks_on: undefined,
      notify_appservices_from_worker: undefined,
    });
    assert.deepEqual(without("background", "user-directory"), {
      run_background_tasks_on: undefined,
      notify_appservices_from_worker: undefined,
      update_user_directory_from_worker: undefined,
    });
    const { instance_map: map, stream_writers: streams, ...media } = without("media");
    assert.deepEqual(media, { enable_media_repo: undefined, media_instance_running_background_jobs: undefined });
    assert.ok(!("synapse-media-0" in (map as object)) && !("quarantined_media_changes" in (streams as object)));
  });

  it("calls are relayed and held as far as TURN and RTC are on", () => {
    assert.deepEqual(
      difference((s) => {
        s.turn.enabled = false;
      }),
      {
        turn_uris: undefined,
        turn_shared_secret_path: undefined,
        turn_user_lifetime: undefined,
        turn_allow_guests: undefined,
      },
    );
    assert.deepEqual(
      difference((s) => {
        s.rtc.enabled = false;
      }),
      {
        experimental_features: undefined,
        matrix_rtc: undefined,
        max_event_delay_duration: undefined,
        rc_delayed_event_mgmt: undefined,
      },
    );
    assert.deepEqual(
      difference((s) => {
        s.rtc.jwtService = false;
      }),
      { matrix_rtc: undefined },
      "nobody gives out tokens for the SFU",
    );
    assert.deepEqual(
      difference((s) => {
        delete (s.rtc as Partial<Settings["rtc"]>).jwtService;
      }),
      {},
      "on unless the settings say otherwise",
    );
  });

  it("limits, presence and caches are the plan's and the settings'", () => {
    assert.deepEqual(
      difference((s, p) => {
        p.synapse.rateLimits = { messagesPerSecond: 20, messagesBurst: 200 };
        p.synapse.eventCacheSize = "50K";
        s.presence.enabled = false;
      }),
      { presence: { enabled: false }, rc_message: { per_second: 20, burst_count: 200 }, event_cache_size: "50K" },
    );
  });
});

describe("Synapse's mail", () => {
  const mail = (
    more: Partial<NonNullable<Settings["emailSmtp"]>>,
    change: Change = () => undefined,
  ): string | undefined =>
    renderSecretYaml(
      changed((s, p) => {
        s.emailSmtp = { host: "smtp.example.net", port: 587, from: "chat@example.org", ...more };
        change(s, p);
      }).settings,
    );
  it("is sent over TLS, with the web client's address and the sender's name", () => {
    assert.equal(
      mail({ user: "matrix", password: "secret" }),
      `email:
  smtp_host: smtp.example.net
  smtp_port: 587
  smtp_user: matrix
  smtp_pass: secret
  require_transport_security: true
  notif_from: "%(app)s <chat@example.org>"
  app_name: Element
  enable_notifs: true
  notif_for_new_users: true
  client_base_url: https://chat.example.org/
`,
    );
  });
  it("names no user, no web client and no second pair of brackets where there are none to name", () => {
    assert.equal(
      mail({ from: "Chat <chat@example.org>" }, (s) => {
        s.web.elementWeb = { ...s.web.elementWeb, enabled: false, brand: "Chat" };
      }),
      `email:
  smtp_host: smtp.example.net
  smtp_port: 587
  require_transport_security: true
  notif_from: Chat <chat@example.org>
  app_name: Chat
  enable_notifs: true
  notif_for_new_users: true
`,
    );
  });
  it("is encrypted from the first byte on port 465, upgraded on others, and plain on 25 alone", () => {
    const security = (port: number): string[] =>
      mail({ port })!
        .split("\n")
        .filter((l) => /tls|security/.test(l))
        .map((l) => l.trim());
    assert.deepEqual(security(465), ["force_tls: true"]);
    assert.deepEqual(security(587), ["require_transport_security: true"]);
    assert.deepEqual(security(2525), ["require_transport_security: true"]);
    assert.deepEqual(security(25), ["require_transport_security: false"]);
  });
  it("is not sent without a server", () => {
    assert.equal(renderSecretYaml(fixtureSettings()), undefined);
  });
});

describe("a class's configuration", () => {
  it("listens on IPv6 where the cluster has it", () => {
    const v6 = worker("main", (s) => {
      s.cluster.ipFamilies = ["IPv4", "IPv6"];
    });
    assert.deepEqual(
      v6.listeners.map((l: any) => l.bind_addresses),
      [["::"], ["::"], ["::"], ["::"]],
    );
  });

  it("has the ports that its Service has", () => {
    const ports = (cls: WorkerClass): Record<string, number> => portsOf({ ...changed(), class: cls });
    assert.deepEqual(ports("main"), { http: 8008, replication: 9093, metrics: 9000, health: 8080 });
    assert.deepEqual(ports("generic"), { http: 8008, metrics: 9000, health: 8080 });
    assert.deepEqual(ports("event-persister"), { replication: 9202, metrics: 9000, health: 8080 });
    assert.deepEqual(ports("pusher"), { metrics: 9000, health: 8080 });
  });

  it("listens for other processes only where it writes, and for requests only where some come", () => {
    const listens = (cls: WorkerClass): unknown[] =>
      worker(cls).worker_listeners.map((l: any) => [l.port, l.resources?.[0].names ?? l.type]);
    assert.deepEqual(listens("event-persister"), [
      [8080, ["health"]],
      [9000, "metrics"],
      [9202, ["replication"]],
    ]);
    assert.deepEqual(listens("pusher"), [
      [8080, ["health"]],
      [9000, "metrics"],
    ]);
  });

  it("lets caches shrink at 85 % of the memory that the plan gives, in whole MiB", () => {
    const caches = worker("generic", (_, p) => {
      pool(p, "generic").memoryMiB = 1001.5;
      p.synapse.globalCacheFactor = 2.5;
    }).caches;
    assert.equal(caches.global_factor, 2.5);
    assert.deepEqual(caches.cache_autotuning, {
      max_cache_memory_usage: "1001M",
      target_cache_memory_usage: "851M",
      min_cache_ttl: "5m",
    });
  });

  it("is of a class that the plan has", () => {
    assert.throws(() => worker("presence"), { message: "synapse: the plan has no pool of class presence" });
  });

  it("keeps media as long as the settings say, for ever where they say nothing", () => {
    const retention = (local?: number, remote?: number): unknown => {
      const { settings } = changed((s) => {
        delete s.media.remoteRetentionDays;
        if (local) s.media.localRetentionDays = local;
        if (remote) s.media.remoteRetentionDays = remote;
      });
      return mediaSection(settings, s3).media_retention;
    };
    assert.equal(retention(), undefined);
    assert.deepEqual(retention(400), { local_media_lifetime: "400d" });
    assert.deepEqual(retention(undefined, 30), { remote_media_lifetime: "30d" });
    assert.deepEqual(retention(400, 30), { local_media_lifetime: "400d", remote_media_lifetime: "30d" });
  });

  it("fetches pages for previews only where that is on, never from private networks or the cluster's own", () => {
    const { settings } = changed((s) => {
      s.media.urlPreviews = true;
    });
    const { url_preview_enabled, url_preview_ip_range_blacklist, max_spider_size } = mediaSection(settings, s3);
    assert.deepEqual([url_preview_enabled, max_spider_size], [true, "10M"]);
    const denied = url_preview_ip_range_blacklist as string[];
    for (const network of [
      "10.0.0.0/8",
      "127.0.0.0/8",
      "192.168.0.0/16",
      "::1/128",
      "fe80::/10",
      "::/128",
      "224.0.0.0/4",
      "ff00::/8",
      "10.244.0.0/16",
      "10.96.0.0/16",
    ])
      assert.ok(denied.includes(network), network);
    assert.equal(new Set(denied).size, denied.length, "each once");
  });
});
