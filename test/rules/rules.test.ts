import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { policyMarkdown } from "../../cli/policy";
import { EXCEPTIONS, RULES, violations } from "../../policy";
import { readStackConfig } from "../../components/settings/stackFile";
import type { Exception } from "../../policy/types";
import { VALUE_RULES } from "../../policy/valueRules";
import { evaluated, TIERS } from "../../lab/common/tiers";
import { variations } from "../helpers/variations";

describe("rules over every manifest", () => {
  const needed = new Set<Exception>();

  // The examples that people begin with, and the stack of `npm run local`, are held to the same.
  const files = ["small", "large", "local", "existing"].map((stack) => ({
    name: `Pulumi.${stack}.yaml`,
    config: readStackConfig(stack),
  }));
  for (const tier of [...TIERS, ...files]) {
    describe(tier.name, () => {
      for (const rule of RULES) {
        it(`${rule.id}: ${rule.demands}`, async () => {
          const { subject } = await evaluated(tier.config);
          const { found, used } = violations(subject, [rule]);
          used.forEach((e) => needed.add(e));
          assert.deepEqual(
            found.map((v) => `${v.object}: ${v.what}`),
            [],
          );
        });
      }
    });
  }

  it("23 and 24 with every option of the settings", async function () {
    this.timeout(1_200_000);
    for (const config of await variations())
      assert.deepEqual(violations((await evaluated(config)).subject, VALUE_RULES).found, []);
  });

  it("16 with an external S3: names of buckets, regions and hosts are no secrets, however long", async () => {
    const s3 = {
      kind: "s3",
      endpoint: "https://objects.example.net",
      region: "eu-central-west-1",
      accessKey: "AKIAEXAMPLEEXAMPLE",
      secretKey: "external-secret-key",
    };
    const config = {
      ...TIERS[0].config,
      objectStore: { ...s3, bucket: "organisation-matrix-media" },
      backups: { target: { ...s3, bucket: "backups-of-organisation.example.net" } },
    };
    const rule = RULES.filter((r) => r.id === "16");
    assert.deepEqual(violations((await evaluated(config)).subject, rule).found, []);
  });

  // Last: it counts what the tiers used.
  describe("exceptions", () => {
    it("every exception is still needed, and says why", () => {
      assert.deepEqual(
        EXCEPTIONS.filter((e) => !needed.has(e)).map((e) => `${e.rule} ${e.object} ${e.what ?? ""}`),
        [],
      );
      for (const e of EXCEPTIONS) assert.ok(e.why.length > 20, `${e.rule} ${e.object}: the reason is missing`);
    });
  });

  it("docs/policy.md says the same", () => {
    assert.equal(
      fs.readFileSync(path.join(__dirname, "../../docs/policy.md"), "utf8"),
      policyMarkdown(),
      "run: npm run -s policy -- --markdown > docs/policy.md",
    );
  });
});
