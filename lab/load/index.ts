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
import { costText } from "./costs";
import { EXPERIMENTS } from "./experiments";
import { measure } from "./measure";
import { compare } from "./compare";
import { comparisonPage, comparisonPicture } from "./comparePage";
import { capacityPage, type Surroundings } from "./page";
import { startOneProcess, startReal, type Target } from "./realTarget";
import { run } from "./run";
import { reportText } from "./table";

const COSTS = path.join(ROOT, "components/sizing/costs.json");
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
  fs.writeFileSync(COSTS, costText(result.costs));
  fs.writeFileSync(
    path.join(PROOF, "capacity.md"),
    capacityPage({
      ...result,
      versions: await versionsOf(target),
    }),
  );
  say("docs/proof/capacity.md and components/sizing/costs.json are written");
}

async function compared(r: Request): Promise<void> {
  const contenders = [
    { name: "All workers", start: startReal },
    { name: "One process", start: startOneProcess },
  ];
  let versions: Surroundings | undefined;
  const comparison = await compare(
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
  if (r.againstOne) return compared(r);
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

runMain(USAGE, main);
