/**
 * Scripts stand as files beside the TypeScript that uses them, so that linters read them (`npm run check` Python,
 * `npm run lint:scripts` shell). This reads one and puts its values in.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Text that goes into a script as it is: what a renderer made, and quoted where it had to. See `verbatim`. */
export interface Verbatim {
  readonly verbatim: string;
}
/** A word goes wherever its placeholder stands, in any quotes; only verbatim text may hold more than a word. */
export type ScriptValue = string | number | Verbatim;

/** Marks text as the renderer's own work: it is put in unseen. Never for what came from the settings unquoted. */
export const verbatim = (text: string): Verbatim => ({ verbatim: text });

/** The same within no, single and double quotes, in a here-document and in Python: no script can be broken by it. */
const WORD = /^[A-Za-z0-9_.,:/=+%-]*$/;
/** A line with nothing but a placeholder is a comment, for the linters' sake; else it is a word, or a part of one. */
const NAME = "@([A-Z][A-Z0-9_]*)@";
const PLACEHOLDER = new RegExp(`^[ \\t]*# ${NAME}\\n|(?<!\\S)${NAME}(?!\\S)|${NAME}`, "gm");
const INCLUDE = /^\. \.\/([A-Za-z]+\.sh)\n/gm;
const DIRECTIVE = /^[ \t]*# shellcheck .*\n/gm;

/**
 * The text of a script, with its values put in.
 *
 * - `@NAME@` becomes the value, wherever it stands. A word is letters, digits and `_.,:/=+%-`.
 * - A line `# @NAME@` becomes the lines of verbatim text; none where that is empty.
 * - A line `. ./other.sh` becomes that file's text, of the same folder, and takes the same values.
 * - Lines `# shellcheck ...` are for the linter and stay behind.
 *
 * @param directory Where the file is: `__dirname` of the caller.
 * @param values One for each placeholder of the file and of what it includes, by name; no others.
 * @throws When a placeholder has no value or a value no placeholder, and when a value is none that may stand there.
 * @example scriptFrom(__dirname, "start.sh", { PORT: 6379, CALLS: verbatim(calls.join("\n")) })
 */
export function scriptFrom(directory: string, file: string, values: Record<string, ScriptValue> = {}): string {
  const path = join(directory, file);
  const used = new Set<string>();
  const text = withIncludes(directory, file).replace(
    PLACEHOLDER,
    (_, line: string | undefined, word: string | undefined, part: string | undefined) => {
      const name = (line ?? word ?? part) as string;
      used.add(name);
      if (!Object.hasOwn(values, name))
        throw new Error(
          `${path}: @${name}@ has no value. Given are ${listed(Object.keys(values))}: give ${name} too, or take it out of the script.`,
        );
      const value = values[name];
      if (line !== undefined) return lines(path, name, value);
      return typeof value === "object" ? value.verbatim : checkedWord(path, name, value, word === undefined);
    },
  );
  const unknown = Object.keys(values).filter((name) => !used.has(name));
  if (unknown.length)
    throw new Error(
      `${path}: there is no ${unknown.map((n) => `@${n}@`).join(", ")} in it. It has ${listed([...used])}: correct the name, or do not give the value.`,
    );
  return text;
}

const listed = (names: string[]): string => names.join(", ") || "none";

function withIncludes(directory: string, file: string): string {
  return readFileSync(join(directory, file), "utf8")
    .replace(DIRECTIVE, "")
    .replace(INCLUDE, (_, included: string) => withIncludes(directory, included));
}

function lines(path: string, name: string, value: ScriptValue): string {
  if (typeof value !== "object")
    throw new Error(
      `${path}: @${name}@ stands on a line of its own and is ${JSON.stringify(value)}: only verbatim text may go there. Wrap it in verbatim(), or put the placeholder where a word belongs.`,
    );
  const text = value.verbatim;
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function checkedWord(path: string, name: string, value: string | number, mayBeEmpty: boolean): string {
  const text = String(value);
  const refuse = (allowed: string): never => {
    throw new Error(
      `${path}: @${name}@ is ${JSON.stringify(text)}: ${allowed}. Give another value, or quote it where it is made and wrap it in verbatim().`,
    );
  };
  if (typeof value === "number" && !Number.isFinite(value)) refuse("a number must be finite");
  if (!WORD.test(text)) refuse("letters, digits and _.,:/=+%- are allowed, for anything else could end the quoting");
  if (text === "" && !mayBeEmpty) refuse("an empty word would be no word where it stands");
  return text;
}
