/** Options of Synapse beyond the settings: what is refused and how, where they are rendered, and who restarts. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { parse } from "yaml";
import { exampleConfig } from "../../cli/exampleStack";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { homeserverConfig, renderSecretYaml, type Yaml } from "../../components/layers/synapse/homeserverYaml";
import { workerConfig } from "../../components/layers/synapse/workerYaml";
import { optionProblems } from "../../components/layers/synapse/extra/options";
import { OWNERS, ownerOf } from "../../components/layers/synapse/extra/owners";
import { MEDIA_OPTIONS } from "../../components/layers/synapse/extra/readers";
import { extraText } from "../../components/layers/synapse/extra/render";
import { isSecretName, leavesOf } from "../../components/layers/synapse/extra/values";
import { IMAGES } from "../../components/layers/synapse/images";
import { OPTIONS_VERSION } from "../../components/layers/synapse/extra/options";
import { resolveSettings, SECRET_PLACEHOLDER, type SettingsError } from "../../components/settings";
import { settingsSchema } from "../../components/settings/schema";
import { secretsInClear } from "../../components/settings/secretPaths";
import { schemasAlong } from "../../components/schema/walk";
import { plan } from "../../components/plan";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { minimal } from "../helpers/example";
import { rich } from "../helpers/richStack";

const errorsOf = (synapse: object, more: object = {}): SettingsError[] =>
  resolveSettings({ ...minimal(), synapse, ...more }, "test").errors;
const refused = (extra: object): Array<[string, string]> =>
  errorsOf({ extra }).map((e) => [e.path, `${e.given}; ${e.allowed}; ${e.remedy}`]);

describe("synapse.extra: what is refused", () => {
  it("takes what Synapse has and this stack has not", () =>
    assert.deepEqual(
      refused({
        enable_search: false,
        room_prejoin_state: { additional_event_types: ["m.room.topic"] },
        presence: { include_offline_users_on_sync: true },
        caches: { per_cache_factors: { get_users_in_room: 5 } },
        jwt_config: { enabled: true, secret: SECRET_PLACEHOLDER, algorithm: "HS256" },
        trusted_key_servers: [{ server_name: "example.org" }],
        forgotten_room_retention_period: null,
        experimental_features: { msc4306_enabled: true },
      }),
      [],
    ));

  it("where a setting exists it names that setting", () => {
    for (const [extra, path, setting] of [
      [{ presence: { enabled: true } }, "presence.enabled", "presence.enabled"],
      [{ max_upload_size: "10M" }, "max_upload_size", "media.maxUploadMiB"],
      [{ email: { smtp_host: "a" } }, "email.smtp_host", "emailSmtp.host"],
      [{ oidc_providers: [] }, "oidc_providers", "sso.oidc"],
      [{ ldap_config: {} }, "ldap_config", "ldap"],
      [{ modules: [] }, "modules", "synapse.modules"],
      [{ password_config: { pepper: SECRET_PLACEHOLDER } }, "password_config.pepper", "passwords.pepper"],
      [{ rc_login: { account: { per_second: 1 } } }, "rc_login.account.per_second", "rateLimits.loginByAccount"],
      [{ auto_join_rooms: ["#all:example.com"] }, "auto_join_rooms", "rooms.autoJoin.aliases"],
      [{ federation_ip_range_blacklist: [] }, "federation_ip_range_blacklist", "outgoing.blockedNetworks"],
      [{ rc_messages_per_second: 1 }, "rc_messages_per_second", "rateLimits.messages"],
      [{ retention: null }, "retention", "retention"],
      [
        { retention: { default_policy: { max_lifetime: "1y" } } },
        "retention.default_policy.max_lifetime",
        "retention.maxLifetimeDays",
      ],
    ] as const) {
      const [error, ...others] = refused(extra);
      assert.equal(error?.[0], `synapse.extra.${path}`);
      assert.ok(error![1].includes(`set \`${setting}\` instead`), error![1]);
      assert.deepEqual(others, []);
    }
  });

  it("where the stack decides it says why", () => {
    for (const [extra, why] of [
      [{ listeners: [] }, /the router, the Services and the network policies know these ports/],
      [{ database: { name: "sqlite3" } }, /this stack's PostgreSQL/],
      [{ redis: { enabled: false } }, /this stack's Redis/],
      [{ instance_map: {} }, /the plan decides which processes there are/],
      [{ stream_writers: { typing: "x" } }, /the plan decides which processes there are/],
      [{ media_store_path: "/x" }, /media are in the object store/],
      [{ tls_private_key_path: "/x" }, /TLS ends at the ingress/],
      [{ matrix_authentication_service: { enabled: true } }, /has no route to that service/],
      [{ user_consent: { version: "1.0" } }, /set `terms\.version` instead/],
      [{ default_identity_server: "https://id.example.org" }, /the ingress serves/],
    ] as const) {
      assert.match(refused(extra)[0]![1], why);
    }
  });

  it("what Synapse does not know is refused with the nearest that it knows", () => {
    assert.match(
      refused({ enable_serch: true })[0]![1],
      /ignore it in silence; .*1\.163\.2; did you mean `enable_search`\?/,
    );
    assert.match(
      refused({ room_prejoin_state: { disable: true } })[0]![1],
      /one of disable_default_event_types, additional_event_types/,
    );
    const [[path, said]] = refused({ media_upload_limits: [{}, { max_sise: "1G" }] }) as [[string, string]];
    assert.equal(path, "synapse.extra.media_upload_limits[1].max_sise");
    assert.match(said, /did you mean `max_size`\?/);
    assert.doesNotMatch(refused({ experimental_features: { msc9999_enabled: true } })[0]![1], /did you mean/);
  });

  it("a value of another type is refused, and never shown", () => {
    for (const [extra, given] of [
      [{ enable_search: "hunter2" }, /^a text; true or false/],
      [{ trusted_key_servers: "hunter2" }, /^a text; a list/],
      [{ room_prejoin_state: ["hunter2"] }, /^a list; a section/],
      [{ max_mau_value: { a: "hunter2" } }, /^a section; a whole number/],
    ] as const) {
      const [error] = refused(extra);
      assert.match(error![1], given);
      assert.ok(!error![1].includes("hunter2"));
    }
  });

  it("a fraction, list or section that `pulumi config set --path` made a text of is what it says", () => {
    assert.deepEqual(
      refused({ rc_delayed_event_mgmt: { per_second: "1.5" }, exclude_rooms_from_sync: '["!a:b.c"]' }),
      [],
    );
    const { settings } = resolveSettings(
      { ...minimal(), synapse: { extra: { rc_delayed_event_mgmt: { per_second: "1.5" }, enable_search: "false" } } },
      "test",
    );
    assert.deepEqual(parse(extraText({ settings: settings!, class: "main", stack: {} })!), {
      rc_delayed_event_mgmt: { per_second: 1.5 },
      enable_search: false,
    });
  });

  it("secrets in clear are refused by their names, wherever they are", () => {
    const found = (synapse: object): string[] => secretsInClear({ synapse }).map((e) => e.path);
    assert.deepEqual(
      found({
        extra: { jwt_config: { secret: "s", algorithm: "HS256" }, recaptcha_private_key: SECRET_PLACEHOLDER },
        modules: [{ module: "a.B", config: { servers: [{ password: "p" }], bot_token: "t" } }],
      }),
      [
        "synapse.extra.jwt_config.secret",
        "synapse.modules[0].config.servers[0].password",
        "synapse.modules[0].config.bot_token",
      ],
    );
    assert.deepEqual(found({ extra: { password_config: { pepper: SECRET_PLACEHOLDER } } }), []);
  });
});

describe("names that hold secrets", () => {
  it("are the same to the plan and to the import", () => {
    for (const name of ["smtp_pass", "bot_token", "webhook_url", "api_key", "passphrase", "bindpw", "accessToken"])
      assert.ok(isSecretName(name), name);
    for (const name of ["bypass", "username", "token_lifetime", "secret_path"]) assert.ok(!isSecretName(name), name);
    assert.deepEqual(
      secretsInClear({ synapse: { extra: { a_section: { passphrase: "p" } } } }).map((e) => e.path),
      ["synapse.extra.a_section.passphrase"],
    );
  });
});

describe("synapse.extra: the tables", () => {
  it("are of the version of Synapse that runs", () => assert.equal(OPTIONS_VERSION, IMAGES.synapse.tag));

  it("every option that the stack writes is the stack's, or a setting's, or may be replaced", async () => {
    const config = await rich();
    const { settings } = resolveSettings({ ...config, presence: { enabled: true } }, "test");
    const all = plan(settings!);
    const s3 = { endpoint: "http://s3.example.org", region: "r", bucket: "b" };
    const documents: Yaml[] = [
      homeserverConfig({ settings: settings!, plan: all, turnUris: ["turn:a"], rtcServiceUrl: "https://r" }),
      parse(renderSecretYaml(settings!)!) as Yaml,
      ...all.synapse.pools.map((pool) => workerConfig({ settings: settings!, plan: all, class: pool.class, s3 })),
    ];
    const leaves = documents.flatMap((d) => leavesOf(d, []).map(({ path }) => path));
    assert.ok(leaves.length > 200);
    assert.deepEqual([...new Set(leaves.filter((path) => !ownerOf(path)).map((path) => path.join(".")))], []);
  });

  it("name options that Synapse has, and settings that exist", () => {
    for (const [at, owner] of Object.entries(OWNERS)) {
      const value = at
        .split(".")
        .slice(1)
        .reduceRight<unknown>((inner, key) => ({ [key]: inner }), null);
      assert.deepEqual(optionProblems([at.split(".")[0]!], value), [], at);
      if (!("setting" in owner)) continue;
      const path = owner.setting.split(".");
      assert.equal(schemasAlong(settingsSchema, {}, path).length, path.length + 1, owner.setting);
    }
  });
});

const CONFIG = { ...exampleConfig(1_000), ...WITHOUT_OPERATORS, monitoring: { enabled: false } };
const resourcesOf = async (synapse?: object, more: object = {}): Promise<RegisteredResource[]> =>
  (await evaluate({ stack: "test", config: { ...CONFIG, ...(synapse ? { synapse } : {}), ...more } })).resources;
const namesOf = (all: RegisteredResource[], type: string): string[] =>
  all.filter((r) => r.type === type).map((r) => String(r.inputs.metadata.name));
const checkOf = (all: RegisteredResource[]): string =>
  namesOf(all, "kubernetes:batch/v1:Job").find((n) => n.startsWith("synapse-check-config"))!;
const extraSecretsOf = (all: RegisteredResource[]): Map<string, Record<string, string>> =>
  new Map(
    all
      .filter((r) => /^synapse-.*-extra-[0-9a-f]{10}$/.test(String(r.inputs?.metadata?.name)))
      .map((r) => {
        assert.equal(r.type, "kubernetes:core/v1:Secret");
        return [r.inputs.metadata.labels["app.kubernetes.io/component"], r.inputs.stringData];
      }),
  );
/** The pods' templates by component. */
const podsOf = (all: RegisteredResource[]): Map<string, string> =>
  new Map(
    all
      .filter((r) => r.inputs?.spec?.template && r.inputs.metadata.labels?.["app.kubernetes.io/name"] === "synapse")
      .filter((r) => !r.type.endsWith(":Job"))
      .map((r) => [r.inputs.metadata.name, JSON.stringify(r.inputs.spec.template)]),
  );

