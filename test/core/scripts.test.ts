/** The scripts that stand beside the components: each has its one user, and goes out whole. */
import { strict as assert } from "node:assert";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { scriptFrom, verbatim, type ScriptValue } from "../../components/core/scripts";
import { evaluated, tier } from "../../lab/common/tiers";
import { problems, pythonFiles } from "../../scripts/lint-python";
import { centreConfig } from "../helpers/dataCentres";

const ROOT = resolve(__dirname, "../../components");
const files = (readdirSync(ROOT, { recursive: true }) as string[]).map((f) => join(ROOT, f));
const scripts = files.filter((f) => /\.(sh|py)$/.test(f));
const name = (file: string): string => relative(ROOT, file);
const read = (file: string): string => readFileSync(file, "utf8");

describe("scriptFrom", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "matrix-ha-scripts-"))));
  after(() => rmSync(dir, { recursive: true }));
  const from = (text: string, values: Record<string, ScriptValue> = {}): string => {
    writeFileSync(join(dir, "a.sh"), text);
    return scriptFrom(dir, "a.sh", values);
  };

  it("puts words in wherever they stand, and lines in place of a comment", () => {
    assert.equal(
      from("a '@A@' \"@A@\" user@@A@ $@\n  # @B@\n# @C@\n# @D@\nend\n", {
        A: "x-1.y:2/z",
        B: verbatim("  $& one\n  two"),
        C: verbatim("three\n"),
        D: verbatim(""),
      }),
      "a 'x-1.y:2/z' \"x-1.y:2/z\" user@x-1.y:2/z $@\n  $& one\n  two\nthree\nend\n",
    );
  });
  it("takes what another file says, with its values, and leaves the linter's lines behind", () => {
    writeFileSync(join(dir, "b.sh"), "# shellcheck shell=bash\nb=@B@\n");
    const text = "#!/bin/bash\n. ./b.sh\n  # shellcheck disable=SC2034 # a reason\n  a=@A@\n";
    assert.equal(from(text, { A: 1, B: 2 }), "#!/bin/bash\nb=2\n  a=1\n");
  });
  it("puts nothing into what it has put in", () => {
    assert.equal(from("@A@ @B@\n", { A: verbatim("@B@"), B: "b" }), "@B@ b\n");
  });
  it("refuses a placeholder without a value, by its name", () => {
    assert.throws(() => from("a @A@ @B@\n", { A: 1 }), /a\.sh: @B@ has no value\. Given are A: give B too/);
    assert.throws(() => from("@toString@ @CONSTRUCTOR@\n"), /@CONSTRUCTOR@ has no value\. Given are none/);
  });
  it("refuses a value without a placeholder", () => {
    assert.throws(() => from("a @A@\n", { A: 1, B: 2, C: 3 }), /there is no @B@, @C@ in it\. It has A: correct/);
  });
  for (const value of [
    "a b",
    "a'",
    'a"',
    "$a",
    "`a`",
    "a\nb",
    "a\\",
    "a;b",
    "a*",
    "a&b",
    "a#b",
    "@B@",
    "a|b",
    "(a)",
    "é",
  ])
    it(`refuses ${JSON.stringify(value)}, which could end the quoting`, () => {
      assert.throws(
        () => from('a "@A@"\n', { A: value }),
        (e: Error) => e.message.includes(`a.sh: @A@ is ${JSON.stringify(value)}: letters, digits`),
      );
    });
  it("refuses an empty word where it would be none, and takes it within one", () => {
    assert.throws(() => from("a @A@ b\n", { A: "" }), /@A@ is "": an empty word would be no word/);
    assert.throws(() => from("a @A@\n", { A: "" }), /an empty word/);
    assert.equal(from('a @A@/etc "@A@"\n', { A: "" }), 'a /etc ""\n');
  });
  it("refuses a number that is none, and a word in place of lines", () => {
    assert.throws(() => from("a @A@\n", { A: NaN }), /a number must be finite/);
    assert.throws(() => from("# @A@\n", { A: "b" }), /@A@ stands on a line of its own and is "b": only verbatim/);
  });
});

