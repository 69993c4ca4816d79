// Stryker's configuration for one part; lab/mutation/run.ts names the part's files in the environment.
import { fileURLToPath } from "node:url";

const { MUTATE, SPEC, REPORT, INCREMENTAL } = process.env;

export default {
  testRunner: "mocha",
  plugins: [fileURLToPath(import.meta.resolve("@stryker-mutator/mocha-runner"))],
  coverageAnalysis: "perTest",
  mochaOptions: { config: ".mocharc.json", spec: JSON.parse(SPEC) },
  mutate: JSON.parse(MUTATE),
  reporters: ["progress-append-only", "json", "clear-text"],
  clearTextReporter: { logTests: false, allowColor: false },
  jsonReporter: { fileName: REPORT },
  // What was tried before and has not changed since is not tried again.
  incremental: true,
  incrementalFile: INCREMENTAL,
  tempDirName: ".stryker",
  // A mutant that makes a loop endless ends after this time; tests of properties take seconds.
  timeoutMS: 20_000,
  concurrency: 1,
};
