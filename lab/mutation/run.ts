/**
 * `npm run mutate`: changes the pure code of one part after the other, one small change at a time (Stryker), and runs
 * the part's unit tests. A change that no test notices survives. Keeps the scores in docs/proof/mutation.md.
 */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseWords, runMain, UsageError } from "../../cli/arguments";
import { CACHE_DIR, PROOF, ROOT } from "../common/folders";
import { Kept } from "../proof/kept";
import { PARTS, pureFiles, type Part } from "./parts";

/** Least share of noticed changes. */
const LEAST = 80;
const USAGE = `npm run mutate [-- PART...] [--survivors]
  Parts: ${Object.keys(PARTS).join(", ")} (default: all, which takes hours; what has not changed since is not tried again).
  Prints each change that no test noticed, and the score; writes docs/proof/mutation.md. Exit code 1 below ${LEAST} %.
  --survivors  print those of the last run, and run nothing`;
const HERE = __dirname;
const CACHE = path.join(CACHE_DIR, "mutation");

interface Mutant {
  status: string;
  mutatorName: string;
  replacement?: string;
  location: { start: { line: number; column: number } };
}
interface Report {
  files: Record<string, { mutants: Mutant[] }>;
}
interface Score {
  date: string;
  killed: number;
  survived: number;
  minutes: number;
}

const reportFile = (part: string): string => path.join(CACHE, `${part}.report.json`);

function install(): void {
  if (fs.existsSync(path.join(HERE, "node_modules/@stryker-mutator/core"))) return;
  console.log("Installing Stryker in lab/mutation ...");
  const r = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
  if (r.status !== 0) throw new Error("npm ci in lab/mutation failed");
}

/** Ends with Stryker's own exit code; its report says the rest. */
function stryker(name: string, part: Part): Promise<number> {
  const child = spawn(
    path.join(HERE, "node_modules/.bin/stryker"),
    ["run", path.relative(ROOT, path.join(HERE, "stryker.config.mjs"))],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        MUTATE: JSON.stringify(pureFiles(part)),
        SPEC: JSON.stringify(part.tests),
        REPORT: reportFile(name),
        INCREMENTAL: path.join(CACHE, `${name}.incremental.json`),
      },
    },
  );
  child.stdout.on("data", (text: Buffer) => {
    // Its progress, a line every ten seconds; the survivors come from the report.
    for (const line of text.toString().split("\n")) if (/tested|ERROR|WARN|dry run/i.test(line)) console.log(line);
  });
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("exit", (code) => {
      done(code ?? 1);
    });
  });
}

const NOTICED = ["Killed", "Timeout"];
const UNNOTICED = ["Survived", "NoCoverage"];

function printSurvivors(part: string): void {
  const { files } = JSON.parse(fs.readFileSync(reportFile(part), "utf8")) as Report;
  for (const [file, { mutants }] of Object.entries(files))
    for (const m of mutants.filter((x) => UNNOTICED.includes(x.status)))
      console.log(`${file}:${m.location.start.line}:${m.location.start.column} ${m.mutatorName} -> ${m.replacement}`);
}

function scoreOf(part: string, minutes: number): Score {
  const { files } = JSON.parse(fs.readFileSync(reportFile(part), "utf8")) as Report;
  const all = Object.values(files).flatMap((f) => f.mutants);
  const count = (states: string[]): number => all.filter((m) => states.includes(m.status)).length;
  return {
    date: new Date().toISOString().slice(0, 10),
    killed: count(NOTICED),
    survived: count(UNNOTICED),
    minutes,
  };
}

const share = (s: Score): number => (100 * s.killed) / Math.max(1, s.killed + s.survived);

function page(scores: Record<string, Score>): string {
  const rows = Object.entries(scores).map(
    ([part, s]) =>
      `| ${part} | ${s.killed + s.survived} | ${s.killed} | ${share(s).toFixed(1)} % | ${s.date} | ${s.minutes} |`,
  );
  return `# Do the unit tests notice a change?

Written by \`npm run mutate\`. [Stryker](https://stryker-mutator.io) changes the pure code of a part, one small change at a time, and runs the fast unit tests of that part (lab/mutation/parts.ts names them). A change that no test notices survives: the tests would not notice a programmer's mistake there either. At least ${LEAST} % must be noticed. Words that only people read (reasons, remedies) are changed as well. Minutes are those of the last run, which tries only what has changed since the one before: a first one takes up to an hour for the largest parts.

| Part | Changes | Noticed | Score | Date | Minutes |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, words } = parseWords(argv, { survivors: { type: "boolean" } });
  const unknown = words.filter((w) => !(w in PARTS));
  if (unknown.length) throw new UsageError(`no part ${unknown.join(", ")}`);
  const chosen = words.length ? words : Object.keys(PARTS);
  if (values.survivors) {
    chosen.forEach(printSurvivors);
    return;
  }
  install();
  fs.mkdirSync(CACHE, { recursive: true });
  const kept = new Kept<Record<string, Score>>("mutation.json", {});
  for (const name of chosen) {
    console.log(`\n${name}: ${pureFiles(PARTS[name]!).length} files`);
    const start = Date.now();
    const code = await stryker(name, PARTS[name]!);
    if (code !== 0) throw new Error(`Stryker ended with ${code} for ${name}`);
    const score = scoreOf(name, Math.max(1, Math.round((Date.now() - start) / 60_000)));
    printSurvivors(name);
    console.log(`${name}: ${score.killed} of ${score.killed + score.survived} noticed, ${share(score).toFixed(1)} %`);
    const all = { ...kept.read(), [name]: score };
    const sorted = Object.fromEntries(Object.keys(PARTS).flatMap((p) => (all[p] ? [[p, all[p]]] : [])));
    kept.write(sorted);
    fs.writeFileSync(path.join(PROOF, "mutation.md"), page(sorted));
    if (share(score) < LEAST) process.exitCode = 1;
  }
}

runMain(USAGE, main);