describe("the scripts of the components", () => {
  const CALL = /scriptFrom\(\s*__dirname,\s*"([^"]+)"/g;
  /** By file: who reads it, and which scripts beside it take it in. */
  const readers = new Map<string, string[]>();
  const takers = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, file: string, by: string): unknown =>
    map.set(file, [...(map.get(file) ?? []), by]);
  const typescript = files.filter((f) => f.endsWith(".ts") && name(f) !== join("core", "scripts.ts"));
  for (const file of typescript)
    for (const [, script] of read(file).matchAll(CALL)) note(readers, join(dirname(file), script!), file);
  for (const file of scripts)
    for (const [, script] of read(file).matchAll(/^\. \.\/(\S+)$/gm)) note(takers, join(dirname(file), script!), file);

  it("are each read once, by TypeScript beside them, or taken in by scripts beside them", () => {
    assert.ok(scripts.length > 20);
    const wrong = scripts.filter((f) => (readers.get(f)?.length ?? 0) + (takers.has(f) ? 1 : 0) !== 1);
    assert.deepEqual(wrong.map(name), []);
  });
  it("exist for each reader, and are read in no other way", () => {
    const missing = [...readers.keys(), ...takers.keys()].filter((f) => !scripts.includes(f));
    assert.deepEqual(missing.map(name), []);
    const calls = typescript.map(
      (f) => [name(f), read(f).split("scriptFrom(").length - 1, [...read(f).matchAll(CALL)].length] as const,
    );
    assert.deepEqual(
      calls.filter(([, all, literal]) => all !== literal),
      [],
    );
  });
  it("go out with every value in its place, and reach a stack", async () => {
    const out: string[] = [];
    const strings = (value: unknown): void => {
      if (typeof value === "string") out.push(value);
      else if (value && typeof value === "object") Object.values(value).forEach(strings);
    };
    // The placeholder stands for a certificate, as in a preview without the passphrase.
    const more = {
      trustedAuthorities: "[encrypted by pulumi]",
      appservices: [{ id: "irc", url: "https://irc.example.com", senderLocalpart: "irc" }],
      ldap: { uris: ["ldaps://ldap.example.com"], base: "dc=example,dc=com" },
    };
    const configs = [
      tier(1_000, { federation: true, more }).config,
      tier(100, { more: { firewall: { enabled: false } } }).config,
      centreConfig("dc1"),
    ];
    for (const config of configs)
      for (const resource of (await evaluated(config)).evaluation.resources) strings(resource.inputs);
    const leftover = out.flatMap((text) => text.match(/^.*(@[A-Z][A-Z0-9_]*@|# shellcheck |^\. \.\/).*$/gm) ?? []);
    assert.deepEqual(leftover, []);
    for (const file of scripts) {
      const plain = read(file)
        .split("\n")
        .filter((line) => !/# shellcheck |^\. \.\//.test(line))
        .flatMap((line) => line.split(/@[A-Z][A-Z0-9_]*@/));
      const longest = plain.reduce((a, b) => (b.length > a.length ? b : a), "");
      assert.ok(longest.length > 10, `${name(file)} has no line to look for`);
      assert.ok(
        out.some((text) => text.includes(longest)),
        `no stack has ${name(file)}: ${longest}`,
      );
    }
  });
});

describe("npm run lint, of Python", () => {
  it("sees every file, of the components and of the lab", () => {
    const found = pythonFiles();
    for (const file of scripts.filter((f) => f.endsWith(".py")))
      assert.ok(found.includes(relative(join(ROOT, ".."), file)), file);
    assert.ok(found.includes("lab/images/mkimage.py"));
  });
  it("finds what is unused, what cannot be read, and what has another form", () => {
    const [first, ...rest] = problems("lab/a.py", "import os\n");
    assert.match(first!, /^lab\/a\.py:1:8: F401 /);
    assert.deepEqual(rest, []);
    assert.match(problems("lab/a.py", "def (\n")[0]!, /^lab\/a\.py:1:5: invalid-syntax /);
    assert.deepEqual(problems("lab/a.py", "a = 'b'\n"), ["lab/a.py: is not in ruff's format. Run npm run format."]);
    assert.deepEqual(problems("lab/a.py", 'a = "b"\n'), []);
  });
});
