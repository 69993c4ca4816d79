/** Each generated secret, in each tier: found only where secrets belong. */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { deterministic } from "../../cli/generated";
import { DESTROY_GUARD } from "../../components/keys/DestroyGuard";
import { ALONE_SECRETS } from "../../components/domain/importableSecrets";
import { signingKeyFrom } from "../../components/core/signingKey";
import { strings } from "../../policy/subject";
import { authority } from "../helpers/authority";
import { OIDC } from "../helpers/example";
import { evaluated, tier, TIERS } from "../../lab/common/tiers";

const GENERATED = /^(random:index\/randomPassword:|tls:index\/privateKey:)/;

/** Values that the providers made, in the forms in which they are used. */
function generatedValues(resources: any[]): Array<{ name: string; values: string[] }> {
  return resources
    .filter((r) => GENERATED.test(r.type))
    .map((r) => {
      const state = deterministic({ type: r.type, name: r.name, inputs: r.inputs } as any);
      // Of the signing key it is the hash that is used.
      const seed = r.name === "secrets-signing-key" ? signingKeyFrom(state.result).split(" ")[2] : undefined;
      const raw: string[] = [state.result, seed, state.privateKeyPem].filter(
        (v) => typeof v === "string" && v.length > 0,
      );
      return {
        name: r.name,
        values: [
          ...raw,
          ...raw.map((v) => Buffer.from(v).toString("base64").replace(/=+$/, "")),
          ...raw.map((v) => encodeURIComponent(v)),
        ],
      };
    });
}

describe("generated secrets", () => {
  for (const tier of TIERS) {
    it(`${tier.name}: in Secrets only`, async () => {
      const { evaluation } = await evaluated(tier.config);
      const secrets = generatedValues(evaluation.resources);
      assert.ok(secrets.length >= 12, `${secrets.length} generated secrets`);
      const leaks: string[] = [];
      for (const r of evaluation.resources) {
        if (r.inputs?.kind === "Secret" || GENERATED.test(r.type) || r.type.startsWith("tls:")) continue;
        for (const { path, text } of [...strings(r.inputs), { path: "urn", text: r.urn }]) {
          // Input of a remote command is the one channel that is neither logged nor shown.
          if (r.type === "command:remote:Command" && (path === "stdin" || path.startsWith("connection."))) continue;
          for (const s of secrets)
            if (s.values.some((v) => text.includes(v))) leaks.push(`${s.name} in ${r.type} ${r.name} at ${path}`);
        }
      }
      assert.deepEqual(leaks, []);
      const outputs = [...strings(evaluation.outputs)]
        .filter(({ text }) => secrets.some((s) => s.values.some((v) => text.includes(v))))
        .map(({ path }) => path.split(".")[0]!);
      // Whoever runs a bridge reads its tokens there, with --show-secrets.
      const bridges = tier.config.appservices ? ["appservices"] : [];
      assert.deepEqual([...new Set(outputs)], bridges, "no other output carries a secret");
      for (const name of bridges) assert.ok(evaluation.secretOutputs!.includes(name), `${name} is not marked secret`);
    });

    it(`${tier.name}: each is used, and a Secret that holds one is known to Pulumi as secret`, async () => {
      const { evaluation, settings } = await evaluated(tier.config);
      const inSecrets = evaluation.resources.filter((r) => r.inputs?.kind === "Secret");
      const text =
        JSON.stringify(inSecrets.map((r) => r.inputs)) +
        JSON.stringify(evaluation.resources.filter((r) => r.type.startsWith("tls:")).map((r) => r.inputs));
      const unescape = text.replace(/\\n/g, "\n");
      const unused = generatedValues(evaluation.resources)
        .filter((s) => !s.values.some((v) => unescape.includes(v)))
        .map((s) => s.name);
      // Kept all the same: a stack that goes to an external S3 and comes back finds its MinIO as it was.
      const idle = [
        ...(settings.objectStore.kind === "s3" ? ["minio-root", "media-s3", "backup-s3"] : []),
        ...(settings.monitoring.alertWebhook ? [] : ["alertmanager"]),
      ];
      assert.deepEqual(unused.sort(), idle.map((n) => `secrets-${n}`).sort());
      // One is made empty, for an operator to fill; one holds settings only.
      const values = generatedValues(evaluation.resources).flatMap((s) => s.values);
      const holding = inSecrets.filter((r) => {
        const own = JSON.stringify(r.inputs).replace(/\\n/g, "\n");
        return values.some((v) => own.includes(v));
      });
      assert.ok(holding.length >= 8);
      for (const r of holding)
        assert.ok(
          r.secretPaths.some((p) => /^(stringData|data)/.test(p)),
          `${r.inputs.metadata.name} is not marked secret`,
        );
    });
  }

  for (const tier of TIERS) {
    it(`${tier.name}: none is made by a type whose id is its value: no state encrypts ids`, async () => {
      const { evaluation } = await evaluated(tier.config);
      const random = evaluation.resources.filter((r) => r.type.startsWith("random:"));
      assert.ok(random.length >= 12);
      // No value of the guard is used: it is there to be refused.
      assert.deepEqual(
        random.filter((r) => r.type !== "random:index/randomPassword:RandomPassword").map((r) => r.name),
        [DESTROY_GUARD],
      );
    });
  }

  it("what cannot be made again is protected", async () => {
    const { evaluation } = await evaluated(TIERS[0]!.config);
    for (const name of ["secrets-signing-key", "secrets-database", "secrets-macaroon", "secrets-minio-root"]) {
      assert.equal(evaluation.resources.find((r) => r.name === name)?.protect, true, name);
    }
  });
});

