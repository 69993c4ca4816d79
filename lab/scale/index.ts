/**
 * `npm run test:scale`: every size on a real control plane (lab/scale/arguments.ts). Each part runs in a process and in
 * namespaces of its own, and hands back its result as a file.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runMain } from "../../cli/arguments";
import { PROOF, ROOT } from "../common/folders";
import { provideParts } from "../engine/parts";
import { Kept } from "../proof/kept";
import { inOwnNamespaces } from "../real/namespaces";
import { readArguments, USAGE, type Request } from "./arguments";
import { PROGRAMS } from "./controlPlane";
import { runGrowth, type GrowthResult } from "./growth";
import { faultsIn, scalePage, type Proof } from "./page";
import { runSize, type SizeOptions, type SizeResult } from "./size";
import { versions } from "./versions";

/** What a process of a part is told. */
const PART = "MATRIX_HA_SCALE_PART";

type Part = { result: string } & (
  { kind: "size"; ccu: number; options: SizeOptions } | { kind: "growth"; from: number; to: number }
);

const say = (line: string): void => console.log(`  ${line}`);

async function runPart(part: Part): Promise<void> {
  const result =
    part.kind === "size" ? await runSize(part.ccu, part.options, say) : await runGrowth(part.from, part.to, say);
  fs.writeFileSync(part.result, JSON.stringify(result));
}

/** The part in its own process. @throws where it ended before it had a result */
function inItsOwn<T>(part: Omit<Part, "result">): T {
  const result = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-scale-")), "result.json");
  try {
    const done = spawnSync("unshare", inOwnNamespaces("scale", [process.execPath, "--require", "tsx", __filename]), {
      stdio: "inherit",
      env: { ...process.env, [PART]: JSON.stringify({ ...part, result }) },
    });
    if (!fs.existsSync(result)) throw new Error(`it ended with ${done.status ?? done.signal} and without a result`);
    return JSON.parse(fs.readFileSync(result, "utf8"));
  } finally {
    fs.rmSync(path.dirname(result), { recursive: true, force: true });
  }
}

function build(request: Request): void {
  if (request.built) return;
  const done = spawnSync("bash", [path.join(ROOT, "lab/build.sh"), ...PROGRAMS], { stdio: "inherit" });
  if (done.status !== 0) throw new Error(`lab/build.sh ended with ${done.status ?? done.signal}`);
  if (!request.apply) provideParts();
}

/** Of a size by the engine and of growth, measured on 2 cores of which other work took the half. */
const MINUTES = { size: 4, apply: 2, growth: 8 };

function run(request: Request): void {
  build(request);
  const kept = new Kept<Proof>("scale.json", { sizes: {}, versions: {}, machine: "" });
  const proof = kept.read();
  const sizes = request.each ? request.sizes : [];
  const parts = sizes.length + (request.growth ? 1 : 0);
  const minutes = sizes.length * (request.apply ? MINUTES.apply : MINUTES.size) + (request.growth ? MINUTES.growth : 0);
  console.log(`${parts} parts, about ${minutes} minutes on two cores`);
  const faults: string[] = [];
  let number = 0;
  const part = <T extends SizeResult | GrowthResult>(
    title: string,
    what: Omit<Part, "result">,
    keep: (r: T & { date: string }) => void,
  ): void => {
    const started = Date.now();
    console.log(`[${++number}/${parts}] ${title}`);
    try {
      const result = inItsOwn<T>(what);
      faults.push(...faultsIn(result).map((f) => `${title}: ${f}`));
      keep({ ...result, date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC" });
    } catch (error) {
      faults.push(`${title}: ${(error as Error).message}`);
    }
    console.log(`[${number}/${parts}] done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  };
  for (const ccu of sizes)
    part<SizeResult>(
      `${ccu} users`,
      { kind: "size", ccu, options: { apply: request.apply, losses: request.losses } } as Part,
      (r) => {
        // What the engine deployed says more.
        if (!request.apply || proof.sizes[ccu]?.by !== "pulumi up") proof.sizes[ccu] = r;
      },
    );
  if (request.growth) {
    const [from, to] = request.growth;
    part<GrowthResult>(`from ${from} users to ${to} and back`, { kind: "growth", from, to } as Part, (r) => {
      proof.growth = r;
    });
  }
  proof.versions = versions();
  proof.machine = `${os.cpus().length} cores and ${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  kept.write(proof);
  fs.writeFileSync(path.join(PROOF, "scale.md"), scalePage(proof));
  for (const fault of faults) console.error(`FAULT: ${fault}`);
  console.log(`${parts} parts, ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

async function main(argv: string[]): Promise<void> {
  const request = readArguments(argv);
  if (process.getuid?.() !== 0) throw new Error("test:scale needs root: it makes namespaces");
  run(request);
}

const part = process.env[PART];
if (part === undefined) runMain(USAGE, main);
else
  runPart(JSON.parse(part)).then(
    () => process.exit(0),
    (error: Error) => {
      console.error(error.stack ?? error.message);
      process.exit(1);
    },
  );
