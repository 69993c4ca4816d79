/**
 * `npm run policy`: checks every object that a stack registers against the rules, the same ones that the tests assert
 * at every size.
 */
import { resolveSettings } from "../components/settings";
import { plan } from "../components/plan";
import { EXCEPTIONS, RULES, subjectOf, violations } from "../policy";
import { KUBE_SCORE } from "../policy/otherTools";
import { parse, runMain, selectStack, STACK_OPTIONS } from "./arguments";
import { evaluate } from "./evaluate";

const USAGE = `npm run policy -- --stack NAME [--set path=value ...] [--explain]
  Checks every object of the stack against the rules of policy/. Exit code 1 when one is broken.
  --explain lists the rules, and each exception with its reason; --markdown does the same in the form of docs/policy.md.`;

/** docs/policy.md. */
export function policyMarkdown(): string {
  const cell = (s: string): string => s.replace(/\|/g, "\\|");
  return [
    "# The rules that every manifest follows",
    "",
    "Written by `npm run policy -- --markdown > docs/policy.md`. The rules are code (`policy/`); `npm test` asserts each over every object that the stack registers at five sizes, with federation off and on, with MinIO and with an external S3, and over the example stacks. Tests also break each rule on purpose, to see that it notices. `npm run policy -- --stack NAME` checks a stack of yours.",
    "",
    "| rule | demands |",
    "|---|---|",
    ...[...RULES]
      .sort((a, b) => parseInt(a.id, 10) - parseInt(b.id, 10))
      .map((r) => `| ${r.id} | ${cell(r.demands)} |`),
    "",
    "## Exceptions",
    "",
    "An exception that is no longer needed fails the tests.",
    "",
    "| rule | object | what | why |",
    "|---|---|---|---|",
    ...EXCEPTIONS.map(
      (e) => `| ${e.rule} | ${cell(e.object)} | ${cell(e.what ? plainText(e.what) : "")} | ${cell(e.why)} |`,
    ),
    "",
    "## What kube-score says",
    "",
    "kube-score 1.20.0 over the rendered large stack (`npm run render -- --stack large`) reports these as critical, and nothing else.",
    "",
    "| check | where | why it stays |",
    "|---|---|---|",
    ...KUBE_SCORE.map((k) => `| ${k.check} | ${k.where} | ${cell(k.why)} |`),
    "",
  ].join("\n");
}

/** A pattern as a phrase. */
const plainText = (p: RegExp): string => p.source.replace(/[\^$]/g, "").replace(/\\(.)/g, "$1").replace(/\.\*/g, "...");

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, explain: { type: "boolean" }, markdown: { type: "boolean" } });
  if (values.markdown) {
    process.stdout.write(policyMarkdown());
    return;
  }
  if (values.explain) {
    for (const r of RULES) console.log(`${r.id.padEnd(4)} ${r.demands}`);
    for (const e of EXCEPTIONS) console.log(`     except ${e.object} (rule ${e.rule}): ${e.why}`);
    if (!values.stack) return;
  }
  const { stack, config } = selectStack(values);
  const evaluation = await evaluate({ stack, config });
  const { settings } = resolveSettings(config, stack);
  const subject = subjectOf(evaluation, settings!, plan(settings!));
  const { found } = violations(subject);
  for (const v of found) console.log(`${v.rule.padEnd(4)} ${v.object}: ${v.what}`);
  console.log(`${subject.objects.length} objects, ${RULES.length} rules, ${found.length} violations`);
  if (found.length) process.exitCode = 1;
}

if (require.main === module) runMain(USAGE, main);
