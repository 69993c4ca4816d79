/** `npm run bench`: the cost of planning and rendering at five sizes, each in its own process. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, runMain } from "./arguments";

const USAGE = `npm run bench
  Prints what planning and rendering cost, each in a process of its own, at five sizes. It takes no options.`;

const ROOT = path.resolve(__dirname, "..");
const SIZES = [100, 1_000, 5_000, 10_000, 20_000];

/** Runs in the child: evaluates (and renders) one size and reports its own cost. */
async function child(ccu: number): Promise<void> {
  const { evaluate } = await import("./evaluate");
  const { renderFiles, writeFiles } = await import("./render");
  const { exampleConfig } = await import("./exampleStack");
  const { resolveSettings } = await import("../components/settings");
  const config = exampleConfig(ccu);
  const begun = process.hrtime.bigint();
  const evaluation = await evaluate({ stack: "bench", config });
  const evaluated = process.hrtime.bigint();
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-bench-"));
  const files = renderFiles(evaluation, resolveSettings(config, "bench").settings!, false);
  writeFiles(out, files);
  const rendered = process.hrtime.bigint();
  fs.rmSync(out, { recursive: true });
  const ms = (a: bigint, b: bigint): number => Number(b - a) / 1e6;
  console.log(
    JSON.stringify({
      resources: evaluation.resources.length,
      files: files.length,
      evaluateMs: ms(begun, evaluated),
      renderMs: ms(evaluated, rendered),
      peakMiB: process.resourceUsage().maxRSS / 1024,
    }),
  );
}

function timed(args: string[]): { ms: number; stdout: string } {
  const begun = process.hrtime.bigint();
  const done = spawnSync(process.execPath, ["--import", "tsx", ...args], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0) throw new Error(done.stderr || done.stdout);
  return { ms: Number(process.hrtime.bigint() - begun) / 1e6, stdout: done.stdout };
}

function compare(): void {
  console.log("  CCU    plan s   whole render s   evaluate s   write s   resources   files   peak MiB");
  for (const ccu of SIZES) {
    const plan = timed(["cli/plan.ts", "--ccu", String(ccu), "--json"]);
    const whole = timed(["cli/bench.ts", "--child", String(ccu)]);
    const r = JSON.parse(whole.stdout);
    const s = (ms: number): string => (ms / 1000).toFixed(2);
    console.log(
      `${String(ccu).padStart(6)}${s(plan.ms).padStart(9)}${s(whole.ms).padStart(17)}${s(r.evaluateMs).padStart(13)}${s(r.renderMs).padStart(10)}${String(r.resources).padStart(12)}${String(r.files).padStart(8)}${r.peakMiB.toFixed(0).padStart(11)}`,
    );
  }
}

async function main(argv: string[]): Promise<void> {
  // The command itself gives --child, to the process that measures one size.
  const size = argv[0] === "--child" ? parse(argv, { child: { type: "string" } }).child : undefined;
  if (size !== undefined) return child(Number(size));
  parse(argv, {});
  compare();
}

if (require.main === module) runMain(USAGE, main);
