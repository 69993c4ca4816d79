/** Options whose meaning is in what they leave out, what they refuse, or what they stand for. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GONE } from "../../cli/import/processRules";
import { importFrom, type Result } from "../../cli/import/result";
import { fileReader, readHomeserver } from "../../cli/import/sources";
import { awaited, secretsScript } from "../../cli/import/texts";
import { Draft } from "../../cli/import/draft";
import { OPTIONS } from "../../components/layers/synapse/extra/options";
import { pathText } from "../../components/schema/walk";

type Config = Record<string, unknown>;
const DATABASE = { name: "psycopg2", args: { user: "synapse", password: "marker", host: "10.0.0.5" } };

/** What becomes of a configuration. @param files Texts of the old machine's files, by path */
const imported = (config: Config, files: Record<string, string> = {}, more: Config = {}): Result =>
  importFrom({
    stack: "moved",
    fragments: [{ config: { server_name: "example.com", database: DATABASE, ...config }, label: pathText }],
    workers: [],
    registrations: [],
    file: (file) => files[file],
    findings: [],
    given: {},
    ...more,
  });
const listOf = ({ findings }: Result, option: string): string | undefined =>
  findings.find((f) => f.option === option)?.list;
const whyOf = ({ findings }: Result, option: string): string => findings.find((f) => f.option === option)?.why ?? "";

describe("import: no database", () => {
  it("a file without one means SQLite, and asks for a decision", () => {
    const result = imported({ database: undefined });
    assert.equal(listOf(result, "database (not set)"), "decision");
    assert.match(whyOf(result, "database (not set)"), /SQLite.*move-in\.md/);
    assert.equal(listOf(imported({}), "database (not set)"), undefined);
    assert.equal(listOf(imported({ database: null }), "database (not set)"), "decision");
    assert.equal(listOf(imported({ database: { name: "psycopg2" } }), "database.args (not set)"), "decision");
  });

  const CHARTS: Array<[string, Config]> = [
    ["matrix-synapse", { serverName: "example.com", signingkey: { job: { enabled: true } } }],
    ["matrix-stack", { serverName: "example.com", synapse: { enabled: true } }],
  ];
  for (const [chart, values] of CHARTS)
    it(`values of ${chart} without one mean the chart's own PostgreSQL`, () => {
      const result = imported({}, {}, { fragments: [], values });
      assert.equal(listOf(result, "database (not set)"), "decision");
      assert.match(whyOf(result, "database (not set)"), /own PostgreSQL.*set database\.importFrom/);
    });
});

describe("import: what restricts stays closed", () => {
  const federation = (list: unknown) => imported({ federation_domain_whitelist: list });

  it("an allow list goes without the server's own name", () => {
    const { draft } = federation(["example.com", "partner.example.org"]);
    assert.deepEqual(draft.settings.federation, { domainAllowList: ["partner.example.org"], enabled: true });
    assert.deepEqual(federation(["example.com"]).draft.settings.federation, { enabled: false });
    assert.deepEqual(federation([]).draft.settings.federation, { enabled: false });
  });

  it("an allow list that is refused turns federation off, and says so", () => {
    const result = federation(["partner.example.org", "Bad Name"]);
    assert.deepEqual(result.draft.settings.federation, { enabled: false });
    assert.equal(listOf(result, "federation_domain_whitelist"), "decision");
    assert.match(whyOf(result, "federation_domain_whitelist"), /federation\.enabled is false/);
    const text = federation("partner.example.org");
    assert.deepEqual(text.draft.settings.federation, { enabled: false });
    assert.equal(listOf(text, "federation_domain_whitelist"), "decision");
  });

  it("rules of aliases that are refused let nobody give one", () => {
    for (const rules of [[{ user_id: "@a:example.com", action: "perhaps" }], "deny"]) {
      const result = imported({ alias_creation_rules: rules });
      assert.deepEqual((result.draft.settings.rooms as Config).aliasRules, []);
      assert.equal(listOf(result, "alias_creation_rules"), "decision");
      assert.match(whyOf(result, "alias_creation_rules"), /nobody may give an alias/);
    }
  });

  it("a setting that is taken away takes the secrets in it along", () => {
    const draft = new Draft();
    draft.set(["sso", "oidc", 0, "id"], "a");
    draft.setSecret(["sso", "oidc", 0, "clientSecret"], "marker");
    draft.setSecret(["passwords", "pepper"], "marker");
    draft.remove(["sso", "oidc"]);
    assert.deepEqual(
      draft.secrets.map((s) => s.path),
      [["passwords", "pepper"]],
    );
  });
});

