/** What the stack as a whole checks: its names, its keys, and how many hosts each role has. */
import assert from "node:assert/strict";
import type { CheckInput } from "../../components/core/layer";
import type { HostRole } from "../../components/domain/roles";
import { Report } from "../../components/schema/report";
import { docOf } from "../../components/schema/walk";
import { resolveSettings, type Settings, type SettingsError } from "../../components/settings";
import { checkDataCentre } from "../../components/settings/general/checkDataCentre";
import { checkHostCounts } from "../../components/settings/general/checkHostCounts";
import { checkHostnames } from "../../components/settings/general/checkHostnames";
import { checkKeys } from "../../components/settings/general/checkKeys";
import { FIRST_CHECKS, LAST_CHECKS } from "../../components/settings/general/checks";
import { identitySettings, MOST_CCU } from "../../components/settings/general/identity";
import { imageSettings, PULL_SECRET } from "../../components/settings/general/images";
import { keySettings } from "../../components/settings/general/keys";
import { certificate, EMAIL, encryptedKey, minimal, S3, type Pair } from "../helpers/example";
import { settingsOf } from "../helpers/settings";

/** The errors of one check. @param before Paths that are wrong already */
function errorsOf(
  check: (given: CheckInput) => void,
  settings: object,
  before: string[] = [],
  now = NOW,
): SettingsError[] {
  const report = new Report();
  for (const path of before) report.add({ path, given: "", allowed: "", remedy: "" });
  check({ settings, report, now } as CheckInput);
  return report.errors.slice(before.length);
}
const NOW = new Date("2026-11-21T00:00:00Z");

const good = (raw: Record<string, unknown>): Settings => settingsOf(raw, "prod", NOW);

describe("settings: what is completed", () => {
  it("the names are those below the domain, unless they are given; the stack's name is the instance", () => {
    const plain = good(minimal());
    assert.equal(plain.instance, "prod");
    assert.equal(plain.serverName, "example.com");
    assert.deepEqual(plain.hostnames, {
      homeserver: "matrix.example.com",
      web: "chat.example.com",
      admin: "admin.example.com",
      rtc: "rtc.example.com",
      turn: "turn.example.com",
    });
    const hostnames = {
      homeserver: "a.example.net",
      web: "b.example.net",
      admin: "c.example.net",
      rtc: "d.example.net",
      turn: "e.example.net",
    };
    const named = good({ ...minimal(), serverName: "example.org", hostnames });
    assert.deepEqual([named.serverName, named.hostnames], ["example.org", hostnames]);
  });

  it("a registry's login makes a Secret; without it pods name one only where it is given", () => {
    const images = (more: object): object => good({ ...minimal(), images: more }).images;
    const dockerConfig = '{"auths": {"registry.example.com": {"auth": "eDp5"}}}';
    assert.deepEqual(images({}), { pullSecret: undefined, overrides: {} });
    assert.deepEqual(images({ pullSecret: "mine" }), { pullSecret: "mine", overrides: {} });
    assert.deepEqual(images({ dockerConfig }), { dockerConfig, pullSecret: "matrix-ha-registry", overrides: {} });
    assert.deepEqual(images({ dockerConfig, pullSecret: "mine" }), { dockerConfig, pullSecret: "mine", overrides: {} });
    assert.deepEqual(images({ overrides: { synapse: "r.example.com/s:1" } }), {
      pullSecret: undefined,
      overrides: { synapse: "r.example.com/s:1" },
    });
  });

  it("what hosts have in common is in each of them, and nowhere else; what was not written is absent", () => {
    const settings = good({ ...minimal(), ssh: { user: "debian" }, hostDefaults: { zone: "a" } });
    for (const key of ["hostDefaults", "ssh", "savedKeys", "retention", "emailSmtp"])
      assert.equal(key in settings, false, key);
    assert.deepEqual(
      settings.hosts.map((host) => `${host.ssh.user} ${host.zone}`),
      Array(7).fill("debian a"),
    );
    assert.equal("emailSmtp" in good({ ...minimal(), emailSmtp: EMAIL }), true);
  });

  it("the result is either settings or errors: those of form and those of meaning together", () => {
    const right = resolveSettings(minimal(), "prod");
    assert.deepEqual([right.errors, right.settings?.ccu], [[], 1000]);
    const wrong = resolveSettings(
      {
        ...minimal(),
        ccu: "x",
        hostnames: { web: "matrix.example.com" },
        registration: { enabled: true },
        acceptOneCallHost: 5,
        overrides: { postgres: { instances: 5 } },
      },
      "prod",
    );
    assert.equal("settings" in wrong, false);
    assert.deepEqual(wrong.errors.map((e) => e.path).sort(), [
      "acceptOneCallHost",
      "ccu",
      "hostnames.web",
      "hosts",
      "registration.enabled",
    ]);
    assert.deepEqual(Object.keys(resolveSettings({ ...minimal(), hosts: [] }, "prod")), ["errors"]);
  });

  it("names and keys are checked before the layers, which may concern the same; hosts are counted last", () => {
    assert.deepEqual(FIRST_CHECKS, [checkHostnames, checkKeys]);
    assert.deepEqual(LAST_CHECKS, [checkDataCentre, checkHostCounts]);
  });
});

