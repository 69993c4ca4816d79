/**
 * `npm run test:real [mocha arguments]`: installs the real programs, enters network, mount and process namespaces of
 * its own (two at once, for two groups of files), runs test/real there, prints what was checked and writes it to
 * docs/proof/real.md. Needs root, on Debian or the like.
 */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { runMain } from "../../cli/arguments";
import { PROOF, ROOT } from "../common/folders";
import { inOwnNamespaces } from "./namespaces";
import { together, type Counted } from "./counts";
import { realPage } from "./page";

const USAGE = `npm run test:real [-- --built] [mocha's own options and files...]
  Runs the stack's configuration in the real programs. Without options and files of mocha all of test/real, and
  docs/proof/real.md is written. Needs root, on Debian or the like.
  --built  takes the images that are there, without a look at their recipes`;

const started = Date.now();

/**
 * Most of the time the tests wait for a program: two groups of files side by side, each in its own namespaces, take
 * half as long on two cores. Routing waits the longest.
 */
const SIDE_BY_SIDE = ["freshSessions", "routing"];

interface Suite {
  suite: string;
  passed: number;
  failed: number;
  pending: number;
  seconds: number;
}
interface Ended extends Counted {
  status: number;
  suites: Suite[];
}

/** Runs these files; their output is printed at once, or, with `later`, when they have ended. */
function runMocha(dir: string, name: string, files: string[], later: boolean): Promise<Ended> {
  const counts = path.join(dir, `${name}-counts.json`),
    report = path.join(dir, `${name}-mocha.json`),
    log = path.join(dir, `${name}.log`);
  const mocha = [
    "node_modules/.bin/mocha",
    "--no-config",
    "-r",
    "tsx",
    "--timeout",
    "300000",
    "--forbid-pending",
    "--forbid-only",
    "--reporter",
    path.join(ROOT, "lab/real/reporter.cjs"),
    ...files,
  ];
  const out = later ? fs.openSync(log, "w") : "inherit";
  const child = spawn("unshare", inOwnNamespaces("real", mocha), {
    cwd: ROOT,
    stdio: ["inherit", out, out],
    env: { ...process.env, REAL_NAMESPACES: "1", REAL_COUNTS: counts, REAL_REPORT: report },
  });
  const json = (file: string, otherwise: any): any =>
    fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : otherwise;
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (later) process.stdout.write(fs.readFileSync(log));
      resolve({ status: status ?? 1, ...json(counts, { counts: {}, once: {}, notes: [] }), suites: json(report, []) });
    });
  });
}

/** What is ours of the command line, and what is mocha's: that comes back as it was given. */
function asked(argv: readonly string[]): { built: boolean; given: string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: { built: { type: "boolean" } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const own = tokens
    .filter((token) => token.kind === "option" && token.rawName === "--built")
    .map(({ index }) => index);
  return { built: own.length > 0, given: argv.filter((_, i) => !own.includes(i)) };
}

/** Seconds that it took. */
function install(built: boolean): number {
  const installed = spawnSync(path.join(ROOT, "lab/real/programs/install.sh"), built ? ["--built"] : [], {
    stdio: "inherit",
  });
  if (installed.status !== 0) process.exit(installed.status ?? 1);
  return (Date.now() - started) / 1000;
}

async function test(given: string[], installSeconds: number): Promise<number> {
  const whole = given.length === 0,
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "real-run-"));
  const all = fs
    .readdirSync(path.join(ROOT, "test/real"))
    .filter((f) => f.endsWith(".test.ts"))
    .sort();
  const aside = all.filter((f) => SIDE_BY_SIDE.some((s) => f.startsWith(`${s}.`))),
    rest = all.filter((f) => !aside.includes(f));
  const at = (f: string): string => `test/real/${f}`;
  if (whole)
    process.stdout.write(
      `two groups side by side, about 10 minutes on 2 cores; ${aside.join(" and ")} are printed when they have ended\n`,
    );
  const ended = await Promise.all(
    whole
      ? [runMocha(dir, "rest", rest.map(at), false), runMocha(dir, "aside", aside.map(at), true)]
      : [runMocha(dir, "given", given, false)],
  );
  const seconds = (Date.now() - started) / 1000;
  // Time on the processors of all that ended (proc(5), cutime and cstime): what the run needs, however busy the machine
  // was.
  const spent = fs
    .readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
    .slice(13, 15)
    .reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
  const load = os.loadavg()[2]!;
  const counts = together(ended),
    notes = [...new Set(ended.flatMap((e) => e.notes))],
    suites = ended.flatMap((e) => e.suites);
  process.stdout.write(
    `\nchecked: ${Object.entries(counts)
      .map(([k, v]) => `${v.toLocaleString("en")} ${k}`)
      .join(
        "; ",
      )}\n${seconds.toFixed(0)} s in all, ${installSeconds.toFixed(0)} s of it for the programs; ${spent.toFixed(0)} s of processor time, load of the machine ${load.toFixed(0)}\n`,
  );
  const status = ended.find((e) => e.status !== 0)?.status ?? 0;
  if (whole && status === 0) {
    fs.mkdirSync(PROOF, { recursive: true });
    fs.writeFileSync(
      path.join(PROOF, "real.md"),
      realPage({ counts, notes, suites, seconds, installSeconds, spent, load }),
    );
  }
  fs.rmSync(dir, { recursive: true });
  return status;
}

async function main(argv: string[]): Promise<void> {
  const { built, given } = asked(argv);
  if (process.getuid?.() !== 0) {
    console.error("test:real needs root: it runs each pod's processes in namespaces, as their own users");
    process.exit(1);
  }
  const status = await test(given, install(built)).catch((error: Error) => {
    console.error(error.message);
    return 1;
  });
  process.exit(status);
}

runMain(USAGE, main);
