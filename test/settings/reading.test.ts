/** A stack's file is read as it was meant, or refused: each error whole. Nothing of it shows a secret. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SettingsInvalid, type SettingsError } from "../../components/core/errors";
import { strayKeys } from "../../components/settings/prefixes";
import { secretPaths, secretsInClear, setSecret } from "../../components/settings/secretPaths";
import { applySets, readStackConfig, stackNames } from "../../components/settings/stackFile";
import { S3 } from "../helpers/example";

let dir: string;
function read(text: string): Record<string, unknown> {
  writeFileSync(join(dir, "Pulumi.x.yaml"), text);
  return readStackConfig("x", dir);
}
/** Place, given, allowed and remedy of each error that a file with this text has. */
function errorsIn(text: string): string[][] {
  try {
    read(text);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsInvalid, String(error));
    return error.errors.map((e) => [e.path, e.given, e.allowed, e.remedy]);
  }
}

describe("a stack's file", () => {
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "stack-file-"));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it("is read without the prefix, and without what is not of this stack", () =>
    assert.deepEqual(
      read(
        "encryptionsalt: v1:x\nconfig:\n  pulumi:disable-default-providers: [kubernetes]\n  aws:region: eu-1\n  matrix-ha:ccu: 5\n  matrix-ha:rtc: { enabled: false }\n",
      ),
      { ccu: 5, rtc: { enabled: false } },
    ));

  it("has a placeholder for each encrypted value, wherever it is", () => {
    const secure = "{ secure: v1:abc }";
    assert.deepEqual(
      read(
        `config:\n  matrix-ha:objectStore: { secretKey: ${secure} }\n  matrix-ha:sso: { oidc: [{ clientSecret: ${secure} }, { id: a }] }\n  matrix-ha:trustedAuthorities: ${secure}\n`,
      ),
      {
        objectStore: { secretKey: "[encrypted by pulumi]" },
        sso: { oidc: [{ clientSecret: "[encrypted by pulumi]" }, { id: "a" }] },
        trustedAuthorities: "[encrypted by pulumi]",
      },
    );
    // A section that only looks like one is a section.
    for (const section of [{ secure: "v1:a", more: 1 }, { secure: 5 }, { other: "v1:a" }])
      assert.deepEqual(read(`config:\n  matrix-ha:rtc: ${JSON.stringify(section)}\n`), { rtc: section });
  });

  it("may have no settings yet, as the engine makes it", () => {
    for (const text of [
      "",
      "encryptionsalt: a\nsecretsprovider: b\nencryptedkey: c\nenvironment: [d]\n",
      "config: {}\n",
    ])
      assert.deepEqual(read(text), {}, text);
  });

  it("may use anchors", () =>
    assert.deepEqual(read("config:\n  matrix-ha:turn: &a { enabled: true }\n  matrix-ha:rtc: *a\n"), {
      turn: { enabled: true },
      rtc: { enabled: true },
    }));

  const BELOW = "settings below `config:`, indented";
  const INDENT = "write `config:` in a line of its own, and the settings below it, indented by two spaces";
  const INDENT_OR_CLOSE = "close what was opened before this line, or indent the line as those around it";
  const CLOSE = "close what was opened: {, [ or a quote; and write a colon after each key";
  const MIX =
    "a list's items begin with -, a section's with their keys: do not mix the two; quote a text that has a colon in it";
  const STAR = 'put a text that begins with * in quotes: "*.example.com"';
  for (const [what, text, ...errors] of [
    [
      "a tab",
      "config:\n\tmatrix-ha:ccu: 1\n",
      ["line 2, column 1", "Tabs are not allowed as indentation", "indent with spaces: YAML allows no tabs there"],
    ],
    [
      "a key that is there twice",
      "config:\n  matrix-ha:ccu: 1\n  matrix-ha:ccu: 2\n",
      ["line 3, column 3", "Map keys must be unique", "write each key once: join the two"],
    ],
    [
      "an open brace",
      "config:\n  matrix-ha:tls: { mode: acme\n",
      [
        "line 3, column 1",
        "Flow map in block collection must be sufficiently indented and end with a }",
        INDENT_OR_CLOSE,
      ],
    ],
    ["an open quote", 'config:\n  matrix-ha:domain: "a\n', ["line 3, column 1", 'Missing closing "quote', CLOSE]],
    [
      "a key without a colon",
      "config:\n  matrix-ha:ccu: 1\n  matrix-ha:rtc\n",
      ["line 3, column 3", "Implicit map keys need to be followed by map values", CLOSE],
    ],
    [
      "a text with a colon",
      "config:\n  matrix-ha:domain: a: b\n",
      ["line 2, column 21", "Nested mappings are not allowed in compact mappings", MIX],
    ],
    [
      "a character that YAML reserves",
      "config:\n  matrix-ha:domain: @x\n",
      [
        "line 2, column 21",
        "Plain value cannot start with reserved character @",
        "correct this line, or the one before it",
      ],
    ],
    // YAML takes it for a reference, which the parser reports without a line, and with the text.
    [
      "a star without quotes",
      "config:\n  matrix-ha:federation: { domainAllowList: [*.example.com] }\n  matrix-ha:emailSmtp: { password: *hunter2 }\n",
      ["line 2, column 45", "a text that begins with * without quotes", STAR],
      ["line 3, column 36", "a text that begins with * without quotes", STAR],
    ],
    ["a star alone", "config: { a: * }\n", ["line 1, column 14", "Alias cannot be an empty string", STAR]],
    [
      "several mistakes",
      "config:\n  matrix-ha:ccu: 1\n  matrix-ha:ccu: 2\n  matrix-ha:x: [\n",
      ["line 3, column 3", "Map keys must be unique", "write each key once: join the two"],
      [
        "line 5, column 1",
        "Flow sequence in block collection must be sufficiently indented and end with a ]",
        INDENT_OR_CLOSE,
      ],
    ],
  ] as Array<[string, string, ...string[][]]>)
    it(`is refused for ${what}, with the line and the remedy`, () =>
      assert.deepEqual(
        errorsIn(text),
        errors.map(([place, given, remedy]) => [`Pulumi.x.yaml, ${place}`, given, "YAML", remedy]),
      ));

  it("is refused where settings are not below config:", () => {
    for (const [text, given] of [
      ["config:\n", "no settings below `config:`"],
      ["config: x\n", "no settings below `config:`"],
      ["config: [a]\n", "no settings below `config:`"],
      ["- a\n", "no settings below `config:`"],
      ["text\n", "no settings below `config:`"],
      ["matrix-ha:ccu: 1\nmatrix-ha:domain: a\n", "matrix-ha:ccu, matrix-ha:domain outside `config:`"],
      ["config: {}\nccu: 1\n", "ccu outside `config:`"],
      ["config:\nmatrix-ha:ccu: 1\n", "matrix-ha:ccu outside `config:`"],
    ] as const)
      assert.deepEqual(errorsIn(text), [["Pulumi.x.yaml", given, BELOW, INDENT]], text);
  });

  it("is refused with everything at once: what is outside, what has no prefix, what is in clear", () =>
    assert.deepEqual(
      errorsIn("ccu: 1\nconfig:\n  rtc: 1\n  matrix-ha:emailSmtp: { password: hunter2 }\n").map(([path]) => path),
      ["Pulumi.x.yaml", "rtc", "emailSmtp.password"],
    ));

  it("that does not exist is answered with those that do", () => {
    const folder = join(dir, "stacks");
    mkdirSync(folder);
    const message = (stack: string): string => {
      try {
        return JSON.stringify(readStackConfig(stack, folder));
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.equal(
      message("prod"),
      `There is no stack "prod": ${folder}/Pulumi.prod.yaml does not exist. There is no Pulumi.<stack>.yaml.`,
    );
    for (const name of ["Pulumi.yaml", "Pulumi.b.yaml", "Pulumi.a-1.eu.yaml", "xPulumi.c.yaml", "Pulumi.d.yaml.orig"])
      writeFileSync(join(folder, name), "");
    assert.deepEqual(stackNames(folder), ["a-1.eu", "b"]);
    assert.equal(
      message("prod"),
      `There is no stack "prod": ${folder}/Pulumi.prod.yaml does not exist. Stacks here: a-1.eu, b.`,
    );
    assert.equal(message("a-1.eu"), "{}");
    // A name is no path: `../stacks/Pulumi.b` would be a file.
    mkdirSync(join(folder, "Pulumi.x"));
    writeFileSync(join(folder, "Pulumi.x", "b.yaml"), "");
    assert.match(message("x/b"), /^There is no stack "x\/b"/);
    assert.deepEqual(
      stackNames().filter((name) => ["small", "large"].includes(name)),
      ["large", "small"],
    );
  });
});