describe("import: files of the old machine", () => {
  let dir: string;
  before(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "import-files-"));
    const put = (file: string, text: string): void => {
      fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
      fs.writeFileSync(path.join(dir, file), text);
    };
    put("root/bridges/one/registration.yaml", "root one");
    put("given/one/registration.yaml", "given one");
    put("given/two/registration.yaml", "given two");
    put("outside.key", "outside");
    put("config/a.yaml", "server_name: a.example.com\nserver_name: b.example.com\n");
    put("config/b.yml", "server_name: c.example.com\n");
    fs.symlinkSync(path.join(dir, "outside.key"), path.join(dir, "root/link.key"));
  });
  after(() => fs.rmSync(dir, { recursive: true }));
  const at = (file: string): string => path.join(dir, file);
  const reader = (registrations: string[] = []) =>
    fileReader({ config: at("root"), root: at("root"), registrations: registrations.map(at) });

  it("a file of --registration stands for itself, whatever others are called", () => {
    const file = reader(["given/one/registration.yaml", "given/two/registration.yaml"]);
    assert.equal(file(at("given/one/registration.yaml")), "given one");
    assert.equal(file(at("given/two/registration.yaml")), "given two");
    assert.equal(file("/bridges/one/registration.yaml"), "root one");
    assert.equal(file("/bridges/two/registration.yaml"), undefined);
    assert.equal(reader(["given/two/registration.yaml"])("/elsewhere/registration.yaml"), "given two");
    assert.equal(reader(["given/two/registration.yaml"])("/bridges/one/registration.yaml"), "root one");
  });

  it("two registrations of one name are two bridges", () => {
    const text = (id: string): string =>
      `{ id: ${id}, as_token: ${id}, hs_token: x, url: "", sender_localpart: ${id} }`;
    const files = { "one/registration.yaml": text("one"), "two/registration.yaml": text("two") };
    const { draft } = imported({}, files, { registrations: Object.keys(files) });
    assert.deepEqual(
      (draft.settings.appservices as Config[]).map(({ id }) => id),
      ["one", "two"],
    );
    const same = { "/a/r.yaml": text("one"), "/b/r.yaml": text("one") };
    const result = imported({ app_service_config_files: ["/a/r.yaml", "/b/r.yaml"] }, same);
    assert.equal(listOf(result, "app_service_config_files[0]"), "taken");
    assert.equal(listOf(result, "app_service_config_files[1]"), "decision");
  });

  it("--root is not left, neither by .. nor by a link", () => {
    assert.equal(reader()("/../outside.key"), undefined);
    assert.equal(reader()("../outside.key"), undefined);
    assert.equal(reader()("/link.key"), undefined);
  });

  it("reads the files that Synapse reads, and of a key twice the last", () => {
    const fragments = readHomeserver(at("config"));
    assert.deepEqual(
      fragments.map(({ config }) => config),
      [{ server_name: "b.example.com" }],
    );
  });
});

