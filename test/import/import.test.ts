/** Configurations as they are found in the field: what becomes of each of their options. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import type { Path } from "../../cli/import/finding";
import { KNOWN_VERSION } from "../../cli/import/known";
import { RULES } from "../../cli/import/map";
import { importFrom } from "../../cli/import/result";
import { readHomeserver } from "../../cli/import/sources";
import { secretsScript, stackText } from "../../cli/import/texts";
import { pathText } from "../../components/schema/walk";
import { exampleConfig } from "../../cli/exampleStack";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { IMAGES } from "../../components/layers/synapse/images";
import { CASES, FIXTURES, run } from "./cases";

const ROOT = path.join(__dirname, "../..");
const of = (name: string) => CASES.find((c) => c.name === name)!;
const { ccu, hosts, tls, addressPools, backups } = exampleConfig(1000);
/** What the old server cannot say. */
const MACHINES = { ccu, hosts, tls, addressPools, backups };

/** Every value, by its place. */
function leaves(value: unknown, at: Path = []): string[] {
  const children = value !== null && typeof value === "object" ? Object.entries(value) : [];
  return children.length === 0
    ? [pathText(at)]
    : children.flatMap(([key, child]) => leaves(child, [...at, Array.isArray(value) ? Number(key) : key]));
}

describe("import: what becomes of each option", () => {
  for (const given of CASES) {
    it(`${given.name}: the complete lists of taken, replaced, dropped and decisions`, () => {
      const lines = run(given).findings.map((f) => `${f.list} ${f.option}${f.setting ? ` -> ${f.setting}` : ""}`);
      const expected = fs.readFileSync(path.join(FIXTURES, "expected", `${given.name}.txt`), "utf8");
      assert.deepEqual(lines.sort(), expected.trim().split("\n").sort());
    });
  }

  for (const given of CASES.filter((c) => c.homeserver)) {
    it(`${given.name}: every value of homeserver.yaml is in exactly one list`, () => {
      const { config } = readHomeserver(path.join(FIXTURES, given.homeserver!))[0]!;
      const options = run(given).findings.map(({ option }) => option);
      for (const leaf of leaves(config)) {
        const about = options.filter((o) => leaf === o || leaf.startsWith(`${o}.`) || leaf.startsWith(`${o}[`));
        assert.equal(about.length, 1, leaf);
      }
      assert.equal(new Set(options).size, options.length, "no option is listed twice");
      const within = options.filter((o) =>
        options.some((other) => o.startsWith(`${other}.`) || o.startsWith(`${other}[`)),
      );
      assert.deepEqual(within, [], "nothing is listed beside the section that it is in");
    });
  }
});

