/**
 * Whether Python's `re` compiles an expression, as near as JavaScript can tell: what only Python has is rewritten, what
 * only JavaScript has is refused. The check Job lets Python itself read every registration before a process does. Pure.
 */

/** Letters that Python accepts behind a backslash; every other ASCII letter is a "bad escape" there. */
const ESCAPES = "AbBdDsSwWZafnrtvxuUN";

interface Rewritten {
  text: string;
  problem?: string;
}

/** What is wrong with it; undefined when it is valid. */
export function pythonRegexProblem(source: string): string | undefined {
  const { text, problem } = rewritten(source);
  if (problem) return problem;
  try {
    new RegExp(text);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: \/[\s\S]*\/\w*: /, "").toLowerCase();
  }
}

/** The expression that matches the same where a text begins, as `re.match` does. @throws SyntaxError for a wrong one */
export function pythonRegex(source: string): RegExp {
  const { text, problem } = rewritten(source);
  if (problem) throw new SyntaxError(problem);
  return new RegExp(`^(?:${text})`, /^\(\?[aLmsux]*i/.test(source) ? "i" : "");
}

/** The expression in JavaScript's words. */
function rewritten(source: string): Rewritten {
  let text = "",
    inSet = false,
    rest = source.replace(/^\(\?[aiLmsux]+\)/, "");
  const take = (n: number, as = rest.slice(0, n)): void => {
    text += as;
    rest = rest.slice(n);
  };
  while (rest !== "") {
    if (rest[0] === "\\") {
      const problem = escape(rest, take);
      if (problem) return { text, problem };
    } else if (inSet) {
      if (rest[0] === "]") inSet = false;
      take(1, rest[0] === "[" ? "\\[" : rest[0]);
    } else if (rest[0] === "[") {
      const opening = /^\[\^?/.exec(rest)![0];
      inSet = true;
      take(opening.length);
      // The first bracket of a set is a member of it.
      if (rest.startsWith("]")) take(1, "\\]");
    } else if (rest.startsWith("(?")) {
      const problem = group(rest, take);
      if (problem) return { text, problem };
    } else if (/^([*+?]|\{\d*,?\d*\})\+/.test(rest)) {
      // Possessive quantifiers match less, never other texts.
      take(/^([*+?]|\{\d*,?\d*\})\+/.exec(rest)![0].length, /^([*+?]|\{\d*,?\d*\})/.exec(rest)![0]);
    } else take(1);
  }
  return { text };
}

/** Rewrites an escape; returns what is wrong with it. */
function escape(rest: string, take: (n: number, as?: string) => void): string | undefined {
  const next = rest[1];
  if (next === undefined) return "it ends in a backslash";
  if (/[A-Za-z]/.test(next) && !ESCAPES.includes(next)) return `Python has no escape \\${next}`;
  take(2, { A: "^", Z: "$", a: "\\x07" }[next] ?? rest.slice(0, 2));
  return undefined;
}

/** Rewrites the beginning of a group that is more than parentheses; returns what is wrong with it. */
function group(rest: string, take: (n: number, as?: string) => void): string | undefined {
  const named = /^\(\?P<([A-Za-z_]\w*)>/.exec(rest),
    back = /^\(\?P=([A-Za-z_]\w*)\)/.exec(rest),
    flags = /^\(\?[aiLmsux]*(-[imsx]+)?:/.exec(rest),
    comment = /^\(\?#[^)]*\)/.exec(rest),
    behind = /^\(\?<[=!]([^)]*)\)/.exec(rest);
  if (named) take(named[0].length, `(?<${named[1]}>`);
  else if (back) take(back[0].length, `\\k<${back[1]}>`);
  else if (flags) take(flags[0].length, "(?:");
  else if (comment) take(comment[0].length, "");
  else if (rest.startsWith("(?>")) take(3, "(?:");
  else if (/^\(\?[=!]/.test(rest)) take(3);
  else if (behind) {
    if (/[*+?{]/.test(behind[1]!.replace(/\\./g, ""))) return "look-behind requires a fixed width in Python";
    take(4);
  } else return `Python has no group ${rest.slice(0, 4)}`;
  return undefined;
}