describe("import: people", () => {
  const retention = (fields: Config) => imported({ retention: { enabled: true, ...fields } }).draft.settings.retention;

  it("rooms may keep messages longer where nothing bounded them", () => {
    assert.deepEqual(retention({ default_policy: { max_lifetime: "30d" } }), {
      maxLifetimeDays: 30,
      roomMaxDays: 36_500,
    });
    assert.deepEqual(retention({ default_policy: { max_lifetime: "30d" }, allowed_lifetime_max: "60d" }), {
      maxLifetimeDays: 30,
      roomMaxDays: 60,
    });
  });

  it("only_for_reauth is no login with passwords, and asks for a decision", () => {
    const of = (enabled: unknown) => listOf(imported({ password_config: { enabled } }), "password_config.enabled");
    assert.deepEqual([true, "only_for_reauth", "yes"].map(of), ["replaced", "decision", "decision"]);
    const providers = [{ idp_id: "a", issuer: "https://a.example.org", client_id: "c", client_secret: "marker" }];
    const closed = imported({ password_config: { enabled: "only_for_reauth" }, oidc_providers: providers });
    assert.equal(closed.draft.get(["sso", "passwordLogin"]), false);
    const local = imported({ password_config: { enabled: "only_for_reauth", localdb_enabled: true } });
    assert.equal(listOf(local, "password_config.localdb_enabled"), "replaced");
  });

  it("a policy counts only where it is in force", () => {
    const passwords = (policy: unknown) => imported({ password_config: { policy } }).draft.settings.passwords;
    const rules = { minimum_length: 12, require_digit: true };
    assert.deepEqual(passwords({ enabled: true, ...rules }), { minimumLength: 12, requireDigit: true });
    assert.deepEqual(passwords({ enabled: false, ...rules }), { minimumLength: 1 });
    assert.deepEqual(passwords(rules), { minimumLength: 1 });
    const { draft, notes } = imported({});
    assert.deepEqual(draft.settings.passwords, { minimumLength: 1 });
    assert.ok(notes.some((note) => note.startsWith("No policy of passwords was in force")));
  });

  it("off without quotes is off", () => {
    const { draft } = imported({ encryption_enabled_by_default_for_room_type: false });
    assert.deepEqual(draft.settings.rooms, { encryption: "none" });
  });

  it("a web client that others serve is none of the stack's names", () => {
    const of = (url: string) => listOf(imported({ web_client_location: url }), "web_client_location");
    assert.equal(of("https://app.element.io/"), "decision");
    assert.equal(of("https://chat.example.com/"), "taken");
  });
});

describe("import: values that the stack would choose itself", () => {
  it("are taken into synapse.extra", () => {
    const extra = {
      redaction_retention_period: "30d",
      user_ips_max_age: null,
      forgotten_room_retention_period: "5d",
      turn_user_lifetime: "1d",
      turn_allow_guests: true,
      max_spider_size: "5M",
      require_auth_for_profile_requests: false,
      trusted_key_servers: [{ server_name: "keys.example.org" }],
      caches: { expire_caches: false, cache_entry_ttl: "1h" },
    };
    assert.deepEqual((imported(extra).draft.settings.synapse as Config).extra, extra);
  });

  it("rooms that everybody has forgotten stay, where nothing is said", () => {
    const result = imported({});
    assert.deepEqual((result.draft.settings.synapse as Config).extra, { forgotten_room_retention_period: null });
    assert.equal(listOf(result, "forgotten_room_retention_period (not set)"), "taken");
    const extra = imported({ forgotten_room_retention_period: null }).draft.settings.synapse as Config;
    assert.deepEqual(extra.extra, { forgotten_room_retention_period: null });
  });

  it("of e-mail, where there is a server for it", () => {
    const { draft } = imported({ email: { smtp_host: "mail.example.com", enable_notifs: false, notif_from: "a@b.c" } });
    assert.deepEqual((draft.get(["synapse", "extra"]) as Config).email, { enable_notifs: false });
    assert.equal(listOf(imported({ email: { enable_notifs: true } }), "email.enable_notifs"), "dropped");
  });

  it("purges, where retention is on", () => {
    const purge_jobs = [{ interval: "12h" }];
    const at = ["synapse", "extra", "retention"];
    const policy = { allowed_lifetime_max: "60d", purge_jobs };
    assert.deepEqual(imported({ retention: { enabled: true, ...policy } }).draft.get(at), { purge_jobs });
    assert.equal(imported({ retention: { enabled: false, ...policy } }).draft.get(at), undefined);
  });
});