describe("import: the stack file", () => {
  it("takes the values over in the form of the settings", () => {
    const { draft } = run(of("postgres"));
    assert.deepEqual(draft.settings, {
      serverName: "example.com",
      domain: "example.com",
      hostnames: { homeserver: "matrix.example.com" },
      database: {
        importFrom: { user: "synapse", database: "matrix", host: "10.0.0.5", port: 5433, sslMode: "require" },
      },
      oldSigningKeys: [
        { id: "ed25519:a_old", key: "YGjbjXfBe2nAvTSBhBqZjgmmIIcJYbBcEkKAhnMKDmE", expiredAt: "2023-11-14T22:13:20Z" },
      ],
      passwords: { minimumLength: 12 },
      emailSmtp: {
        host: "mail.example.com",
        port: 587,
        user: "matrix",
        tls: "required",
        from: "Example <noreply@example.com>",
      },
      media: { maxUploadMiB: 50, urlPreviews: true },
      synapse: {
        extra: {
          turn_user_lifetime: 86_400_000,
          turn_allow_guests: true,
          enable_search: false,
          forgotten_room_retention_period: null,
        },
      },
      federation: { enabled: true },
    });
    assert.deepEqual(
      draft.secrets.map(({ path: at, value }) => [at.join("."), value]),
      [
        ["database.importFrom.password", "marker-database"],
        ["importSecrets.signingKey", `ed25519 a_Ab12 ${"A".repeat(43)}`],
        ["importSecrets.macaroonSecretKey", "marker-macaroon"],
        ["importSecrets.formSecret", "marker-form-secret"],
        ["importSecrets.registrationSharedSecret", "marker-registration"],
        ["passwords.pepper", "marker-pepper"],
        ["emailSmtp.password", "marker-smtp"],
        ["importSecrets.turnSharedSecret", "marker-turn"],
      ],
    );
  });

  it("carries single sign-on, S3, retention and lists over", () => {
    const { draft } = run(of("large"));
    const { sso, objectStore, retention, federation, rateLimits, serverNotices, appservices } = draft.settings as any;
    assert.deepEqual(sso.oidc, [
      {
        id: "keycloak",
        name: "Keycloak",
        issuer: "https://sso.example.com/realms/main",
        clientId: "synapse",
        scopes: ["openid", "profile"],
        localpartTemplate: "{{ user.preferred_username }}",
        displayNameTemplate: "{{ user.name }}",
      },
    ]);
    assert.deepEqual(objectStore, {
      kind: "s3",
      bucket: "matrix-media",
      region: "eu-central-1",
      endpoint: "https://s3.example.com",
    });
    assert.deepEqual(retention, { maxLifetimeDays: 365, roomMaxDays: 36_500 });
    assert.deepEqual(federation, { domainAllowList: ["partner.example.org", "other.example.net"], enabled: true });
    assert.deepEqual(rateLimits, {
      loginByAccount: { perSecond: 0.1, burst: 3 },
      federation: { windowMs: 2000 },
    });
    assert.deepEqual(serverNotices, { localpart: "notices", roomName: "Notices" });
    assert.deepEqual(appservices, [
      {
        id: "irc",
        url: "https://irc.example.com:9999",
        senderLocalpart: "ircbot",
        namespaces: { users: [{ regex: "@irc_.*:example\\.com", exclusive: true }] },
      },
    ]);
    assert.equal(draft.secret("appservices[0].asToken"), "marker-as-token-0123456789");
    assert.equal(draft.secret("synapse.extra.sentry.dsn"), "https://marker-dsn@sentry.example.com/1");
  });

  it("without a macaroon secret key, tokens stay valid with the secret that Synapse uses instead", () => {
    assert.equal(run(of("old")).draft.secret("importSecrets.macaroonSecretKey"), "marker-registration");
  });

  for (const given of CASES) {
    it(`${given.name}: lacks only what the old server cannot say, and with that it is planned`, () => {
      const { draft, open } = run(given);
      const lacking = [
        "ccu",
        "hosts",
        "tls",
        "addressPools",
        "database.importFrom.host",
        "database.importFrom.majorVersion",
        ...(given.name === "bridges" ? ["appservices[0]"] : []),
      ];
      for (const { path: at } of open) assert.ok(lacking.includes(at), at);
      const config = structuredClone({ ...draft.whole(), ...MACHINES }) as any;
      if (config.database)
        Object.assign((config.database.importFrom.host ??= "10.1.1.1") && config.database.importFrom, {
          majorVersion: 16,
        });
      if (given.name === "bridges") config.appservices[0].url = "http://telegram.example.net:8080";
      const { settings, errors } = resolveSettings(config, "moved");
      assert.deepEqual(errors, []);
      assert.equal(plan(settings!).ccu, 1000);
    });
  }

  it("a value that a setting refuses becomes a decision without the value, and the rest is taken", () => {
    const { findings, draft } = importFrom({
      stack: "moved",
      fragments: [
        {
          config: {
            server_name: "example.com",
            turn_shared_secret: "=marker",
            email: { smtp_host: "a b", notif_from: "c@example.com" },
          },
          label: pathText,
        },
      ],
      workers: [],
      registrations: [],
      file: () => undefined,
      findings: [],
      given: {},
    });
    const listOf = (option: string) => findings.find((f) => f.option === option)!;
    assert.equal(listOf("server_name").list, "taken");
    for (const option of ["turn_shared_secret", "email.smtp_host"]) {
      assert.equal(listOf(option).list, "decision", option);
      assert.match(listOf(option).why!, /does not take it. Allowed: /);
      assert.doesNotMatch(listOf(option).why!, /marker/);
    }
    assert.equal(draft.secret("importSecrets.turnSharedSecret"), undefined);
    assert.equal(draft.get(["emailSmtp", "host"]), undefined);
  });

  it("names what is still to write, and has no secret", () => {
    const text = stackText(run(of("plain")).draft, {});
    assert.match(text, /STILL TO WRITE. Users that are connected/);
    assert.match(text, /STILL TO WRITE. The machines/);
    assert.doesNotMatch(text, /marker-/);
    const written = parse(text).config;
    assert.equal(written["matrix-ha:serverName"], "example.com");
    assert.deepEqual(written["pulumi:disable-default-providers"], ["kubernetes"]);
  });
});

