/** A stack's file that cannot be read as it was meant is refused, with its name, the place and the remedy. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { evaluate } from "../../cli/evaluate";
import { settingsFromConfig } from "../../components/settings/fromConfig";
import { readStackConfig } from "../../components/settings/stackFile";
import { minimal, S3 } from "../helpers/example";

/** What reading a file with this text ends in. */
function refusal(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "stack-file-"));
  try {
    writeFileSync(join(dir, "Pulumi.x.yaml"), text);
    readStackConfig("x", dir);
    return "";
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
const file = (config: Record<string, unknown>): string =>
  stringify({ config: Object.fromEntries(Object.entries(config).map(([k, v]) => [`matrix-ha:${k}`, v])) });

describe("a stack's file is refused", () => {
  for (const [what, text, says] of [
    ["a tab", "config:\n\tmatrix-ha:ccu: 1\n", /Pulumi\.x\.yaml, line 2, column 1[\s\S]*remedy: +indent with spaces/],
    [
      "a key that is there twice",
      "config:\n  matrix-ha:ccu: 1\n  matrix-ha:ccu: 2\n",
      /Pulumi\.x\.yaml, line 3[\s\S]*write each key once/,
    ],
    [
      "an open brace",
      "config:\n  matrix-ha:tls: { mode: acme\n",
      /Pulumi\.x\.yaml, line \d[\s\S]*remedy: +close what was opened/,
    ],
    ["no config:", "matrix-ha:ccu: 1\n", /Pulumi\.x\.yaml\n[\s\S]*matrix-ha:ccu outside `config:`/],
    ["no config: and no prefix", "ccu: 1\n", /ccu outside `config:`/],
    ["config: with nothing below it", "config:\nmatrix-ha:ccu: 1\n", /write `config:` in a line of its own/],
    ["a key without a prefix", "config:\n  ccu: 1\n", /remedy: +write matrix-ha:ccu/],
    [
      "a mistyped prefix of a setting that may be left out",
      "config:\n  matrix_ha:federation: { enabled: true }\n",
      /matrix_ha:federation[\s\S]*remedy: +write matrix-ha:federation/,
    ],
    ["the prefix of another project", "config:\n  config:federation: {}\n", /remedy: +write matrix-ha:federation/],
  ] as const)
    it(`for ${what}`, () => assert.match(refusal(text), says));

  it("not for what the engine or other providers have in it", () =>
    assert.equal(
      refusal(
        "encryptionsalt: v1:x\nenvironment: [a]\nconfig:\n  pulumi:disable-default-providers: [kubernetes]\n  aws:region: eu-1\n",
      ),
      "",
    ));

  it("for secrets in clear, wherever they are, with the command for each and without their values", () => {
    const message = refusal(
      file({
        ...minimal(),
        objectStore: { ...S3, secretKey: { secure: "v1:abc" } },
        sso: { oidc: [{ id: "x", clientSecret: "oidc-in-clear" }] },
        tls: { mode: "given", certificate: "PEM", privateKey: "tls-in-clear" },
        ssh: { privateKey: "ssh-in-clear" },
      }),
    );
    for (const path of ["objectStore.accessKey", "sso.oidc[0].clientSecret", "tls.privateKey", "ssh.privateKey"])
      assert.ok(message.includes(`pulumi config set --secret --path 'matrix-ha:${path}' < FILE`), path + message);
    assert.doesNotMatch(message, /in-clear|AKIAEXAMPLE|objectStore\.secretKey/);
  });

  it("not for secrets that are encrypted", () =>
    assert.equal(
      refusal(
        file({ ...minimal(), objectStore: { ...S3, accessKey: { secure: "v1:a" }, secretKey: { secure: "v1:b" } } }),
      ),
      "",
    ));
});

describe("the engine's configuration is refused", () => {
  const read = async (config: Record<string, unknown>, secretKeys: string[]): Promise<string> => {
    let message = "";
    await evaluate({
      stack: "prod",
      config,
      secretKeys,
      program: async () => {
        try {
          settingsFromConfig();
        } catch (error) {
          message = (error as Error).message;
        }
        return {};
      },
    });
    return message;
  };
  const withS3 = { ...minimal(), objectStore: S3 };

  it("for a secret that the engine does not know to be one", async () => {
    const message = await read(withS3, []);
    assert.match(message, /pulumi config set --secret --path 'matrix-ha:objectStore\.secretKey' < FILE/);
    assert.doesNotMatch(message, /very-secret/);
    assert.equal(await read(withS3, ["matrix-ha:objectStore"]), "");
  });
  it("for a mistyped prefix, which would switch off what it sets", async () =>
    assert.match(
      await read({ ...minimal(), "matrix_ha:federation": { enabled: true } }, []),
      /write matrix-ha:federation/,
    ));
});
