/** The workflow is thin: scripts of this repository, the least permissions, and no secret where none is needed. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

const ROOT = path.join(__dirname, "../..");
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
const workflow = parse(read(".github/workflows/preview.yml"));
const jobs: Record<string, any> = workflow.jobs;
const steps = Object.entries(jobs).flatMap(([job, j]) => j.steps.map((s: any) => ({ job, ...s })));

describe("the workflow of the preview", () => {
  it("runs `npm ci` and scripts of the repository, nothing else", () => {
    for (const { run } of steps.filter((s) => s.run && s.run !== "npm ci")) {
      const [, script] = /^(?:npx tsx )?(scripts\/preview\/[\w.]+)( "\$STACK")?$/.exec(run) ?? [];
      assert.ok(script && fs.existsSync(path.join(ROOT, script)), run);
    }
  });
  it("puts no expression into a command: names of files and branches are others' words", () => {
    for (const { run } of steps) assert.ok(!run?.includes("${{"), run);
  });
  it("may write in the job that comments alone, and there only to pull requests", () => {
    assert.deepEqual(workflow.permissions, { contents: "read" });
    for (const [name, job] of Object.entries(jobs))
      assert.deepEqual(
        job.permissions,
        name === "comment" ? { contents: "read", "pull-requests": "write" } : undefined,
        name,
      );
  });
  it("runs on pull_request: never with the base's rights over a fork's code", () =>
    assert.equal(workflow.on, "pull_request"));
  it("hands secrets to the engine's step alone", () => {
    for (const s of steps)
      assert.equal(JSON.stringify(s).includes("secrets."), s.name === "Engine's preview", s.name ?? s.uses);
    assert.ok(!JSON.stringify({ ...workflow, jobs: {} }).includes("secrets."));
  });
  it("pins each action to its major version, as the other workflow does", () => {
    const elsewhere = new Map(
      [...read(".github/workflows/ci.yml").matchAll(/uses: (\S+)@(\S+)/g)].map(([, name, version]) => [
        name!,
        version!,
      ]),
    );
    for (const { uses } of steps.filter((s) => s.uses)) {
      const [name, version] = uses.split("@");
      assert.match(version, /^v\d+$/);
      assert.equal(version, elsewhere.get(name) ?? version, uses);
    }
  });
  it("installs the engine of the version that the program is written for", () =>
    assert.equal(
      steps.find((s) => s.uses?.startsWith("pulumi/actions"))!.with["pulumi-version"],
      JSON.parse(read("package.json")).dependencies["@pulumi/pulumi"],
    ));
  it("previews the stacks that have a file, whatever they are called", () =>
    assert.equal(jobs.preview.strategy.matrix.stack, "${{ fromJSON(needs.stacks.outputs.stacks) }}"));
});
