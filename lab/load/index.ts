/**
 * `npm run load`: people use a homeserver that the command makes (lab/load/arguments.ts). Enters the namespaces of
 * test:real itself.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { cpus } from "node:os";
import * as path from "node:path";
import { runMain } from "../../cli/arguments";
import { imageVersion } from "../../components/core/images";
import { IMAGES as SYNAPSE_IMAGES } from "../../components/layers/synapse/images";
import { PROOF, ROOT } from "../common/folders";
import { inOwnNamespaces } from "../real/namespaces";
import { readArguments, USAGE, type Request } from "./arguments";
import { COSTS, costsFrom } from "../../components/sizing/costs";
import { calibrateNode } from "./calibrate";
import { predictions, predictionText, risen, risenText } from "./compare";
import { afterRun, costText } from "./costs";
import { EXPERIMENTS } from "./experiments";
import { foretold } from "./foretell";
import { measure } from "./measure";
import { capacityPage, type Surroundings } from "./page";
import { startOneProcess, startReal, type Target } from "./realTarget";
import { run, type Report } from "./run";
import { sideBySide } from "./sideBySide";
import { comparisonPage, comparisonPicture } from "./sideBySidePage";
import { reportText } from "./table";

const FILE = path.join(ROOT, "components/sizing/costs.json");
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** This program again, in namespaces of its own. */
function inNamespaces(argv: readonly string[], built: boolean): number {
  if (process.getuid?.() !== 0) {
    say("load needs root: it runs each pod's processes in namespaces, as their own users");
    return 1;
  }
  const installed = spawnSync(path.join(ROOT, "lab/real/programs/install.sh"), built ? ["--built"] : [], {
    stdio: "inherit",
  });
  if (installed.status !== 0) return installed.status ?? 1;
  const again = spawnSync(
    "unshare",
    inOwnNamespaces("load", [process.execPath, "--require", "tsx", __filename, ...argv]),
    {
      stdio: "inherit",
      env: { ...process.env, REAL_NAMESPACES: "1" },
    },
  );
  return again.status ?? 1;
}

const versionsOf = async ({ homeserver }: Target): Promise<Surroundings> => ({
  synapse: imageVersion(homeserver.subject.settings, SYNAPSE_IMAGES.synapse),
  postgres: await homeserver.database.sql("show server_version"),
});

async function measured(target: Target, r: Request): Promise<void> {
  const result = await measure(target, {
    seconds: r.step,
    repeats: r.repeats,
    slower: r.slower,
    seed: r.seed,
    only: r.only,
    say,
  });
  if (r.json) fs.writeFileSync(r.json, JSON.stringify(result, null, 1));
  if (r.only) return;
  fs.writeFileSync(FILE, costText(afterRun(result.costs, COSTS)));
  fs.writeFileSync(
    path.join(PROOF, "capacity.md"),
    capacityPage({
      ...result,
      versions: await versionsOf(target),
    }),
  );
  say(
    "docs/proof/capacity.md and components/sizing/costs.json are written; npm run generate makes what follows from them",
  );
}

/** What is in the file, beside what was recorded. @returns the exit code */
export function compared(text: string): { text: string; code: number } {
  const raw = JSON.parse(text) as { kinds?: unknown; costs?: unknown };
  if (raw.kinds !== undefined) {
    const report = raw as unknown as Report;
    const rows = predictions(Object.fromEntries(foretold(COSTS, report)), report);
    return { text: predictionText(rows), code: rows.some((row) => row.wrong) ? 1 : 0 };
  }
  const found = risen(costsFrom(raw.costs ?? raw), COSTS);
  return { text: risenText(found), code: found.length > 0 ? 1 : 0 };
}

/** What needs neither root nor programs; undefined where the request is another. */
function offline(r: Request): { text: string; code: number } | undefined {
  if (r.compare !== undefined) return compared(fs.readFileSync(r.compare, "utf8"));
  if (!r.calibrate) return undefined;
  const seconds = calibrateNode();
  return {
    text: `${seconds.toFixed(4)} CPU seconds, where the machine of the costs took ${COSTS.calibration.node}: coreSpeed: ${(COSTS.calibration.node / seconds).toFixed(2)}`,
    code: 0,
  };
}

async function besideOne(r: Request): Promise<void> {
  const contenders = [
    { name: "All workers", start: startReal },
    { name: "One process", start: startOneProcess },
  ];
  let versions: Surroundings | undefined;
  const comparison = await sideBySide(
    contenders.map(({ name, start }) => ({
      name,
      start: async (tell) => {
        const target = await start(tell);
        versions = await versionsOf(target);
        return target;
      },
    })),
    { users: r.users, rates: r.rates, seconds: r.seconds, seed: r.seed },
    say,
  );
  fs.writeFileSync(
    path.join(PROOF, "one-process.md"),
    comparisonPage(comparison, versions!, { cpu: cpus()[0]!.model, cores: cpus().length }),
  );
  fs.writeFileSync(path.join(PROOF, "one-process.svg"), comparisonPicture(comparison));
  say("docs/proof/one-process.md is written");
}

async function load(r: Request): Promise<void> {
  if (r.againstOne) return besideOne(r);
  const target = await startReal(say);
  try {
    if (r.measure) await measured(target, r);
    else {
      const report = await run(target, { users: r.users, rate: r.rate, seconds: r.seconds, seed: r.seed }, say);
      process.stdout.write(`${reportText(report)}\n`);
      if (r.json) fs.writeFileSync(r.json, JSON.stringify(report, null, 1));
    }
  } finally {
    await target.stop();
  }
}

async function main(argv: string[]): Promise<void> {
  const request = readArguments(
    argv,
    EXPERIMENTS.map((e) => e.id),
  );
  const answer = offline(request);
  if (answer) {
    process.stdout.write(`${answer.text}\n`);
    process.exitCode = answer.code;
    return;
  }
  if (process.env.REAL_NAMESPACES !== "1") {
    process.exitCode = inNamespaces(argv, request.built);
    return;
  }
  await load(request).then(
    () => process.exit(0),
    (error: Error) => {
      say(error.stack ?? error.message);
      process.exit(1);
    },
  );
}

if (require.main === module) runMain(USAGE, main);
