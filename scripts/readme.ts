/** Puts the plan's present output into README.md, between its markers. `--check` only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { planFor, report } from "../cli/plan";

export const README = resolve(__dirname, "../README.md");

/** README.md with every generated part as it should be. */
export function readmeText(): string {
  const whole = report(planFor({ ccu: 1000 }));
  const machines = whole.split("\n\n").find((section) => section.startsWith("Machines to provide"));
  return Object.entries({ machines: machines!, plan: whole }).reduce((text, [name, block]) => {
    const marked = new RegExp(`(<!-- ${name}: npx tsx scripts/readme.ts -->\n)[^]*?(<!-- end of ${name} -->)`);
    if (!marked.test(text)) throw new Error(`README.md has lost the markers of "${name}"`);
    return text.replace(marked, (_, begin: string, end: string) => `${begin}\n\`\`\`text\n${block}\n\`\`\`\n\n${end}`);
  }, readFileSync(README, "utf8"));
}

if (require.main === module) {
  const wanted = readmeText();
  if (!process.argv.includes("--check")) writeFileSync(README, wanted);
  else if (readFileSync(README, "utf8") !== wanted) {
    process.stderr.write("README.md is not up to date: run `npx tsx scripts/readme.ts`\n");
    process.exitCode = 1;
  }
}
