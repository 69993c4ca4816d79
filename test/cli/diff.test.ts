/** A changed text, as `npm run diff` shows it. */
import assert from "node:assert/strict";
import { lineDiff } from "../../cli/diff";

const text = (...lines: string[]): string => lines.join("\n");

describe("a changed text is shown", () => {
  it("place by place, the old lines beside the new ones", () =>
    assert.deepEqual(
      lineDiff(text("a: 1", "b: 2", "  c: 3", "d: 4"), text("a: 5", "b: 2", "  c: 6", "  e: 7", "d: 4")),
      ["- a: 1", "+ a: 5", "- c: 3", "+ c: 6", "+ e: 7"],
    ));

  it("with lines that only move, or come a second time", () => {
    assert.deepEqual(lineDiff(text("a", "b", "c"), text("b", "c", "a")), ["- a", "+ a"]);
    assert.deepEqual(lineDiff(text("a", "b"), text("a", "b", "a")), ["+ a"]);
  });

  it("by the words of a line that is long, where no short one changes beside it", () => {
    const list = (...addresses: string[]): string => `denied-addresses ${addresses.join(", ")}, and ${"x".repeat(100)}`;
    assert.deepEqual(lineDiff(text("a", list("10.0.0.1", "10.0.0.2")), text("b", list("10.0.0.1", "10.0.0.3"))), [
      "- a",
      `- ${list("10.0.0.1", "10.0.0.2")}`,
      "+ b",
      `+ ${list("10.0.0.1", "10.0.0.3")}`,
    ]);
    assert.deepEqual(lineDiff(text("a", list("10.0.0.1", "10.0.0.2")), text("a", list("10.0.0.1", "10.0.0.3"))), [
      "in denied-addresses 10.0.0.1, 10....: - 10.0.0.2 + 10.0.0.3",
    ]);
  });

  it("only so far that it can be read", () => {
    const lines = lineDiff("", text(...Array.from({ length: 40 }, (_, i) => `line ${i}`)));
    assert.equal(lines.length, 17);
    assert.equal(lines.at(-1), "... 25 more lines");
  });
});