describe("settings: the fields of the stack as a whole", () => {
  const images = imageSettings(["synapse"]).images.def.innerType.shape;
  const overrides = images.overrides.def.innerType.shape;
  const secrets = keySettings.importSecrets.def.innerType.shape;
  const old = keySettings.oldSigningKeys.def.innerType.element.shape;
  const AUTH = '{"auths": {"r.example.com": {"auth": "eDp5"}}}';
  const KEY = "A".repeat(43);

  /** A field, its remedy and its example; what it takes, and what it refuses. */
  type Row = [string, any, remedy: string | undefined, example: unknown, accepted: unknown[], refused: unknown[]];
  const ENCRYPTED = "[encrypted by pulumi]";
  const ROWS: Row[] = [
    // Ten times the 20,000 that were run.
    ["ccu", identitySettings.ccu, "pulumi config set ccu 1000", 1000, [1, 200_000], [0, 200_001, 1.5]],
    [
      "domain",
      identitySettings.domain,
      "give a domain that you own, without https:// and without a trailing dot",
      "host.example.com",
      ["a.b"],
      ["a", "a.b.", "https://a.b"],
    ],
    [
      "serverName",
      identitySettings.serverName,
      "give the name that user ids should end in, usually the domain itself",
      "example.com",
      ["example.com:8448", undefined],
      ["@a:b", ""],
    ],
    [
      "images.mirror",
      images.mirror,
      undefined,
      "registry.example.com",
      ["registry", "r.example.com", "r.example.com:5000", "r.example.com:5000/a/b_c-d.e", "r.example.com/", undefined],
      [
        "",
        "https://r.example.com",
        "R.example.com",
        "r.example.com:x",
        "r.example.com:",
        "r.example.com/a//b",
        "r/A",
        "r a",
        " r",
        "r/a:1",
        "/r",
      ],
    ],
    ["images.pullSecret", images.pullSecret, undefined, "example", ["a", "a.b-c", undefined], ["A", "a_b", ""]],
    [
      "images.dockerConfig",
      images.dockerConfig,
      "skopeo login --authfile /tmp/auth.json REGISTRY && pulumi config set --secret --path 'matrix-ha:images.dockerConfig' < /tmp/auth.json && rm /tmp/auth.json",
      ENCRYPTED,
      [AUTH, '{"auths": {"r": {"username": "u", "password": "p"}}}', ENCRYPTED, undefined],
      [
        "",
        "/root/.docker/config.json",
        "{}",
        "null",
        '{"auths": {}}',
        '{"auths": {"r": {}}}',
        '{"auths": {"r": null}}',
        '{"auths": {"r": {"auth": 5}}}',
        // A credential helper of somebody's computer, alone or beside a login.
        '{"auths": {"r": {}}, "credsStore": "desktop"}',
        '{"auths": {"r": {"auth": "eDp5"}, "s": {}}}',
      ],
    ],
    [
      "images.overrides",
      overrides.synapse,
      "name an exact version: a moving tag changes what runs without any change here",
      "example:1",
      [
        "synapse:1",
        "r.example.com:5000/synapse:1",
        `synapse:1@sha256:${"a".repeat(64)}`,
        "synapse:latest-1",
        undefined,
      ],
      [
        "synapse",
        "synapse:latest",
        `synapse@sha256:${"a".repeat(64)}`,
        "r.example.com:5000/synapse",
        "https://r.example.com/synapse:1",
        "",
      ],
    ],
    [
      "importSecrets.signingKey",
      secrets.signingKey,
      "pulumi config set --secret --path 'matrix-ha:importSecrets.signingKey' < example.com.signing.key",
      ENCRYPTED,
      [`ed25519 a_own ${KEY}`, ENCRYPTED, undefined],
      ["", KEY],
    ],
    [
      "importSecrets.caPrivateKey",
      secrets.caPrivateKey,
      "pulumi config set --secret --path 'matrix-ha:importSecrets.caPrivateKey' < ca.key",
      ENCRYPTED,
      [ENCRYPTED, undefined],
      ["", "ca.key", encryptedKey()],
    ],
    [
      "importSecrets.caCertificate",
      secrets.caCertificate,
      "pulumi config set --secret --path 'matrix-ha:importSecrets.caCertificate' < ca.crt",
      ENCRYPTED,
      [ENCRYPTED, undefined],
      ["", "ca.crt"],
    ],
    [
      "importSecrets.turnSharedSecret",
      secrets.turnSharedSecret,
      "where the present one is not so, leave it out: another is made, and clients get it with their next call",
      ENCRYPTED,
      ["x".repeat(8), "x".repeat(512), ENCRYPTED, undefined],
      ["x".repeat(7), "x".repeat(513), "=hunter2hunter2"],
    ],
    [
      "importSecrets.databasePassword",
      secrets.databasePassword,
      undefined,
      ENCRYPTED,
      ["x".repeat(8), "with blanks in it", ENCRYPTED, undefined],
      ["x".repeat(7), "hunter2\nhunter2", "hunter2\rhunter2", " hunter2hunter2"],
    ],
    [
      "oldSigningKeys[].id",
      old.id,
      "`npm run keys -- show FILE` prints it",
      "ed25519:a_abcd",
      ["ed25519:a_1", "ed25519:auto", `ed25519:${"a".repeat(64)}`],
      ["", "a_abcd", "ed25519:", "ed25519:a-b", "xed25519:a", "ed25519:a b", `ed25519:${"a".repeat(65)}`],
    ],
    [
      "oldSigningKeys[].key",
      old.key,
      "`npm run keys -- show FILE` prints it; so does /_matrix/key/v2/server of the running server, under verify_keys",
      "YGjbjXfBe2nAvTSBhBqZjgmmIIcJYbBcEkKAhnMKDmE",
      [KEY, `${KEY}=`],
      ["", KEY.slice(1), `ed25519 a_old ${KEY}`],
    ],
    [
      "oldSigningKeys[].expiredAt",
      old.expiredAt,
      "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the present time in this form",
      "2026-11-20T14:30:00Z",
      ["2026-11-20T14:30:00Z"],
      ["2026-11-20T14:30:00", "yesterday", ""],
    ],
    [
      "savedKeys",
      keySettings.savedKeys,
      "run `npm run keys -- save --stack NAME --out FILE` and give the fingerprint that it prints",
      "disposable",
      ["disposable", "91c2-07fe-5d3a-b840", undefined],
      ["", "true", "Disposable", "91c2-07fe-5d3a", "91C2-07FE-5D3A-B840"],
    ],
    ["deletionProtection", keySettings.deletionProtection, undefined, false, [true, false, undefined], ["true"]],
  ];
  for (const [name, field, remedy, example, accepted, refused] of ROWS)
    it(`${name} takes what it says, and no more`, () => {
      assert.equal(docOf(field).remedy, remedy);
      assert.equal(docOf(field).example, example);
      for (const value of accepted) assert.ok(field.safeParse(value).success, `refused: ${JSON.stringify(value)}`);
      for (const value of refused) assert.ok(!field.safeParse(value).success, `accepted: ${JSON.stringify(value)}`);
    });

  it("keys cannot be deleted by default, and no key is a former one", () => {
    assert.equal(keySettings.deletionProtection.parse(undefined), true);
    assert.deepEqual(keySettings.oldSigningKeys.parse(undefined), []);
    assert.equal(MOST_CCU, 200_000);
    assert.equal(PULL_SECRET, "matrix-ha-registry");
  });

  it("the secrets of an existing deployment are these", () =>
    assert.deepEqual(Object.keys(secrets), [
      "signingKey",
      "macaroonSecretKey",
      "formSecret",
      "registrationSharedSecret",
      "databasePassword",
      "turnSharedSecret",
      "replicationPassword",
      "caPrivateKey",
      "caCertificate",
    ]));
});