describe("import: networks", () => {
  it("those that the stack does not block anyway are taken", () => {
    const result = imported({
      ip_range_blacklist: ["10.0.0.0/8", "203.0.112.0/24", "8.8.8.8"],
      federation_ip_range_blacklist: ["192.168.0.0/16", "8.8.4.0/24"],
      url_preview_enabled: true,
      url_preview_ip_range_blacklist: ["127.0.0.0/8", "9.9.9.0/24"],
    });
    assert.deepEqual(result.draft.settings.outgoing, {
      blockedNetworks: ["203.0.112.0/24", "8.8.8.8/32", "8.8.4.0/24"],
      previewBlockedNetworks: ["9.9.9.0/24"],
    });
    assert.equal(listOf(imported({ ip_range_blacklist: ["10.0.0.0/8"] }), "ip_range_blacklist"), "replaced");
  });

  it("an entry that is none asks for a decision, and the others are taken", () => {
    const result = imported({ ip_range_blacklist: ["9.9.9.0/24", "nowhere"] });
    assert.equal(listOf(result, "ip_range_blacklist"), "decision");
    assert.deepEqual(result.draft.settings.outgoing, { blockedNetworks: ["9.9.9.0/24"] });
  });
});

describe("import: former forms", () => {
  it("no option that Synapse still reads is called gone", () => {
    const has = (option: string): boolean => {
      let options: typeof OPTIONS | undefined = OPTIONS;
      return option.split(".").every((key) => {
        const found = options?.[key];
        options = found?.options;
        return found !== undefined;
      });
    };
    assert.ok(has("room_invite_state_types") && has("email.smtp_host"), "the test sees options");
    assert.deepEqual(GONE.split(" ").filter(has), []);
  });

  it("options of former Synapses that are still read go along", () => {
    const extra = {
      use_appservice_legacy_authorization: true,
      allow_per_room_profiles: false,
      federation_metrics_domains: ["matrix.org"],
      use_frozen_dicts: true,
      room_invite_state_types: ["m.room.name"],
    };
    assert.deepEqual((imported(extra).draft.settings.synapse as Config).extra, {
      ...extra,
      forgotten_room_retention_period: null,
    });
  });

  it("limits in the former form count where today's is absent", () => {
    const old = { rc_messages_per_second: 5, rc_message_burst_count: 50, federation_rc_sleep_limit: 7 };
    assert.deepEqual(imported(old).draft.settings.rateLimits, {
      messages: { perSecond: 5, burst: 50 },
      federation: { sleepLimit: 7 },
    });
    const both = imported({ ...old, rc_message: { per_second: 1, burst_count: 2 }, rc_federation: { concurrent: 3 } });
    assert.deepEqual(both.draft.settings.rateLimits, {
      messages: { perSecond: 1, burst: 2 },
      federation: { concurrent: 3 },
    });
    assert.equal(listOf(both, "rc_messages_per_second"), "dropped");
  });
});

describe("import: TLS to the e-mail server", () => {
  const smtp = (email: Config): unknown[] => {
    const { emailSmtp } = imported({ email: { smtp_host: "mail.example.com", notif_from: "a@example.com", ...email } })
      .draft.settings as { emailSmtp: Config };
    return [emailSmtp.port, emailSmtp.tls];
  };
  it("is what Synapse makes of the three options, at its port", () => {
    assert.deepEqual(smtp({}), [25, "opportunistic"]);
    assert.deepEqual(smtp({ smtp_port: 587, require_transport_security: false }), [587, "opportunistic"]);
    assert.deepEqual(smtp({ smtp_port: 587, require_transport_security: true }), [587, "required"]);
    assert.deepEqual(smtp({ enable_tls: false }), [25, "off"]);
    assert.deepEqual(smtp({ force_tls: true }), [465, "implicit"]);
    assert.deepEqual(smtp({ force_tls: true, require_transport_security: true, smtp_port: 2465 }), [2465, "implicit"]);
  });
});

