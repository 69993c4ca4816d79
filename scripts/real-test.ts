/**
 * `npm run test:real [mocha arguments]`: installs the real programs, enters network, mount and process namespaces of its
 * own, runs test/real there, prints what was checked and writes it to docs/proof/real.md. Needs root, on Debian or the like.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { realPage } from "../test/real/helpers/page";

const root = path.resolve(__dirname, "..");
const started = Date.now();
const fail = (text: string): never => { process.stderr.write(`${text}\n`); process.exit(1); };
if (process.getuid?.() !== 0) fail("test:real needs root: it runs each pod's processes in namespaces, as their own users");

// --built: the images that are there, without a look at their recipes.
const given = process.argv.slice(2).filter((a) => a !== "--built"), whole = given.length === 0;
const installed = spawnSync(path.join(root, "test/real/programs/install.sh"), process.argv.includes("--built") ? ["--built"] : [], { stdio: "inherit" });
if (installed.status !== 0) process.exit(installed.status ?? 1);
const installSeconds = (Date.now() - started) / 1000;

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "real-run-"));
const counts = path.join(dir, "counts.json"), report = path.join(dir, "mocha.json");
const mocha = ["node_modules/.bin/mocha", "--no-config", "-r", "tsx", "--timeout", "300000", "--forbid-pending", "--forbid-only", "--reporter", path.join(root, "test/real/helpers/reporter.cjs"), ...(whole ? ["test/real/*.test.ts"] : given)];
// A /run of its own: were only /run/netns mounted over, an `rmdir /run/netns` elsewhere on the machine would take the mount away.
// The process namespace ends with its first process, and every program of the tests with it.
const run = spawnSync("unshare", ["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c",
  'ip link set lo up; mount -t tmpfs run /run; mkdir /run/netns; exec "$@"', "real", ...mocha], {
  cwd: root, stdio: "inherit", env: { ...process.env, REAL_NAMESPACES: "1", REAL_COUNTS: counts, REAL_REPORT: report },
});
const seconds = (Date.now() - started) / 1000;
// Time on the processors of all that ended (proc(5), cutime and cstime): what the run needs, however busy the machine was.
const spent = fs.readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /, "").split(" ").slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
const load = os.loadavg()[2]!;
if (fs.existsSync(counts)) {
  const { counts: n, notes } = JSON.parse(fs.readFileSync(counts, "utf8")) as { counts: Record<string, number>; notes: string[] };
  const suites = (JSON.parse(fs.readFileSync(report, "utf8")) as Array<{ suite: string; passed: number; failed: number; pending: number; seconds: number }>);
  process.stdout.write(`\nchecked: ${Object.entries(n).map(([k, v]) => `${v.toLocaleString("en")} ${k}`).join("; ")}\n${seconds.toFixed(0)} s in all, ${installSeconds.toFixed(0)} s of it for the programs; ${spent.toFixed(0)} s of processor time, load of the machine ${load.toFixed(0)}\n`);
  if (whole && run.status === 0) {
    fs.mkdirSync(path.join(root, "docs/proof"), { recursive: true });
    fs.writeFileSync(path.join(root, "docs/proof/real.md"), realPage({ counts: n, notes, suites, seconds, installSeconds, spent, load }));
  }
}
fs.rmSync(dir, { recursive: true });
process.exit(run.status ?? 1);
