/** All rules, run over a subject, exceptions taken off. */
import { EXCEPTIONS } from "./exceptions";
import { CONFIGURATION_RULES } from "./configurationRules";
import { METADATA_RULES } from "./metadataRules";
import { POD_RULES } from "./podRules";
import { SECURITY_RULES } from "./securityRules";
import { titleOf } from "./subject";
import { VALUE_RULES } from "./valueRules";
import type { Exception, Rule, Subject, Violation } from "./types";

export const RULES: Rule[] = [
  ...METADATA_RULES,
  ...CONFIGURATION_RULES,
  ...POD_RULES,
  ...SECURITY_RULES,
  ...VALUE_RULES,
];
export { EXCEPTIONS } from "./exceptions";
export { subjectOf } from "./subject";
export type { Subject, Violation } from "./types";

const pattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split("*")
      .map((s) => s.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );
const compiled = EXCEPTIONS.map((e) => ({ e, object: pattern(e.object) }));

export function violations(subject: Subject, rules: Rule[] = RULES): { found: Violation[]; used: Set<Exception> } {
  const found: Violation[] = [];
  const used = new Set<Exception>();
  for (const rule of rules) {
    for (const { object, what } of rule.check(subject)) {
      const title = titleOf(object);
      const hit = compiled.find(
        ({ e, object: p }) => e.rule === rule.id && p.test(title) && (!e.what || e.what.test(what)),
      );
      if (hit) used.add(hit.e);
      else found.push({ rule: rule.id, object: title, what });
    }
  }
  return { found, used };
}
