/** Alerts as a table, and what every page of the runbook must have. */
import assert from "node:assert/strict";
import type { RuleGroup } from "../../components/core/monitoring";

/** The part of each alert that Prometheus and the person on call see: name, severity, duration, condition, summary. */
export const conditions = ({ rules }: RuleGroup): string[][] =>
  rules.map((r) => [r.alert, r.severity, r.for, r.expr, r.summary]);

/** Each page says what the alert means, where to look and what to do, in whole sentences but for the commands. */
export function assertPages({ title, rules }: RuleGroup): void {
  assert.match(title, /^[A-Z]/);
  for (const { alert, meaning, look, act } of rules) {
    assert.ok(look.length > 0 && act.length > 0, `${alert} does not say where to look, or what to do`);
    for (const sentence of [meaning, ...act]) assert.match(sentence, /^[A-Z`].*\.$/s, `${alert}: "${sentence}"`);
    for (const place of look) assert.match(place, /^\S.*\S$/, `${alert}: an empty place to look`);
  }
}
