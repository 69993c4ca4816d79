/** Checks of the namespaces of all appservices. An overlap is reported only with a name that shows it. Pure. */
import type { CheckInput } from "../../../core/layer";
import type { Registered } from "./checks";
import { pythonRegex, pythonRegexProblem } from "./pythonRegex";

/** An expression, and where it is. */
export interface NamespaceEntry {
  regex: string;
  exclusive: boolean;
  path: string;
}

/** First characters of what the expressions are compared with. */
const BEGINS = { users: "@", aliases: "#", rooms: "!" } as const;
type Kind = keyof typeof BEGINS;
const KINDS = Object.keys(BEGINS) as Kind[];
const WHAT: Record<Kind, string> = { users: "user ids", aliases: "room aliases", rooms: "room ids" };

/** Names of people, which no bridge has to itself. */
const PEOPLE = ["alice", "bob.smith", "zoe-42", "q7"];

export function checkNamespaces(all: Registered[], given: CheckInput): void {
  for (const r of all) for (const kind of KINDS) for (const entry of r[kind]) checkEntry(entry, kind, given);
  const exclusive = all.flatMap((r) =>
    (["users", "aliases"] as const).flatMap((kind) =>
      r[kind].filter((e) => e.exclusive && compiles(e)).map((entry) => ({ r, kind, entry })),
    ),
  );
  exclusive.forEach((mine, i) => {
    for (const other of exclusive.slice(0, i)) {
      if (other.kind !== mine.kind || other.r === mine.r) continue;
      const both = witness(mine.entry.regex, other.entry.regex);
      if (both === undefined) continue;
      given.report.add(
        {
          path: mine.entry.path,
          given: `${shown(mine.r, mine.entry)}, which has ${both} in common with ${other.entry.path}`,
          allowed: `${WHAT[mine.kind]} that no other appservice has for itself`,
          remedy: "give each its own beginning, or set exclusive: false where both take part",
        },
        [other.entry.path],
      );
      return;
    }
  });
  checkSenders(all, given);
}

const compiles = (e: NamespaceEntry): boolean => pythonRegexProblem(e.regex) === undefined;
/** A text of a secret registration is not shown. */
const shown = (r: Pick<Registered, "registration">, e: NamespaceEntry): string =>
  r.registration === undefined ? JSON.stringify(e.regex) : "a registration (not shown)";

function checkEntry(entry: NamespaceEntry, kind: Kind, { settings, report }: CheckInput): void {
  const given = entry.path.endsWith(".registration")
    ? "a registration (not shown) with one"
    : JSON.stringify(entry.regex);
  const problem = pythonRegexProblem(entry.regex);
  if (problem) {
    report.add({
      path: entry.path,
      given,
      allowed: `a regular expression of Python: ${problem}`,
      remedy: `write, for example, ${BEGINS[kind]}irc_.*:${settings.serverName.replace(/\./g, "\\.")}`,
    });
    return;
  }
  const plain = entry.regex.replace(/^(\^|\\A)/, "");
  if (/^[A-Za-z0-9_]/.test(plain)) {
    report.add({
      path: entry.path,
      given,
      allowed: `${WHAT[kind]}, which begin with ${BEGINS[kind]}: this expression matches none`,
      remedy: `write ${BEGINS[kind]}${plain}`,
    });
    return;
  }
  if (!entry.exclusive || kind === "rooms") return;
  const server = serverOf(entry.regex);
  if (server !== undefined && server !== settings.serverName)
    report.add({
      path: entry.path,
      given: `${given}, of the server ${server}`,
      allowed: `${WHAT[kind]} of this server, ${settings.serverName}: no others can be made here`,
      remedy: `let it end in :${settings.serverName.replace(/\./g, "\\.")}; or set exclusive: false`,
    });
  else if (kind === "users" && PEOPLE.every((name) => pythonRegex(entry.regex).test(`@${name}:${settings.serverName}`)))
    report.add({
      path: entry.path,
      given: `${given}, exclusive, which matches every user of this server`,
      allowed: "a part of the users: nobody else could log in or register with such a name",
      remedy: `give its users a beginning of their own (@irc_.*:${settings.serverName.replace(/\./g, "\\.")}), or set exclusive: false`,
    });
}

/** The server at the end of an expression, where it is written out. */
function serverOf(regex: string): string | undefined {
  const end = /:((?:[A-Za-z0-9-]|\\?\.|\\-)+(?::\d+)?)\$?$/.exec(regex)?.[1];
  const name = end?.replace(/\\/g, "");
  return name === undefined || !/[a-z0-9]/i.test(name) || name === "." ? undefined : name;
}

/** A text that both match, made from one of them; undefined when none is found. */
function witness(a: string, b: string): string | undefined {
  const [ofA, ofB] = [pythonRegex(a), pythonRegex(b)];
  return [...samples(a), ...samples(b)].find((text) => ofA.test(text) && ofB.test(text));
}

/** Texts that an expression likely matches: its wildcards replaced by few and by several characters. */
const samples = (regex: string): string[] =>
  ["", "a", "a1"].map((filling) =>
    regex
      .replace(/^\^|\\A|\$$|\\Z$/g, "")
      .replace(/\(\?P?[<:!=][^()]*?[>:]?(?=[^()]*\))/g, "(")
      .replace(/(\.|\[\^?[^\]]*\]|\\[dwS])([*+?]|\{[^}]*\})/g, filling)
      .replace(/\.(?![*+?{])/g, (dot, at: number, whole: string) => (whole[at - 1] === "\\" ? dot : "."))
      .replace(/\\(.)/g, "$1")
      .replace(/[()]/g, ""),
  );

/** No appservice's own user is another's. */
function checkSenders(all: Registered[], { settings, report }: CheckInput): void {
  for (const r of all) {
    if (r.sender === undefined) continue;
    const user = `@${r.sender}:${settings.serverName}`;
    const taken = all
      .filter((other) => other !== r)
      .flatMap((other) => other.users)
      .find((e) => e.exclusive && compiles(e) && pythonRegex(e.regex).test(user));
    if (taken)
      report.add(
        {
          path: r.registration ?? `${r.path}.senderLocalpart`,
          given: `${user}, which ${taken.path} has for another appservice`,
          allowed: "a name that no other appservice has for itself",
          remedy: "choose another name, or narrow that expression",
        },
        [taken.path],
      );
  }
}
