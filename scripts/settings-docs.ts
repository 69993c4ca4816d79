/** Writes docs/settings.md from the schema. `--check` only says whether it is up to date. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { settingsDocs } from "../components/settings/docs";

const FILE = resolve(__dirname, "../docs/settings.md");
const wanted = settingsDocs();
if (process.argv.includes("--check")) {
  if (!existsSync(FILE) || readFileSync(FILE, "utf8") !== wanted) {
    process.stderr.write("docs/settings.md is not up to date: run `npx tsx scripts/settings-docs.ts`\n");
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, wanted);
}