describe("settings: public names", () => {
  const named = (hostnames: object): object => ({ domain: "example.com", hostnames });
  const different = { homeserver: "a", web: "b", admin: "c" };

  it("differ: requests are told apart by nothing else", () => {
    assert.deepEqual(errorsOf(checkHostnames, named(different)), []);
    assert.deepEqual(errorsOf(checkHostnames, named({ homeserver: "a", web: "a", admin: "c", rtc: "c" })), [
      {
        path: "hostnames.web",
        given: '"a", the same as hostnames.homeserver',
        allowed: "a different name for each: requests are told apart by name only",
        remedy: "choose another, for example web.example.com",
      },
      {
        path: "hostnames.rtc",
        given: '"c", the same as hostnames.admin',
        allowed: "a different name for each: requests are told apart by name only",
        remedy: "choose another, for example rtc.example.com",
      },
    ]);
  });

  it("are named with the first of those that are the same", () =>
    assert.deepEqual(
      errorsOf(checkHostnames, named({ homeserver: "a", web: "a", admin: "a" })).map((e) => `${e.path}: ${e.given}`),
      [
        'hostnames.web: "a", the same as hostnames.homeserver',
        'hostnames.admin: "a", the same as hostnames.homeserver',
      ],
    ));

  it("are not compared where one, or the domain that it follows from, is wrong itself", () => {
    for (const path of ["hostnames.homeserver", "hostnames.web", "domain"])
      assert.deepEqual(errorsOf(checkHostnames, named({ homeserver: "a", web: "a" }), [path]), [], path);
    assert.equal(errorsOf(checkHostnames, named({ homeserver: "a", web: "a" }), ["ccu"]).length, 1);
  });
});