describe("keys that nothing would read", () => {
  it("are those with a mistyped prefix, or none", () => {
    const stray = (key: string, given: string, name: string): SettingsError => ({
      path: key,
      given,
      allowed: "settings with the prefix matrix-ha:",
      remedy: `write matrix-ha:${name}`,
    });
    const unread = (prefix: string): string => `a key with the prefix ${prefix}:, which nothing reads`;
    for (const [key, given, name] of [
      ["ccu", "a key without a prefix", "ccu"],
      ["zzz", "a key without a prefix", "zzz"],
      ["hosts[0].cpu", "a key without a prefix", "hosts[0].cpu"],
      [":ccu", "a key without a prefix", "ccu"],
      // The prefix is like ours, or the setting is one.
      ["matrix_ha:zzz", unread("matrix_ha"), "zzz"],
      ["matrixha:ccu", unread("matrixha"), "ccu"],
      ["config:federation", unread("config"), "federation"],
      ["aws:hosts[0].cpu", unread("aws"), "hosts[0].cpu"],
      ["aws:rtc.enabled", unread("aws"), "rtc.enabled"],
      ["aws:ccu:x", undefined, ""],
    ] as const)
      assert.deepEqual(strayKeys([key]), given === undefined ? [] : [stray(key, given, name)], key);
  });

  it("are not ours, the engine's, those of providers, or of other programs", () => {
    for (const key of [
      "matrix-ha:ccu",
      "matrix-ha:zzz",
      "pulumi:disable-default-providers",
      "pulumi:tags",
      "kubernetes:domain",
      "random:domain",
      "tls:domain",
      "command:domain",
      "aws:region",
      "aws:toString",
    ])
      assert.deepEqual(strayKeys([key]), [], key);
    assert.deepEqual(
      strayKeys(["ccu", "aws:region", "domain"]).map((e) => e.path),
      ["ccu", "domain"],
    );
  });
});

