/**
 * `npm run test:engine [-- preview,tiers,unchanged,...]`: runs the tests of test/engine, which need the engine, and
 * writes docs/proof/engine.md from their results. The parts on the cluster need `npm run local` first; the last but one
 * takes the stack down and up again.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { runMain } from "../../cli/arguments";
import { ENGINE_TESTS, ON_CLUSTER } from "./engineTests";
import { PROOF_FILE, renderProof, results, type Heading } from "./measured";
import { described, findParts, PLUGINS, provideParts, versionOf } from "../engine/parts";
import { PROOF, ROOT } from "../common/folders";
import { namesFrom, runMocha } from "./mocha";
import { requireCluster } from "../local/kubectl";
import { enter } from "../local/priority";

const USAGE = `npm run test:engine [-- NAME,NAME...]
  Tests the stack under Pulumi's engine and writes docs/proof/engine.md. Without names, all parts, in this order:
  NAME: ${ENGINE_TESTS.join(", ")}
  On the local cluster (\`npm run local\` first): ${ON_CLUSTER.join(", ")}`;
const DIRECTORY = path.join("test", "engine");
const FILE = "engine.json";
const DOCUMENT = path.join(PROOF, "engine.md");
const HEADING: Heading = {
  script: "test:engine",
  title: "The stack under Pulumi's engine",
  against:
    "the stack of `Pulumi.local.yaml` on three nodes, or a stack file without any cluster where it says so, on one machine",
  more: "by `pulumi` as a user types it. The end lists the real parts and the stand-ins; a part with a failed row says so until it is run again",
};

/** Of the Go module that the provider is built from. */
const provider = (): string =>
  /provider\/v4 (\S+)/.exec(fs.readFileSync(path.join(ROOT, "lab/engine/src/kubernetes/go.mod"), "utf8"))![1]!;

function versions(): Record<string, string> {
  const parts = findParts();
  const version = (name: keyof typeof parts, known: string): string =>
    ({
      yours: `${known}, the machine's own`,
      built: `${name === "kubernetes" ? `${provider()}, under the npm package's ${known}` : known}, built from its Go module`,
      "stand-in": `a stand-in of this repository (lab/engine) for ${known}`,
    })[parts[name].origin];
  const cli = spawnSync(parts.pulumi.file!, ["version"], {
    encoding: "utf8",
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  }).stdout?.trim();
  return {
    pulumi: version("pulumi", cli),
    "pulumi-language-nodejs": version("nodejs", cli),
    ...Object.fromEntries(PLUGINS.map((p) => [p, version(p, versionOf(p))])),
    Node: process.version,
  };
}

function test(names: readonly string[]): void {
  const chosen = ENGINE_TESTS.filter((n) => names.length === 0 || names.includes(n));
  if (chosen.some((n) => ON_CLUSTER.includes(n))) requireCluster();
  enter("load");
  console.log(`engine: ${described(provideParts())}`);
  // In the order given, stopping at the first failure: each part builds on the one before.
  process.exitCode = runMocha(
    chosen.map((n) => path.join(DIRECTORY, `${n}.test.ts`)),
    { args: ["--bail", "--timeout", "1800000"], env: { [PROOF_FILE]: FILE } },
  );
  fs.mkdirSync(PROOF, { recursive: true });
  fs.writeFileSync(DOCUMENT, renderProof(results(FILE), versions(), HEADING));
}

async function main(argv: string[]): Promise<void> {
  const names = namesFrom(argv, ENGINE_TESTS);
  try {
    test(names);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

runMain(USAGE, main);