describe("secrets that the operator gives", () => {
  const own = (name: string): string =>
    `${name}-${crypto.createHash("sha256").update(name).digest("hex").slice(0, 24)}`;
  const pem = crypto
    .generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs1", format: "pem" })
    .toString();
  const signingKey = `ed25519 a_own1 ${crypto.randomBytes(32).toString("base64").replace(/=+$/, "")}`;
  const s3 = (bucket: string): object => ({
    kind: "s3",
    endpoint: "https://s3.example.net",
    region: "eu-1",
    bucket,
    accessKey: own(`${bucket}-access`),
    secretKey: own(`${bucket}-secret`),
  });
  let config: Record<string, unknown>;
  /** By name, what is looked for. */
  let given: Record<string, string>;

  before(async () => {
    const ca = await authority();
    const imported: Record<string, string> = {
      ...Object.fromEntries(ALONE_SECRETS.map((k) => [k, own(k)])),
      signingKey,
      caPrivateKey: ca.privateKey,
      caCertificate: ca.certificate,
    };
    config = tier(1_000, {
      more: {
        objectStore: s3("media"),
        backups: { target: s3("backups") },
        ssh: { user: "root", privateKey: pem },
        importSecrets: imported,
        sso: {
          oidc: [{ ...OIDC, clientSecret: own("oidc") }],
        },
        ldap: {
          uris: ["ldaps://ldap.example.net"],
          base: "dc=example,dc=net",
          bindDn: "cn=matrix,dc=example,dc=net",
          bindPassword: own("ldap"),
        },
        emailSmtp: { host: "mail.example.net", user: "matrix", password: own("smtp"), from: "matrix@example.net" },
      },
    }).config;
    const { caCertificate: _public, ...secret } = imported;
    given = {
      // A key is looked for by a line of its middle: the frame lines are the same in every key.
      ...secret,
      signingKey: signingKey.split(" ")[2]!,
      caPrivateKey: ca.privateKey.split("\n")[2]!,
      "ssh.privateKey": pem.split("\n")[5]!,
      oidc: own("oidc"),
      ldap: own("ldap"),
      smtp: own("smtp"),
      ...Object.fromEntries(["media-secret", "backups-secret"].map((k) => [k, own(k)])),
    };
  });

  it("are found in Secrets and SSH connections only, and there marked secret", async () => {
    const { evaluation } = await evaluated(config);
    const leaks: string[] = [],
      found = new Set<string>();
    for (const r of evaluation.resources) {
      for (const { path, text } of strings(r.inputs)) {
        for (const [name, value] of Object.entries(given)) {
          if (
            ![value, Buffer.from(value).toString("base64").replace(/=+$/, ""), encodeURIComponent(value)].some((v) =>
              text.includes(v),
            )
          )
            continue;
          found.add(name);
          // The CA signs by its provider, whose state is encrypted.
          const secretPlace =
            r.inputs.kind === "Secret" ||
            (r.type === "tls:index/locallySignedCert:LocallySignedCert" && path === "caPrivateKeyPem") ||
            (r.type === "command:remote:Command" && (path === "stdin" || path.startsWith("connection.")));
          if (!secretPlace) leaks.push(`${name} in ${r.type} ${r.name} at ${path}`);
          else if (!r.secretPaths.some((p) => path === p || path.startsWith(`${p}.`) || path.startsWith(`${p}[`)))
            leaks.push(`${name} in ${r.name} at ${path}: not marked secret`);
        }
      }
    }
    assert.deepEqual(leaks, []);
    const outputs = [...strings(evaluation.outputs)]
      .filter(({ text }) => Object.values(given).some((v) => text.includes(v)))
      .map(({ path }) => path);
    assert.deepEqual(outputs, [], "no output carries one");
    assert.deepEqual(
      Object.keys(given).filter((n) => !found.has(n)),
      [],
      "each is used",
    );
  });
});
