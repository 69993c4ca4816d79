/** CHANGELOG.md, which operators and `npm run diff` read. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { releasesOf } from "../../cli/changelog";
import { VERSION } from "../../components/core/version";

const ROOT = path.join(__dirname, "../..");
const releases = releasesOf(fs.readFileSync(path.join(ROOT, "CHANGELOG.md"), "utf8"));
const released = releases.filter((r) => r.version !== "Unreleased");

describe("CHANGELOG.md", () => {
  it("begins with what is not released; its newest release is the version of package.json and package-lock.json", () => {
    assert.equal(releases[0]!.version, "Unreleased");
    const at = (file: string): string => JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8")).version;
    assert.deepEqual([released[0]!.version, at("package.json"), at("package-lock.json")], [VERSION, VERSION, VERSION]);
  });

  it("has no heading of a release that cannot be read", () => {
    const headings = fs.readFileSync(path.join(ROOT, "CHANGELOG.md"), "utf8").match(/^## .*$/gm)!;
    assert.equal(headings.length, releases.length, headings.join(", "));
  });

  for (const { version, date, saysWhat } of releases)
    it(`${version} says what operators must do, or "Nothing"${version === "Unreleased" ? "" : ", and has a date"}`, () => {
      assert.ok(saysWhat, `give ${version} the heading "### Operators must" with points, or "- Nothing."`);
      assert.equal(date === undefined, version === "Unreleased");
    });

  it("has the newest first, and no version twice", () => {
    const versions = released.map((r) => r.version);
    assert.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => b.localeCompare(a, "en", { numeric: true })),
    );
  });

  it("is the version that the commands print", () =>
    assert.equal(
      execFileSync(process.execPath, ["--import", "tsx", "cli/plan.ts", "--version"], { cwd: ROOT }).toString(),
      `${VERSION}\n`,
    ));
});
