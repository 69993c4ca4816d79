import assert from "node:assert/strict";
import { EXCEPTIONS, RULES, violations } from "../../policy";
import type { Exception } from "../../policy/types";
import { evaluated, TIERS } from "../helpers/tiers";

describe("rules over every manifest", () => {
  const needed = new Set<Exception>();

  for (const tier of TIERS) {
    describe(tier.name, () => {
      for (const rule of RULES) {
        it(`${rule.id}: ${rule.demands}`, async () => {
          const { subject } = await evaluated(tier.config);
          const { found, used } = violations(subject, [rule]);
          used.forEach((e) => needed.add(e));
          assert.deepEqual(found.map((v) => `${v.object}: ${v.what}`), []);
        });
      }
    });
  }

  it("every exception is still needed, and says why", () => {
    assert.deepEqual(EXCEPTIONS.filter((e) => !needed.has(e)).map((e) => `${e.rule} ${e.object} ${e.what ?? ""}`), []);
    for (const e of EXCEPTIONS) assert.ok(e.why.length > 20, `${e.rule} ${e.object}: the reason is missing`);
  });
});