describe("settings: keys that are taken over", () => {
  let ca: Pair, other: Pair, server: Pair, expired: Pair;
  before(async () => {
    [ca, other, server, expired] = (await Promise.all(
      [
        ["2026-01-01", "2027-01-01", true],
        ["2026-01-01", "2027-01-01", true],
        ["2026-01-01", "2027-01-01", false],
        ["2025-01-01", "2026-11-20T23:59:59Z", true],
      ].map(([from, to, authority]) => certificate(["x"], from as string, to as string, authority as boolean)),
    )) as [Pair, Pair, Pair, Pair];
  });
  const keys = (importSecrets: object, more: object = {}): object => ({
    importSecrets,
    oldSigningKeys: [],
    tls: { mode: "acme" },
    instance: "prod",
    ...more,
  });
  const errors = (importSecrets: object, before: string[] = [], now = NOW): SettingsError[] =>
    errorsOf(checkKeys, keys(importSecrets), before, now);
  const given = (key: Pair, certified = key): object => ({
    caPrivateKey: key.privateKey,
    caCertificate: certified.certificate,
  });

  it("an authority is a key and its certificate", () => {
    assert.deepEqual(errors({}), []);
    assert.deepEqual(errors(given(ca)), []);
    assert.deepEqual(errors({ caPrivateKey: ca.privateKey }), [
      {
        path: "importSecrets.caCertificate",
        given: "nothing, although importSecrets.caPrivateKey is set",
        allowed: "both, or neither: an authority is a key and its certificate",
        remedy:
          "add importSecrets.caCertificate; or remove importSecrets.caPrivateKey, and the stack makes its own authority",
      },
    ]);
    assert.deepEqual(errors({ caCertificate: ca.certificate }), [
      {
        path: "importSecrets.caPrivateKey",
        given: "nothing, although importSecrets.caCertificate is set",
        allowed: "both, or neither: an authority is a key and its certificate",
        remedy:
          "add importSecrets.caPrivateKey; or remove importSecrets.caCertificate, and the stack makes its own authority",
      },
    ]);
    assert.deepEqual(errors({ caPrivateKey: "x" }, ["importSecrets.caPrivateKey"]), [], "one error is enough");
  });

  it("each of the two is PEM, the certificate one alone", () => {
    const fields = keySettings.importSecrets.def.innerType.shape;
    assert.ok(fields.caPrivateKey.safeParse(ca.privateKey).success);
    assert.ok(fields.caCertificate.safeParse(ca.certificate).success);
    assert.ok(!fields.caCertificate.safeParse(`${ca.certificate}\n${other.certificate}`).success);
    assert.ok(!fields.caPrivateKey.safeParse(ca.certificate).success);
  });

  it("the certificate is that of the key, may sign others, and has not expired", () => {
    const path = "importSecrets.caCertificate";
    assert.deepEqual(errors(given(ca, other)), [
      {
        path,
        given: "a certificate that does not match importSecrets.caPrivateKey",
        allowed: "the certificate of that key",
        remedy: "give the key and the certificate of the same authority",
      },
    ]);
    assert.deepEqual(errors(given(server)), [
      {
        path,
        given: "a certificate that may not sign others (without CA:TRUE)",
        allowed: "the certificate of an authority",
        remedy: "give the authority's own certificate; a server's certificate belongs in tls: {mode: given}",
      },
    ]);
    assert.deepEqual(errors(given(expired)), [
      {
        path,
        given: "a certificate that expired on Nov 20 23:59:59 2026 GMT",
        allowed: "one that is valid now",
        remedy: "remove both, and the stack makes its own authority, which clients must then trust",
      },
    ]);
    // To the second: X.509 counts the last moment as valid (RFC 5280, section 4.1.2.5).
    assert.deepEqual(errors(given(expired), [], new Date("2026-11-20T23:59:59Z")), []);
    assert.equal(errors(given(expired), [], new Date("2026-11-20T23:59:59.001Z")).length, 1);
  });

  it("what is encrypted, or wrong already, is not looked into", () => {
    const placeholder = "[encrypted by pulumi]";
    assert.deepEqual(errors({ caPrivateKey: placeholder, caCertificate: ca.certificate }), []);
    assert.deepEqual(errors({ caPrivateKey: ca.privateKey, caCertificate: placeholder }), []);
    for (const wrong of ["importSecrets.caCertificate", "importSecrets.caPrivateKey"])
      assert.deepEqual(errors({ caPrivateKey: "x", caCertificate: "x" }, [wrong]), [], wrong);
  });

  const old = (id: string): object => ({ id, key: "A".repeat(43), expiredAt: "2026-11-20T14:30:00Z" });
  it("each former signing key is there once", () => {
    const check = (...ids: string[]): SettingsError[] =>
      errorsOf(checkKeys, keys({}, { oldSigningKeys: ids.map(old) }));
    assert.deepEqual(check("ed25519:a", "ed25519:b"), []);
    assert.deepEqual(check("ed25519:a", "ed25519:b", "ed25519:b"), [
      {
        path: "oldSigningKeys[2].id",
        given: '"ed25519:b", as oldSigningKeys[1] is',
        allowed: "each key once",
        remedy: "remove one of them",
      },
    ]);
    const wrongAlready = ["oldSigningKeys[0].id"];
    assert.deepEqual(
      errorsOf(checkKeys, keys({}, { oldSigningKeys: [old("ed25519:a"), old("ed25519:a")] }), wrongAlready),
      [],
    );
  });

  const SIGNING_KEY = `ed25519 a_own ${"B".repeat(42)}A`;
  it("the present signing key is none of the former ones", () => {
    const settings = keys({ signingKey: SIGNING_KEY }, { oldSigningKeys: [old("ed25519:a"), old("ed25519:a_own")] });
    assert.deepEqual(errorsOf(checkKeys, settings), [
      {
        path: "oldSigningKeys[1].id",
        given: "ed25519:a_own, which the server signs with now",
        allowed: "former signing keys",
        remedy: "remove it, and add it again when another key takes over",
      },
    ]);
    assert.deepEqual(errorsOf(checkKeys, settings, ["importSecrets.signingKey"]), [], "the example is nobody's key");
    assert.deepEqual(errorsOf(checkKeys, keys({}, { oldSigningKeys: [old("ed25519:a_own")] })), []);
  });

  it("the fingerprint of saved keys is that of the imported ones, where all of them are known", () => {
    const saved = (savedKeys: string | undefined, importSecrets: object, mode = "acme"): string[] =>
      errorsOf(checkKeys, keys(importSecrets, { savedKeys, tls: { mode } })).map((e) => `${e.path}: ${e.given}`);
    const wrong = "0000-0000-0000-0000";
    // Of the public half of that key alone: SHA-256 of `ed25519:a_own 9+Rpa9tJ2ym0m39t/z195t+cu+CWj8VyTiv79AXwhDE` and
    // a line break, its first 16 digits.
    const FINGERPRINT = "8e18-72c0-36e2-991f";
    const own = { signingKey: SIGNING_KEY };
    const ownCa = { ...own, ...given(ca) };
    assert.deepEqual(saved(wrong, own), [`savedKeys: ${wrong}, while the keys of this stack are ${FINGERPRINT}`]);
    for (const [savedKeys, importSecrets, mode] of [
      [FINGERPRINT, own, "acme"],
      ["disposable", own, "acme"],
      [undefined, own, "acme"],
      // Of an authority that the stack makes itself nothing is known yet.
      [wrong, own, "own-ca"],
      [wrong, { ...own, caPrivateKey: "[encrypted by pulumi]", caCertificate: "[encrypted by pulumi]" }, "own-ca"],
      [wrong, {}, "acme"],
      [wrong, given(ca), "own-ca"],
      [wrong, { signingKey: "[encrypted by pulumi]" }, "acme"],
      // An authority that the stack does not use is no part of its identity.
      [FINGERPRINT, ownCa, "acme"],
    ] as const)
      assert.deepEqual(saved(savedKeys, importSecrets, mode), [], `${savedKeys} ${mode}`);
    const [error] = saved(FINGERPRINT, ownCa, "own-ca");
    assert.match(error!, new RegExp(`^savedKeys: ${FINGERPRINT}, while the keys of this stack are [0-9a-f-]{19}$`));
  });
});

