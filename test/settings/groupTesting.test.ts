/** Group testing finds each change that has an effect of its own, and claims nothing of the others. */
import assert from "node:assert/strict";
import { piecesOf, seenInGroups, words, type Change } from "../helpers/groupTesting";

type Flags = Record<string, boolean>;
const NAMES = Array.from({ length: 40 }, (_, i) => `flag${i}`);
const CHANGES: Change<Flags>[] = NAMES.map((name) => ({ name, apply: (flags) => ({ ...flags, [name]: true }) }));

/** What is found of an output that is made from the flags, and how often it was made. */
async function found(
  output: (on: (i: number) => boolean) => string[],
  accepted: (on: (i: number) => boolean) => boolean = () => true,
): Promise<{ seen: string[]; made: number }> {
  let made = 0;
  const on =
    (flags: Flags) =>
    (i: number): boolean =>
      flags[`flag${i}`] === true;
  const seen = await seenInGroups<Flags>({
    base: {},
    changes: CHANGES,
    accepted: (flags) => accepted(on(flags)),
    pieces: async (flags) => {
      made++;
      return output(on(flags));
    },
  });
  return { seen: NAMES.filter((name) => seen.has(name)), made };
}

describe("group testing", () => {
  it("finds every change from a few renderings: what appears, and what goes", async () => {
    const { seen, made } = await found((on) => NAMES.map((_, i) => `${i}: ${on(i)}`));
    assert.deepEqual([seen.length, made], [40, 9]);
    assert.equal((await found((on) => NAMES.flatMap((_, i) => (on(i) ? [`${i}`] : [])))).seen.length, 40);
    assert.equal((await found((on) => NAMES.flatMap((_, i) => (on(i) ? [] : [`${i}`])))).seen.length, 40);
  });

  it("does not claim a change without an effect, whatever any two of the others do together", async () => {
    // flag0 has none itself. All others meet in pairs: either, both, one alone; and all in a digest.
    const { seen } = await found((on) => {
      const out = [NAMES.map((_, i) => (i > 0 && on(i) ? 1 : 0)).join("")];
      for (let a = 1; a < 40; a++)
        for (let b = a + 1; b < 40; b++)
          out.push(
            `${a} or ${b}: ${on(a) || on(b)}`,
            `${a} and ${b}: ${on(a) && on(b)}`,
            `${a}, ${b}: ${on(a) !== on(b)}`,
          );
      return out;
    });
    assert.deepEqual(seen, []);
  });

  it("finds behind one that hides others what they do, in a second round", async () => {
    const { seen } = await found((on) =>
      NAMES.map((_, i) => (i > 0 && i < 30 ? `${on(0)} ${i}: ${on(i)}` : `${i}: ${on(i)}`)),
    );
    assert.equal(seen.length, 40);
  });

  it("tries apart what cannot be changed together, and leaves out what cannot be without another", async () => {
    const { seen } = await found(
      (on) => NAMES.map((_, i) => `${i}: ${on(i)}`),
      (on) => !(on(3) && on(7)) && (!on(5) || on(6)),
    );
    assert.deepEqual(
      NAMES.filter((name) => !seen.includes(name)),
      ["flag5"],
    );
  });

  it("has words of one odd weight", () => {
    for (const count of [2, 10, 100, 400]) {
      const { bits, all } = words(count);
      const weights = new Set(all.map((word) => word.toString(2).replaceAll("0", "").length));
      assert.equal(weights.size, 1);
      assert.equal([...weights][0]! % 2, 1);
      assert.ok(all.length >= count && new Set(all).size === all.length && Math.max(...all) < 2 ** bits);
    }
    assert.equal(words(370).bits, 11);
  });

  it("tells equal lines of a text apart by what they are below", () =>
    assert.deepEqual(
      [
        ...piecesOf({
          data: { "a.yaml": "one:\n  - id: 1\n    on: true\ntwo:\n  on: true\n" },
          list: [1, { x: null }],
          none: [],
        }),
      ],
      [
        ".data.a.yaml:one:",
        ".data.a.yaml:one > id: 1",
        ".data.a.yaml:one > on: true",
        ".data.a.yaml:two:",
        ".data.a.yaml:two > on: true",
        ".list[]=1",
        ".list[].x=null",
        ".none=[]",
      ],
    ));
});
