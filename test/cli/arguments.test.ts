/** What is wrong with a command line is said with what is allowed. */
import assert from "node:assert/strict";
import { parse, parseWords, UsageError } from "../../cli/arguments";

const OPTIONS = {
  stack: { type: "string", short: "s" },
  set: { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;
const ALLOWED = "The options are --stack VALUE, --set VALUE, --json.";

describe("a command line", () => {
  it("gives options, in any of their forms, and the words between them", () => {
    const { values, words } = parseWords(["a", "--stack=x", "--set", "p=1", "b", "--set", "q=2", "--json"], OPTIONS);
    assert.deepEqual({ ...values }, { stack: "x", set: ["p=1", "q=2"], json: true });
    assert.deepEqual(words, ["a", "b"]);
    assert.deepEqual({ ...parse(["-s", "x"], OPTIONS) }, { stack: "x" });
  });

  const wrong: Array<[string[], string]> = [
    [["--stak", "x"], `the option --stak is unknown; did you mean --stack? ${ALLOWED}`],
    [["--frobnicate"], `the option --frobnicate is unknown. ${ALLOWED}`],
    [["-x"], `the option -x is unknown. ${ALLOWED}`],
    [["--stack"], `Option '-s, --stack <value>' argument missing. ${ALLOWED}`],
    [["--json=yes"], `Option '--json' does not take an argument. ${ALLOWED}`],
    [["small", "--json"], '"small" is not expected: write options only, each with -- before its name'],
  ];
  for (const [argv, message] of wrong)
    it(`${argv.join(" ")} is an error of use`, () =>
      assert.throws(
        () => parse(argv, OPTIONS),
        (error: Error) => error instanceof UsageError && error.message === message,
        message,
      ));

  it("of a program without options says so", () =>
    assert.throws(() => parse(["--all"], {}), /the option --all is unknown\. There are no options\./));
});
