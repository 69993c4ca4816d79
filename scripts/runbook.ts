/**
 * Writes docs/runbook.md from the alert rules of the example stack of 1,000 users, with every optional layer on.
 * `--check` only says whether it is up to date.
 */
import { exampleConfig } from "../cli/exampleStack";
import { alertRules } from "../components/layers/monitoring/watched";
import { runbook } from "../components/layers/monitoring/runbook";
import { everyCentreRule } from "../components/layers/postgres/centreAlerts";
import { EVERYTHING, LAYERS } from "../components/layers/registry";
import { resolveSettings, SettingsInvalid } from "../components/settings";
import { plan } from "../components/plan";
import { writeOrCheck } from "./writeOrCheck";

export function runbookText(): string {
  const { settings, errors } = resolveSettings(
    { ...exampleConfig(1000), federation: { enabled: true }, ...EVERYTHING },
    "runbook",
  );
  if (!settings) throw new SettingsInvalid(errors);
  // Those of data centres depend on which one it is; all of them are here.
  return runbook([...alertRules({ settings, plan: plan(settings), layers: LAYERS }), everyCentreRule()]);
}

if (require.main === module)
  writeOrCheck("runbook.ts", "Writes docs/runbook.md from the alert rules of the example stack of 1,000 users.", () => [
    { file: "docs/runbook.md", text: runbookText() },
  ]);