describe("secrets in a stack's file", () => {
  const config = {
    ccu: 5,
    objectStore: { ...S3, secretKey: "[encrypted by pulumi]" },
    sso: { oidc: [{ id: "x", clientSecret: "a" }, { id: "y" }, { clientSecret: "" }] },
    tls: { mode: "given", certificate: "no secret", privateKey: "b" },
    ssh: { privateKey: undefined },
    zzz: { privateKey: "c" },
    importSecrets: { signingKey: 5, unknown: "d" },
  };

  it("are found wherever they are", () =>
    assert.deepEqual(secretPaths(config), [
      ["objectStore", "accessKey"],
      ["objectStore", "secretKey"],
      ["sso", "oidc", 0, "clientSecret"],
      ["sso", "oidc", 2, "clientSecret"],
      ["tls", "privateKey"],
      ["importSecrets", "signingKey"],
    ]));

  it("in clear are refused, each with the command that sets it, and without its value", () => {
    const errors = secretsInClear({ ...config, emailSmtp: '{"password": "hunter2"}' });
    assert.deepEqual(
      errors.map((e) => e.path),
      [
        "objectStore.accessKey",
        "sso.oidc[0].clientSecret",
        "sso.oidc[2].clientSecret",
        "tls.privateKey",
        "importSecrets.signingKey",
        "emailSmtp.password",
      ],
    );
    assert.deepEqual(errors[1], {
      path: "sso.oidc[0].clientSecret",
      given: "a secret in clear (not shown)",
      allowed: "an encrypted value: whoever reads the stack's file, or its history, has a secret that is in clear",
      remedy:
        "pulumi config set --secret --path 'matrix-ha:sso.oidc[0].clientSecret' < FILE, with the value in FILE. Where the file has been copied or committed, replace the secret where it was issued",
    });
    assert.deepEqual(secretsInClear({ ccu: 5, trustedAuthorities: "[encrypted by pulumi]" }), []);
  });

  it("are set from a file: a value on the command line is seen by every user of the machine", () => {
    assert.equal(setSecret(["a", 0, "b"]), "pulumi config set --secret --path 'matrix-ha:a[0].b' < FILE");
    assert.equal(setSecret("a.b"), "pulumi config set --secret --path 'matrix-ha:a.b' < FILE");
  });
});