describe("import: secrets", () => {
  it("that are not at hand are awaited at their own place in a list", () => {
    const provider = (n: number) => ({ idp_id: `p${n}`, client_secret_path: `/nowhere/${n}` });
    const { findings } = imported({ signing_key: "x", oidc_providers: [provider(0), provider(1)] });
    const paths = awaited(findings).filter((at) => at.startsWith("sso"));
    assert.deepEqual(paths, ["sso.oidc[0].clientSecret", "sso.oidc[1].clientSecret"]);
    const script = secretsScript("moved", paths);
    assert.match(script, /^put 'sso\.oidc\[1\]\.clientSecret' 'sso\.oidc\[1\]\.clientSecret'$/m);
    assert.doesNotMatch(script, /'sso\.oidc'/);
  });

  const PGPASS = "# comment\nother:5432:*:synapse:wrong\n10.0.0.5:*:synapse:synapse:mark\\:er\n*:*:*:*:last\n";
  const password = (args: Config, files: Record<string, string> = {}): [string | undefined, string[]] => {
    const { draft, findings } = imported({ database: { name: "psycopg2", args } }, files);
    return [draft.secret("database.importFrom.password"), awaited(findings).filter((a) => a.startsWith("database"))];
  };
  it("the password of a password file is in the line that fits the connection", () => {
    const args = { user: "synapse", host: "10.0.0.5", dbname: "synapse", passfile: "/p" };
    assert.deepEqual(password(args, { "/p": PGPASS }), ["mark:er", []]);
    assert.deepEqual(password({ ...args, user: "else" }, { "/p": PGPASS }), ["last", []]);
    assert.deepEqual(password(args, { "/p": "*:*:*:*:a:b\\\\c\r\n" }), ["a:b\\c", []]);
    assert.deepEqual(password(args, { "/p": "a:1:b:c:d\n" }), [undefined, ["database.importFrom.password"]]);
    assert.deepEqual(password(args), [undefined, ["database.importFrom.password"]]);
  });

  it("what stands for the database's password is none", () => {
    for (const text of ["${POSTGRES_PASSWORD}", "@@POSTGRES_PASSWORD@@"]) {
      const result = imported({ database: { name: "psycopg2", args: { user: "synapse", password: text } } });
      assert.equal(result.draft.secret("database.importFrom.password"), undefined);
      assert.equal(listOf(result, "database.args.password"), "decision");
    }
  });

  it("an empty macaroon secret key is none, and the registration secret is in its place", () => {
    for (const macaroon_secret_key of ["", null]) {
      const { draft } = imported({ macaroon_secret_key, registration_shared_secret: "marker" });
      assert.equal(draft.secret("importSecrets.macaroonSecretKey"), "marker");
    }
  });

  it("a signing key without a path is in Synapse's own file", () => {
    const key = `ed25519 a_Ab12 ${"A".repeat(43)}`;
    const { draft } = imported({ signing_key_path: null }, { "example.com.signing.key": key });
    assert.equal(draft.secret("importSecrets.signingKey"), key);
  });
});

describe("import: the way out, and the discovery document", () => {
  it("a proxy with its login, whatever of its URL is left out; exceptions go along", () => {
    const { draft } = imported({
      https_proxy: "matrix:marker-word@proxy.corp.example",
      http_proxy: "matrix:marker-word@proxy.corp.example",
      no_proxy_hosts: [".corp.example", "10.0.0.7"],
    });
    assert.deepEqual(draft.settings.httpProxy, {
      url: "http://proxy.corp.example:1080",
      user: "matrix",
      noProxy: ["corp.example", "10.0.0.7"],
    });
    assert.equal(JSON.stringify(draft.settings).includes("marker-word"), false);
  });

  it("two proxies ask for a decision, exceptions without one mean nothing", () => {
    const two = imported({ https_proxy: "http://a.example:3128", http_proxy: "http://b.example:3128" });
    assert.equal(listOf(two, "http_proxy"), "decision");
    assert.deepEqual(two.draft.settings.httpProxy, { url: "http://a.example:3128" });
    assert.equal(listOf(imported({ no_proxy_hosts: ["a.example"] }), "no_proxy_hosts"), "dropped");
  });

  it("further keys of /.well-known/matrix/client go along, without those that the stack writes", () => {
    const result = imported({
      extra_well_known_client_content: {
        "io.element.e2ee": { default: false },
        "org.matrix.msc4143.rtc_foci": [{ type: "livekit" }],
      },
    });
    assert.deepEqual(result.draft.settings.web, { wellKnown: { client: { "io.element.e2ee": { default: false } } } });
    assert.match(whyOf(result, "extra_well_known_client_content"), /without org\.matrix\.msc4143\.rtc_foci/);
  });
});
