/** `npm run policy`: the rules over every object that a stack registers; the same that the tests assert over the tiers. */
import { resolveSettings } from "../components/settings";
import { plan } from "../components/sizing";
import { EXCEPTIONS, RULES, subjectOf, violations } from "../policy";
import { parse, runMain, selectStack, STACK_OPTIONS } from "./arguments";
import { evaluate } from "./evaluate";

const USAGE = `npm run policy -- --stack NAME [--set path=value ...] [--explain]
  Checks every object of the stack against the rules of policy/. Exit code 1 when one is broken.
  --explain lists the rules, and each exception with its reason.`;

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, { ...STACK_OPTIONS, explain: { type: "boolean" } });
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