describe("synapse.extra: where it is", function () {
  this.timeout(120_000);
  let none: RegisteredResource[];
  before(async () => {
    none = await resourcesOf();
  });

  it("is in a Secret of each class alone, with what the stack writes beside it, and read last", async () => {
    const all = await resourcesOf({
      extra: {
        caches: { per_cache_factors: { a: 2 } },
        presence: { include_offline_users_on_sync: true },
        jwt_config: { enabled: true, secret: "hunter2", algorithm: "HS256" },
        require_auth_for_profile_requests: false,
      },
    });
    const secrets = extraSecretsOf(all);
    const pods = podsOf(all);
    assert.equal(secrets.size, pods.size);
    const generic = parse(secrets.get("synapse-generic")!["extra.yaml"]!);
    assert.deepEqual(generic.caches.per_cache_factors, { a: 2 });
    assert.equal(generic.caches.expire_caches, true);
    assert.deepEqual(generic.presence, { enabled: true, include_offline_users_on_sync: true });
    assert.equal(generic.require_auth_for_profile_requests, false);
    assert.deepEqual(Object.keys(generic).sort(), [
      "caches",
      "jwt_config",
      "presence",
      "require_auth_for_profile_requests",
    ]);
    // Caches are of different sizes by class.
    const main = parse(secrets.get("synapse-main")!["extra.yaml"]!);
    assert.notDeepEqual(main.caches.cache_autotuning, generic.caches.cache_autotuning);
    assert.match(
      pods.get("synapse-generic")!,
      /-c \/conf\/class\/class\.yaml -c \/conf\/extra\/extra\.yaml -c \/tmp\/name\.yaml/,
    );
    for (const r of all)
      if (r.type !== "kubernetes:core/v1:Secret")
        assert.ok(!JSON.stringify(r.inputs ?? {}).includes("hunter2"), r.name);
  });

  it("options of media are in the Secrets of those that serve media alone, and change no other pod", async () => {
    const limits = [{ time_period: "1d", max_size: "1G" }];
    const all = await resourcesOf({ extra: { media_upload_limits: limits, max_image_pixels: "20M" } });
    const secrets = extraSecretsOf(all);
    assert.deepEqual([...secrets.keys()], ["synapse-media"]);
    assert.deepEqual(parse(secrets.get("synapse-media")!["extra.yaml"]!), {
      media_upload_limits: limits,
      max_image_pixels: "20M",
    });
    const before = podsOf(none);
    const changed = [...podsOf(all)].filter(([name, pod]) => pod !== before.get(name)).map(([name]) => name);
    assert.deepEqual(changed, ["synapse-media"]);
    for (const name of MEDIA_OPTIONS) assert.equal(OWNERS[name] === undefined || "usual" in OWNERS[name], true, name);
  });

  it("a changed option is another Secret, other pods and another check; without any, nothing of it is there", async () => {
    const [one, two] = await Promise.all([
      resourcesOf({ extra: { enable_search: false } }),
      resourcesOf({ extra: { enable_search: true } }),
    ]);
    assert.equal(extraSecretsOf(none).size, 0);
    assert.ok(!JSON.stringify([...podsOf(none)]).includes("/conf/extra"));
    assert.equal(new Set([none, one!, two!].map(checkOf)).size, 3);
    for (const [name, pod] of podsOf(one!)) assert.notEqual(podsOf(two!).get(name), pod, name);
  });

  it("a module is loaded behind the stack's own, and by the named classes alone: the others do not restart", async () => {
    const modules = [{ module: "my_module.Checker", config: { api_token: "t" }, workers: ["event-persister", "main"] }];
    const some = await resourcesOf({ modules });
    const secrets = extraSecretsOf(some);
    assert.deepEqual([...secrets.keys()].sort(), ["synapse-event-persister", "synapse-main"]);
    assert.deepEqual(parse(secrets.get("synapse-main")!["extra.yaml"]!), {
      modules: [
        { module: "only_one.OnlyOne", config: {} },
        { module: "fresh_sessions.FreshSessions", config: {} },
        { module: "my_module.Checker", config: { api_token: "t" } },
      ],
    });
    const before = podsOf(none);
    const restarted = [...podsOf(some)].filter(([name, pod]) => before.get(name) !== pod).map(([name]) => name);
    assert.deepEqual(restarted.sort(), ["synapse-event-persister", "synapse-main"]);
  });
});

