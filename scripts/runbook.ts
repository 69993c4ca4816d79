/** Writes docs/runbook.md from the alert rules of the small stack's fixture, with every optional layer on. */
import * as fs from "node:fs";
import * as path from "node:path";
import { alertRules, runbook } from "../components/monitoring/rules";
import { fixturePlan, fixtureSettings } from "../test/fixtures/context";

export function runbookText(): string {
  const settings = fixtureSettings();
  settings.federation.enabled = true;
  return runbook(alertRules({ settings, plan: fixturePlan() }));
}

if (require.main === module) fs.writeFileSync(path.join(__dirname, "..", "docs", "runbook.md"), runbookText());
