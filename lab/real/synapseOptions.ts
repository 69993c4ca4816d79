/**
 * The options of Synapse's configuration, from its own documentation of this version, which Synapse generates from its
 * schema (scripts-dev/gen_config_documentation.py; the schema itself is not on PyPI), and from what its code asks a
 * configuration for: some options are in no documentation.
 */
import { parse } from "yaml";
import type { SynapseOption, SynapseOptions } from "../../components/layers/synapse/extra/options";

const SUB_OPTIONS = "This setting has the following sub-options:",
  ENTRIES = "Options for each entry include:";

/** A bullet of the documentation, `name` (type): text; or the beginning of an option, which has its type below it. */
interface Node {
  indent: number;
  option: SynapseOption;
}

/** Types that are written in one way only; of the others any text or number may be meant. */
function typesOf(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const types = text.split("|").map((type) => type.trim());
  const known = ["array", "boolean", "integer", "null", "number", "object", "string", "duration", "byte size", "size"];
  const strange = types.find((type) => !known.includes(type));
  if (strange !== undefined) throw new Error(`Synapse's documentation names an unknown type: ${strange}`);
  return types.map((type) => (type === "byte size" ? "size" : type));
}

const withType = (types: string[] | undefined): SynapseOption => (types === undefined ? {} : { type: types.join("|") });

/** An option has its type at the beginning of its first paragraph. */
function takeType(option: SynapseOption, line: string): void {
  const own = /^\*\(([^)]*)\)\*/.exec(line);
  if (own && option.type === undefined) Object.assign(option, withType(typesOf(own[1])));
}

/** The lines that are in no block of code. */
function prose(markdown: string): string[] {
  let code = false;
  return markdown.split("\n").filter((line) => {
    const fence = /^ *```/.test(line);
    if (fence) code = !code;
    return !code && !fence;
  });
}

/** The options that the documentation lists, with all that it says of what is in them. */
export function documentedTree(markdown: string): Record<string, SynapseOption> {
  const found: Record<string, SynapseOption> = {};
  let stack: Node[] = [];
  /** Where bullets of this indentation are sub-options, and of what. */
  let lists: Array<{ indent: number; into: Record<string, SynapseOption> }> = [];
  for (const line of prose(markdown)) {
    const heading = /^### `([a-z0-9_]+)`$/.exec(line);
    if (heading) {
      const option: SynapseOption = {};
      found[heading[1]!] = option;
      stack = [{ indent: -1, option }];
      lists = [];
      continue;
    }
    // Another heading is no option.
    if (/^#{1,3} /.test(line)) stack = [];
    if (stack.length === 0) continue;
    if (stack.length === 1) takeType(stack[0]!.option, line);
    const indent = /^ */.exec(line)![0].length,
      text = line.trim();
    if (text === SUB_OPTIONS || text === ENTRIES) {
      while (stack.at(-1)!.indent >= indent) stack.pop();
      lists = lists.filter((l) => l.indent < indent);
      const { option } = stack.at(-1)!,
        into = {};
      Object.assign(option, text === ENTRIES ? { entries: into } : { options: into });
      lists.push({ indent, into });
      continue;
    }
    const bullet = /^\* `([^`]+)`(?: \(([^)]*)\))?:/.exec(text);
    const at = lists.find((l) => l.indent === indent);
    if (!bullet || !at || !/^[A-Za-z0-9_.@-]+$/.test(bullet[1]!)) continue;
    lists = lists.filter((l) => l.indent <= indent);
    stack = stack.filter((n) => n.indent < indent);
    const option = withType(typesOf(bullet[2]));
    at.into[bullet[1]!] = option;
    stack.push({ indent, option });
  }
  for (const option of Object.values(found)) openModules(option);
  return found;
}

/** What is below `config` beside `module` belongs to the module: the documentation shows that of one of them. */
function openModules({ options, entries }: SynapseOption): void {
  for (const into of [options, entries]) {
    if (into?.module && into.config) into.config = { type: "object" };
    for (const inner of Object.values(into ?? {})) openModules(inner);
  }
}

/** Adds a path that Synapse was seen to read below a section whose options are known: `email.template_dir`. */
function addRead(options: Record<string, SynapseOption>, path: string): void {
  const parts = path.replaceAll("[]", ".[]").split(".");
  let into: Record<string, SynapseOption> | undefined = options;
  for (const [i, part] of parts.entries()) {
    if (into === undefined) return;
    if (part === "[]") continue;
    if (i > 0) into[part] ??= {};
    const option: SynapseOption | undefined = into[part];
    into = parts[i + 1] === "[]" ? option?.entries : option?.options;
  }
}

/** The examples in the documentation, each under its option. */
export function documentedExamples(markdown: string): Array<{ option: string; yaml: string }> {
  return markdown
    .split(/^### /m)
    .slice(1)
    .flatMap((part) => {
      const option = /^`([a-z0-9_]+)`/.exec(part)?.[1];
      if (option === undefined) return [];
      return [...part.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml]) => ({ option, yaml: yaml! }));
    });
}

/** Paths in the examples, as known-keys.json writes them. */
const shown = (markdown: string): string[] =>
  documentedExamples(markdown).flatMap(({ option, yaml }) => {
    const example = parse(yaml) as Record<string, unknown> | null;
    return pathsOf(example?.[option], option);
  });

function pathsOf(value: unknown, at: string): string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => pathsOf(entry, `${at}[]`));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${at}.${key}`, ...pathsOf(inner, `${at}.${key}`)]);
}

/**
 * Prints what the real Synapse asks a configuration for: its top-level options, and those of `experimental_features`.
 * `files` are read as by a process: the main one, and the others.
 */
export const ASKED_PY = `import json, sys
import yaml
from synapse.config.homeserver import HomeServerConfig

asked, experimental = set(), set()


class Heard(dict):
    def __init__(self, values, into):
        super().__init__(values)
        self.into = into

    def __bool__(self):
        return True

    def get(self, key, default=None):
        self.into.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.into.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.into.add(key)
        return super().__contains__(key)

    def pop(self, key, *default):
        self.into.add(key)
        return super().pop(key, *default)


for file in sys.argv[1:]:
    config = Heard(yaml.safe_load(open(file)), asked)
    config["experimental_features"] = Heard(config.get("experimental_features", {}), experimental)
    HomeServerConfig().parse_config_dict(config, "/tmp", "/tmp")
print("OPTIONS", json.dumps({"asked": sorted(asked), "experimental": sorted(experimental)}))
`;

/** What ASKED_PY printed. */
export interface Asked {
  asked: string[];
  experimental: string[];
}

/** The list as it is committed. @param read Paths that Synapse was seen to read (known-keys.json) */
export function optionList(
  version: string,
  markdown: string,
  { asked, experimental }: Asked,
  read: readonly string[],
): SynapseOptions {
  const options = documentedTree(markdown);
  for (const key of asked) options[key] ??= {};
  // Some sub-options are in the documentation's prose and examples only: server_notices.system_mxid_localpart.
  for (const path of [...read, ...shown(markdown)]) addRead(options, path);
  // Features come and go with each version; what the code asks for is all there is of them.
  options.experimental_features = {
    type: "object",
    options: Object.fromEntries(experimental.map((name) => [name, {}])),
  };
  const sorted = Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    synapse: version,
    source:
      "docs/usage/configuration/config_documentation.md of matrix-synapse's source on PyPI, and what its code asks a configuration for; written by test/real/synapseOptions.test.ts with UPDATE_OPTIONS=1",
    options: sorted,
  };
}