describe("the options that are secret: e-mail, and passwords where there is a pepper", function () {
  this.timeout(120_000);
  const PEPPER = "a-pepper-of-32-letters-0123456789";
  const withPasswords = (passwords: object): Promise<RegisteredResource[]> =>
    resourcesOf(undefined, { passwords: { pepper: PEPPER, ...passwords } });

  it("other ones are another Secret and another check, which pods wait for; the digest tells nothing of them", async () => {
    const [one, longer, peppered, again] = await Promise.all([
      withPasswords({ minimumLength: 12 }),
      withPasswords({ minimumLength: 13 }),
      withPasswords({ minimumLength: 12, pepper: `${PEPPER}-2` }),
      withPasswords({ minimumLength: 12 }),
    ]);
    const all = [one!, longer!, peppered!];
    assert.equal(new Set(all.map(checkOf)).size, 3);
    const secrets = all.map((resources) => {
      const mine = resources.filter((r) => /^synapse-email/.test(String(r.inputs?.metadata?.name)));
      assert.equal(mine.length, 1);
      const [secret] = mine;
      assert.match(secret!.inputs.metadata.name, /^synapse-email-[0-9a-f]{10}$/);
      assert.equal(secret!.inputs.immutable, true);
      assert.ok(
        secret!.secretPaths.some((p) => p.startsWith("stringData")),
        secret!.secretPaths.join(),
      );
      // The engine knows it by the name that it always had, so it deletes the former object after everything else.
      assert.equal(secret!.name, "synapse-email");
      return secret!;
    });
    assert.equal(new Set(secrets.map((s) => s.inputs.metadata.name)).size, 3);
    assert.equal(checkOf(again!), checkOf(one!));
    // With a key, the same text has another digest.
    const digest = crypto.createHash("sha256").update(secrets[0]!.inputs.stringData["email.yaml"]).digest("hex");
    assert.ok(!secrets[0]!.inputs.metadata.name.endsWith(digest.slice(0, 10)));
    for (const [i, resources] of all.entries()) {
      const { name } = secrets[i]!.inputs.metadata;
      const pods = [...podsOf(resources)];
      assert.ok(pods.length > 10);
      for (const [pod, template] of pods) assert.ok(template.includes(`"secretName":"${name}"`), pod);
      const job = resources.find((r) => r.type === "kubernetes:batch/v1:Job" && r.name === "synapse-check-config")!;
      assert.ok(JSON.stringify(job.inputs).includes(`"secretName":"${name}"`));
      assert.ok(job.dependencies.includes(secrets[i]!.urn));
    }
  });
});