describe("import: the rules", () => {
  it("know the options of the Synapse that the stack runs", () => {
    assert.equal(KNOWN_VERSION, IMAGES.synapse.tag);
  });
  it("are about distinct options", () => {
    assert.ok(RULES.size > 250, `${RULES.size}`);
  });
});

describe("import: the command", () => {
  let dir: string;
  const command = (...args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "cli/import.ts", ...args], { cwd: ROOT, encoding: "utf8" });
  const large = (out: string): string[] => [
    "--homeserver",
    path.join(FIXTURES, "large/homeserver.yaml"),
    "--stack",
    "moved",
    "--cwd",
    dir,
    "--out",
    path.join(dir, out),
    "--ccu",
    "1000",
  ];
  before(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "import-"));
  });
  after(() => fs.rmSync(dir, { recursive: true }));

  it("writes stack file, report and secrets; a value is only in files that their owner alone can read", () => {
    const { status, stdout, stderr } = command(...large("out"));
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\d+ options: \d+ taken, \d+ replaced, \d+ dropped, \d+ need a decision\.$/m);
    assert.doesNotMatch(stdout + stderr, /marker-/);
    const text = (file: string): string => fs.readFileSync(path.join(dir, file), "utf8");
    for (const file of ["Pulumi.moved.yaml", "out/report.md", "out/secrets.sh"])
      assert.doesNotMatch(text(file), /marker-|AAAAAAAA/, file);
    assert.equal(fs.statSync(path.join(dir, "out")).mode & 0o777, 0o700);
    for (const file of fs.readdirSync(path.join(dir, "out/secrets")))
      assert.equal(fs.statSync(path.join(dir, "out/secrets", file)).mode & 0o777, 0o600, file);
    assert.equal(text("out/secrets/sso.oidc[0].clientSecret"), "marker-oidc");
    assert.match(text("out/secrets.sh"), /^put 'sso.oidc\[0\].clientSecret' 'sso.oidc\[0\].clientSecret'$/m);
    assert.match(text("Pulumi.moved.yaml"), /matrix-ha:ccu: 1000/);
  });

  it("secrets.sh gives each value to pulumi on its standard input", () => {
    const bin = path.join(dir, "bin");
    fs.mkdirSync(bin);
    fs.writeFileSync(path.join(bin, "pulumi"), `#!/bin/sh\necho "$@ = $(cat)" >>${dir}/calls\n`, { mode: 0o755 });
    const { status, stderr } = spawnSync("sh", [path.join(dir, "out/secrets.sh")], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
    assert.equal(status, 0, stderr);
    assert.match(
      fs.readFileSync(path.join(dir, "calls"), "utf8"),
      /^config set --stack moved --secret --path matrix-ha:objectStore.secretKey = marker-s3key$/m,
    );
  });

  it("takes no encrypted value of another stack, and says what is still to set", () => {
    const hosts = path.join(dir, "other stack.yaml");
    fs.writeFileSync(
      hosts,
      `config:
  matrix-ha:tls: { mode: given, certificate: marker-certificate, key: { secure: marker-cipher } }
  matrix-ha:hosts: [{ name: a, password: { secure: marker-cipher } }]
`,
    );
    const own = path.join(dir, "own folder");
    fs.mkdirSync(own);
    const args = large("x").slice(0, 4);
    const { status, stdout, stderr } = command(...args, "--cwd", own, "--out", path.join(own, "out"), "--hosts", hosts);
    assert.equal(status, 0, stderr);
    assert.ok(stdout.includes(`\n  sh '${own}/out/secrets.sh'\n`), stdout);
    const { config } = parse(fs.readFileSync(path.join(own, "Pulumi.moved.yaml"), "utf8"));
    assert.deepEqual(config["matrix-ha:tls"], { mode: "given", certificate: "marker-certificate" });
    assert.deepEqual(config["matrix-ha:hosts"], [{ name: "a" }]);
    assert.match(fs.readFileSync(path.join(own, "out/report.md"), "utf8"), /`--hosts: tls\.key`: it is encrypted for/);
    const script = fs.readFileSync(path.join(own, "out/secrets.sh"), "utf8");
    assert.match(script, /^put 'hosts\[0\]\.password' /m);
  });

  it("overwrites nothing: neither the stack file nor the folder", () => {
    const again = command(...large("other"));
    assert.equal(again.status, 1);
    assert.match(again.stderr, /Pulumi\.moved\.yaml exists, and is not overwritten/);
    assert.ok(!fs.existsSync(path.join(dir, "other")));
    fs.rmSync(path.join(dir, "Pulumi.moved.yaml"));
    const there = command(...large("out"));
    assert.equal(there.status, 1);
    assert.match(there.stderr, /out exists, and is not overwritten/);
    assert.ok(!fs.existsSync(path.join(dir, "Pulumi.moved.yaml")));
  });

  it("writes no secrets where git would take them", () => {
    const inside = path.join(ROOT, "import-out");
    const { status, stderr } = command(...large("x").slice(0, 6), "--out", inside);
    assert.equal(status, 1);
    assert.match(stderr, /git work tree/);
    assert.ok(!fs.existsSync(inside));
    assert.ok(!fs.existsSync(path.join(dir, "Pulumi.moved.yaml")));
  });

  const REFUSED: Array<[string, string, RegExp]> = [
    ["not YAML", "server_name: marker-x\n  a: [", /line \d+: it is not YAML/],
    ["a list", "- server_name", /it is not a configuration/],
    ["of another program", "listen: 80\n", /There is no server_name/],
  ];
  for (const [name, text, message] of REFUSED) {
    it(`refuses a file that is ${name}, without its text`, () => {
      const file = path.join(dir, "bad.yaml");
      fs.writeFileSync(file, text);
      const { status, stderr } = command("--homeserver", file, "--cwd", dir, "--out", path.join(dir, "bad"));
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /marker-/);
      assert.ok(!fs.existsSync(path.join(dir, "bad")));
    });
  }

  it("refuses a file that is missing, and a command line without one", () => {
    const { status, stderr } = command("--homeserver", "/nowhere.yaml", "--cwd", dir, "--out", path.join(dir, "bad"));
    assert.equal(status, 1);
    assert.match(stderr, /nowhere\.yaml: it cannot be read \(ENOENT\)/);
    assert.equal(command().status, 2);
  });

  it("quotes the paths of secrets for the shell", () => {
    assert.match(secretsScript("s", ["a.b['x y']"]), /^put 'a\.b\['\\''x y'\\''\]' 'a\.b\[_x_y_\]'$/m);
  });
});