describe("settings: the number of hosts", () => {
  let stack: Settings;
  before(() => {
    stack = good(minimal());
  });
  /** The stack with so many hosts of each role, each role on hosts of its own. */
  const hosts = (counts: Partial<Record<HostRole, number>>, more: object = {}): object => ({
    ...stack,
    ...more,
    hosts: Object.entries({ application: 3, database: 3, storage: 3, call: 2, ...counts }).flatMap(([role, n]) =>
      Array.from({ length: n }, () => ({ roles: [role] })),
    ),
  });
  const REDIS = "Redis elects its master by a majority of three Sentinels, each on its own host";
  const POSTGRES =
    "two PostgreSQL instances acknowledge each write; with three, the loss of one neither loses nor refuses a write";
  const MINIO =
    "a write needs more than half of the drives; of two MinIO nodes, the loss of one leaves only half, of three it leaves two thirds";

  it("suffices where no role survives with fewer", () => assert.deepEqual(errorsOf(checkHostCounts, hosts({})), []));

  it("is told for each role that lacks some, in the order of the roles, with the reason and the way out", () =>
    assert.deepEqual(
      errorsOf(checkHostCounts, hosts({ application: 2, database: 1, storage: 0, call: 2 })),
      [
        [
          "2 hosts with the role application",
          `at least 3: ${REDIS}`,
          "add 1 application host, or give the role to hosts that exist",
        ],
        [
          "1 host with the role database",
          `at least 3: ${POSTGRES}`,
          "add 2 database hosts, or give the role to hosts that exist",
        ],
        [
          "0 hosts with the role storage",
          `at least 3: ${MINIO}`,
          "add 3 storage hosts, or give the role to hosts that exist; or use an existing S3 (objectStore.kind: s3)",
        ],
      ].map(([given, allowed, remedy]) => ({ path: "hosts", given, allowed, remedy })),
    ));

  it("of a role that two layers need is told once", () =>
    assert.deepEqual(
      errorsOf(checkHostCounts, hosts({ call: 0 })).map((e) => e.given),
      ["0 hosts with the role call"],
    ));

  it("grows with what the settings ask for, and never falls below what survives", () => {
    const instances = (n: number): object => ({ overrides: { ...stack.overrides, postgres: { instances: n } } });
    assert.deepEqual(errorsOf(checkHostCounts, hosts({ database: 5 }, instances(5))), []);
    assert.deepEqual(errorsOf(checkHostCounts, hosts({ database: 4 }, instances(5))), [
      {
        path: "hosts",
        given: "4 hosts with the role database",
        allowed: "at least 5: overrides.postgres.instances is 5, and each instance needs its own host",
        remedy: "add 1 database host, or give the role to hosts that exist",
      },
    ]);
    for (const n of [1, 3])
      assert.equal(
        errorsOf(checkHostCounts, hosts({ database: 2 }, instances(n)))[0]?.allowed,
        `at least 3: ${POSTGRES}`,
      );
  });

  it("of storage hosts does not matter with an S3 of others", () =>
    assert.deepEqual(errorsOf(checkHostCounts, hosts({ storage: 0 }, { objectStore: S3 })), []));

  it("is not counted while a host, or a role, is wrong: which ones are missing is not known", () => {
    for (const path of ["hosts", "hosts[0]", "hosts[12].role", "hosts[0].roles", "hosts[0].roles[1]"])
      assert.deepEqual(errorsOf(checkHostCounts, hosts({ database: 1 }), [path]), [], path);
    for (const path of ["hosts[0].name", "hosts[0].disks[0].use", "hosts[0].rolesX", "hostDefaults", "x.hosts[0]"])
      assert.equal(errorsOf(checkHostCounts, hosts({ database: 1 }), [path]).length, 1, path);
  });
});