describe("synapse.modules: what is refused", () => {
  const PACKAGES = ["my-module==1.0.0", "my-dependency==2.1"];
  const MODULE = { module: "my_module.Checker", packages: PACKAGES };
  /** The first ten digits of the SHA-256 of `my-dependency==2.1\nmy-module==1.0.0`. */
  const SUFFIX = "-modules-830449c87f";

  it("packages that no image carries, and an image that was made for other packages", () => {
    const [error] = errorsOf({ modules: [MODULE] });
    assert.equal(error!.path, "images.overrides.synapse");
    assert.match(error!.given, /^nothing: pods would run localhost\/matrix-ha\/synapse:1\.163\.2$/);
    assert.match(error!.remedy, /npm run images -- synapse/);
    const image = `registry.example.com/synapse:1.163.2${SUFFIX}`;
    const at = (synapse: string, packages = PACKAGES): string[] =>
      errorsOf({ modules: [{ ...MODULE, packages }] }, { images: { overrides: { synapse } } }).map((e) => e.path);
    assert.deepEqual(at(image), []);
    assert.deepEqual(at(`${image}@sha256:${"a".repeat(64)}`), []);
    assert.deepEqual(at(image, ["my-module==1.0.1", "my-dependency==2.1"]), ["images.overrides.synapse"]);
    assert.deepEqual(at("registry.example.com/synapse:1.163.2"), ["images.overrides.synapse"]);
  });

  it("a package without its version, hashes for some, two versions of one, a class that is not there, a module twice", () => {
    const hash = `--hash=sha256:${"b".repeat(64)}`;
    for (const [modules, path, said] of [
      [[{ module: "a.B", packages: ["my-module"] }], "synapse.modules[0].packages[0]", /`name==version`/],
      [[{ module: "a.B", packages: ["a==1; rm -rf /"] }], "synapse.modules[0].packages[0]", /`name==version`/],
      [
        [{ module: "a.B", packages: [`a==1 ${hash}`, "b==2"] }],
        "synapse.modules[0].packages",
        /hashes for all packages/,
      ],
      [
        [
          { module: "a.B", packages: ["a_x==1"] },
          { module: "c.D", packages: ["A-X==2"] },
        ],
        "synapse.modules[0].packages[0]",
        /one version of each/,
      ],
      [[{ module: "a.B", workers: ["federation-reader"] }], "synapse.modules[0].workers[0]", /main, .*generic/],
      [[{ module: "a.B" }, { module: "a.B" }], "synapse.modules[1].module", /each module once/],
      [[{ module: "module" }], "synapse.modules[0].module", /dotted name/],
    ] as const) {
      const error = errorsOf({ modules }).find((e) => e.path === path);
      assert.ok(error, `${path} of ${JSON.stringify(errorsOf({ modules }))}`);
      assert.match(error.allowed, said);
    }
  });
});
