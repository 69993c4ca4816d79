import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { yamlText } from "../../components/core/yaml";

describe("YAML of every generated file", () => {
  const words = [
    "=",
    "<<",
    "on",
    "y",
    "No",
    "012",
    "0o7",
    "1:30",
    "12:30:45",
    "1_000",
    "0b1",
    "1e3",
    ".inf",
    "~",
    "2001-01-01",
    "2001-01-01 12:00:00",
  ];
  it("quotes what a reader of 1.1 or of 1.2 would take for something other than text", () => {
    for (const word of words) {
      assert.equal(yamlText({ a: word }), `a: ${JSON.stringify(word)}\n`);
      assert.equal(yamlText([word]), `- ${JSON.stringify(word)}\n`);
    }
  });
  it("leaves other text as it is, and folds no line", () => {
    const long = "a long line of words ".repeat(20).trim();
    assert.equal(
      yamlText({ name: "synapse-main", long, count: 1, done: true }),
      `name: synapse-main\nlong: ${long}\ncount: 1\ndone: true\n`,
    );
  });
  it("reads the same in both versions, whatever the text", () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."-+.=<~_:0123456789abefnoxyE"), maxLength: 8 }),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{3,8}$/), word), (value) => {
        const text = yamlText(value);
        for (const version of ["1.1", "1.2"] as const) assert.deepEqual(parse(text, { version }), { ...value });
      }),
    );
  });
});