describe("--set", () => {
  const before = (): Record<string, unknown> => ({
    ccu: 1,
    hosts: [{ cpu: 1 }, { cpu: 2 }],
    rtc: { enabled: true },
    zone: null,
    list: [1, 2, 3],
  });
  const set = (...sets: string[]): Record<string, unknown> => applySets(before(), sets);

  it("replaces single values, read as YAML, and leaves the rest", () => {
    for (const [text, change] of [
      ["ccu=5000", { ccu: 5000 }],
      ["rtc.enabled=false", { rtc: { enabled: false } }],
      ["rtc.tcpPort=7000", { rtc: { enabled: true, tcpPort: 7000 } }],
      ["hosts[1].cpu=4", { hosts: [{ cpu: 1 }, { cpu: 4 }] }],
      ["hosts[2].cpu=4", { hosts: [{ cpu: 1 }, { cpu: 2 }, { cpu: 4 }] }],
      ["list[3]=4", { list: [1, 2, 3, 4] }],
      ["overrides.pools.user-directory.cpu=0.5", { overrides: { pools: { "user-directory": { cpu: 0.5 } } } }],
      ["addressPools=[{name: a}]", { addressPools: [{ name: "a" }] }],
      ["addressPools[0].name=a", { addressPools: [{ name: "a" }] }],
      ["zone.a=1", { zone: { a: 1 } }],
      ["ccu.a=1", { ccu: { a: 1 } }],
      ['labels["app.kubernetes.io/name"]=a', { labels: { "app.kubernetes.io/name": "a" } }],
      ["domain=a=b", { domain: "a=b" }],
      ["_a=1", { _a: 1 }],
      ["a=1", { a: 1 }],
    ] as const)
      assert.deepEqual(set(text), { ...before(), ...change }, text);
    assert.deepEqual(set("ccu=2", "ccu=3", "rtc={}"), { ...before(), ccu: 3, rtc: {} });
  });

  it("without a value removes the setting", () => {
    assert.deepEqual(set("rtc.enabled=").rtc, {});
    assert.deepEqual(set("list[1]=").list, [1, 3]);
    assert.deepEqual(set("hosts[0]=").hosts, [{ cpu: 2 }]);
    const { ccu: _, ...rest } = before();
    assert.deepEqual(set("ccu="), rest);
    assert.equal("ccu" in set("ccu="), false);
  });

  it("leaves what it was given as it was", () => {
    const given = before();
    applySets(given, ["hosts[0].cpu=9", "ccu="]);
    assert.deepEqual(given, before());
  });

  it("refuses what is no setting, and says how to write it", () => {
    const write = "write PATH=VALUE, for example ccu=5000 or hosts[0].cpu=4";
    const dots = "separate names by dots and put indexes of lists in brackets: hosts[0].cpu";
    for (const [text, message] of [
      ["ccu", `--set ccu: ${write}`],
      ["=1", `--set =1: ${write}`],
      ["", `--set : ${write}`],
      ["a..b=1", `--set a..b=1: "a..b" is not a valid path; ${dots}`],
      ["a b=1", `--set a b=1: "a b" is not a valid path; ${dots}`],
      ["hosts[x].cpu=1", `--set hosts[x].cpu=1: "hosts[x].cpu" is not a valid path; ${dots}`],
      ["hosts[0]cpu=1", `--set hosts[0]cpu=1: "hosts[0]cpu" is not a valid path; ${dots}`],
      ['l[""]=1', `--set l[""]=1: "l[""]" is not a valid path; ${dots}`],
      ["__proto__.x=1", '--set __proto__.x=1: "__proto__.x" is not a setting'],
      ["a.constructor=1", '--set a.constructor=1: "a.constructor" is not a setting'],
      ["a.prototype.b=1", '--set a.prototype.b=1: "a.prototype.b" is not a setting'],
      ["hosts[3].cpu=1", "--set hosts[3].cpu=1: the list has 2 entries"],
      ["hosts.x.cpu=1", "--set hosts.x.cpu=1: the list has 2 entries"],
      ["list[4]=1", "--set list[4]=1: the list has 3 entries"],
      ["list[10]=1", "--set list[10]=1: the list has 3 entries"],
      ["list.x=1", "--set list.x=1: the list has 3 entries"],
      ["list.x=", "--set list.x=: the list has 3 entries"],
    ] as const)
      assert.throws(() => set(text), { name: "Error", message }, text);
  });
});
