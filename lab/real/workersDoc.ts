/** Parses Synapse's docs/workers.md: the path patterns under each heading, and requests that match them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { SYNAPSE_SOURCE } from "./programs";

export interface Documented {
  pattern: string;
  section: string;
  getOnly: boolean;
}

export function documentedEndpoints(): Documented[] {
  const out: Documented[] = [];
  let heading = "",
    group = "",
    getOnly = false;
  for (const line of fs.readFileSync(path.join(SYNAPSE_SOURCE, "docs/workers.md"), "utf8").split("\n")) {
    const h = /^#+ (.*)/.exec(line);
    if (h) {
      heading = h[1]!;
      group = "";
      getOnly = false;
      continue;
    }
    if (/^Additionally, the following REST endpoints can be handled for GET requests/.test(line)) getOnly = true;
    else if (/^Pagination requests|^Additionally, the following endpoints should be included if/.test(line))
      getOnly = false;
    const g = /^ {4}# (.*)/.exec(line);
    if (g) group = g[1]!;
    const p = /^ {4}(\^\/\S+)$/.exec(line);
    if (p) out.push({ pattern: p[1]!, section: [heading, group].filter(Boolean).join(", "), getOnly });
  }
  return out;
}

const split = (text: string): string[] => {
  const out: string[] = [];
  let depth = 0,
    at = "";
  for (const ch of text) {
    if (ch === "(") depth += 1;
    if (ch === ")") depth -= 1;
    if (ch === "|" && depth === 0) {
      out.push(at);
      at = "";
    } else at += ch;
  }
  return [...out, at];
};

/** Strings that a pattern of workers.md matches: every alternative, and each filler in the place of a wildcard. */
export function expand(pattern: string, filler: string): string[] {
  const p = pattern.replace(/^\^/, "").replace(/\$$/, "");
  const group = (s: string): string[] => {
    const open = s.indexOf("(");
    if (open < 0) return [s];
    let depth = 0,
      close = open;
    for (let i = open; i < s.length; i += 1) {
      if (s[i] === "(") depth += 1;
      if (s[i] === ")") {
        depth -= 1;
        if (depth === 0) {
          close = i;
          break;
        }
      }
    }
    const optional = s[close + 1] === "?";
    const inner = split(s.slice(open + 1, close)).flatMap(group);
    const rest = group(s.slice(close + (optional ? 2 : 1)));
    return [...inner, ...(optional ? [""] : [])].flatMap((i) => rest.map((r) => s.slice(0, open) + i + r));
  };
  return [...new Set(group(p))].map((s) =>
    s
      .replace(/\$/g, "")
      .replace(/\[\^\/\]\+|\.\*/g, filler)
      .replace(/\\/g, ""),
  );
}
