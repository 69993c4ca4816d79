/** Writes docs/settings.md from the schema. `--check` only says whether it is up to date. */
import { settingsDocs } from "../components/settings/docs";
import { writeOrCheck } from "./writeOrCheck";

writeOrCheck("settings-docs.ts", "Writes docs/settings.md from the schema.", () => [
  { file: "docs/settings.md", text: settingsDocs() },
]);
