/** The arguments of `npm run local`. Pure: turns words into a request, or throws an error for the user. */
import { parseArgs } from "node:util";
import { UsageError } from "../../cli/arguments";

export { UsageError };

export const USAGE = `npm run local [-- COMMAND] [options]
  up                      (default) builds what is missing, starts the cluster, deploys Pulumi.local.yaml, prints URLs and a login
  deploy                  only deploys, on a cluster that runs
  down                    stops everything and removes all but the cache of built parts; on a cluster that is not ours,
                          runs \`pulumi destroy\` and lists what that leaves: volumes, namespaces, definitions
  status                  nodes, pods that are not ready, URLs, PostgreSQL primary, Redis masters, the node that holds the address, last backup
  logs [WHAT] [--follow] [--since 10m]
                          of a layer (synapse, postgres, ...), a component (synapse-main, haproxy, ...), a pod, or a node
                          (its journal); without WHAT of everything that the stack runs. --since: 10m unless given
  shell WHAT [command...] in a pod, a component's first pod, or a node (node1)
                          --helper, before WHAT: in a helper container beside the pod's own, for images without a shell
  chaos [list]            the failures that can be caused, each as test:cluster causes it
  chaos NAME              causes one, waits until everything has recovered; Ctrl-C undoes it
  engine ARGS...          pulumi on the local stack, with its state, passphrase and plugins: engine preview --diff, engine refresh,
                          engine stack export. Without ARGS: its parts, and the environment for your own shell
  chaos undo              thaws, reconnects and uncordons every node, whichever failure was caused

Options
  --set path=value        a setting in place of the file's; may be repeated
  --keep                  with up and deploy, lab only: these --set stay for later runs, until others replace them or until down
  --replace NAME          with up and deploy: generates a value again, as \`pulumi up --replace\` does: cluster-tls-key
  --refresh               with up and deploy: first compares the state with the cluster, as \`pulumi up --refresh\` does:
                          needed if an object was deleted by hand
  --expect-no-changes     with up and deploy: fails when anything was changed
  --cluster lab           (default) three nodes made of namespaces on this machine; needs root on Debian
  --cluster kind          a cluster that \`kind\` makes (needs kind, and docker or podman)
  --cluster kubeconfig    a cluster that is there: --kubeconfig FILE (default: KUBECONFIG, ~/.kube/config), --context NAME
  --images published      with kind and kubeconfig, default: the images of components/layers/*/images.ts
  --images local          the images that lab/images builds, as Pulumi.local.yaml names them; the nodes must have them
  --registry PREFIX       where \`npm run images -- push PREFIX synapse minio mc\` put the three unpublished images
  --addresses RANGE       free addresses of the nodes' network, for the ingress: 192.0.2.10-192.0.2.20
  --dry-run               with down, kind and kubeconfig: only lists what would be removed
  --yes                   with down, kind and kubeconfig: does not ask`;

export const COMMANDS = ["up", "deploy", "down", "status", "logs", "shell", "chaos", "engine"] as const;
export type Command = (typeof COMMANDS)[number];
export const CLUSTERS = ["lab", "kind", "kubeconfig"] as const;
export type ClusterKind = (typeof CLUSTERS)[number];

export interface Request {
  command: Command;
  /** The words after the command: a layer, a pod, a failure; for `shell` also the command to run. */
  words: string[];
  cluster: ClusterKind;
  sets: string[];
  images?: "published" | "local";
  kubeconfig?: string;
  context?: string;
  registry?: string;
  addresses?: string;
  since: string;
  follow: boolean;
  helper: boolean;
  expectNoChanges: boolean;
  keep: boolean;
  /** Name of a resource whose value is generated again. */
  replace?: string;
  refresh: boolean;
  dryRun: boolean;
  yes: boolean;
  help: boolean;
}

interface Option {
  type: "boolean" | "string";
  short?: string;
  /** The field of the request that it sets; `sets` collects. */
  field: Exclude<keyof Request, "command" | "words">;
  /** The commands that it applies to; default: all. */
  commands?: readonly Command[];
  /** The clusters that it applies to; default: all. */
  clusters?: readonly ClusterKind[];
}

const DEPLOYING: readonly Command[] = ["up", "deploy"];
/** Clusters that this machine does not make of namespaces. */
const OTHERS: readonly ClusterKind[] = ["kind", "kubeconfig"];

const OPTIONS: Record<string, Option> = {
  cluster: { type: "string", field: "cluster" },
  kubeconfig: { type: "string", field: "kubeconfig", clusters: ["kubeconfig"] },
  context: { type: "string", field: "context", clusters: ["kubeconfig"] },
  images: { type: "string", field: "images", commands: DEPLOYING, clusters: OTHERS },
  registry: { type: "string", field: "registry", commands: DEPLOYING, clusters: OTHERS },
  addresses: { type: "string", field: "addresses", commands: DEPLOYING, clusters: OTHERS },
  "dry-run": { type: "boolean", field: "dryRun", commands: ["down"], clusters: OTHERS },
  yes: { type: "boolean", short: "y", field: "yes", commands: ["down"], clusters: OTHERS },
  set: { type: "string", field: "sets", commands: DEPLOYING },
  keep: { type: "boolean", field: "keep", commands: DEPLOYING },
  replace: { type: "string", field: "replace", commands: DEPLOYING },
  refresh: { type: "boolean", field: "refresh", commands: DEPLOYING },
  "expect-no-changes": { type: "boolean", field: "expectNoChanges", commands: DEPLOYING },
  since: { type: "string", field: "since", commands: ["logs"] },
  follow: { type: "boolean", short: "f", field: "follow", commands: ["logs"] },
  helper: { type: "boolean", field: "helper", commands: ["shell"] },
  help: { type: "boolean", short: "h", field: "help" },
};
/** Options before which `engine` does not begin to be pulumi's: they choose the cluster. */
const OWN = ["--cluster", "--kubeconfig", "--context", "--help", "-h"];
/** Most words that a command takes after itself. */
const WORDS: Record<Command, number> = {
  up: 0,
  deploy: 0,
  down: 0,
  status: 0,
  logs: 1,
  shell: Infinity,
  chaos: 1,
  engine: Infinity,
};

export const oneOf = (what: string, word: string, known: readonly string[]): string => {
  if (known.includes(word)) return word;
  throw new UsageError(`${what} "${word}" is unknown; there are ${known.join(", ")}`);
};

/** An option as given. */
interface Given {
  option: Option;
  /** `--yes` or `-y`. */ written: string;
  /** Absent of a flag. */ value?: string;
}

/**
 * What follows `shell WHAT` belongs to the command that is run there, its options too; what follows `engine` belongs to
 * pulumi.
 */
function isOthers(word: string, words: readonly string[]): boolean {
  const [command, ...more] = words;
  if (command === "shell") return more.length > 0;
  return command === "engine" && (more.length > 0 || !OWN.includes(word.split("=")[0]!));
}

/** A token of parseArgs as one of the options; @param word what the token was read from. */
function givenOption(
  token: { name: string; rawName: string; value?: string; inlineValue?: boolean },
  word: string,
): Given {
  const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name] : undefined;
  // Not: a flag with a value (`--yes=no`), several letters in one word (`-fh`).
  const wellFormed = token.inlineValue ? option?.type === "string" : word === token.rawName;
  if (!option || !wellFormed)
    throw new UsageError(`the option ${word} is unknown; \`npm run local -- --help\` lists them`);
  const forgotten = token.value === undefined || (!token.inlineValue && token.value.startsWith("--"));
  if (option.type === "string" && forgotten) throw new UsageError(`${token.rawName} needs a value`);
  return { option, written: token.rawName, value: token.value };
}

/** Words and options, apart from each other. */
function separated(argv: readonly string[]): { words: string[]; given: Given[] } {
  const words: string[] = [],
    given: Given[] = [];
  // Not strict, so that errors have this command's own wording.
  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    const word = argv[token.index]!;
    if (isOthers(word, words)) {
      words.push(...argv.slice(word === "--" ? token.index + 1 : token.index));
      break;
    }
    if (token.kind === "option") given.push(givenOption(token, word));
    else if (word.startsWith("-"))
      throw new UsageError(`the option ${word} is unknown; \`npm run local -- --help\` lists them`);
    else words.push(word);
  }
  return { words, given };
}

/** The options on top of the defaults. */
function requestOf(given: readonly Given[]): Request {
  const request: Request = {
    command: "up",
    words: [],
    cluster: "lab",
    sets: [],
    since: "10m",
    follow: false,
    helper: false,
    expectNoChanges: false,
    keep: false,
    refresh: false,
    dryRun: false,
    yes: false,
    help: false,
  };
  for (const {
    option: { type, field },
    value,
  } of given) {
    if (field === "sets") request.sets.push(value!);
    else (request as any)[field] = type === "boolean" ? true : value;
  }
  return request;
}

function checkValues({ cluster, images, since }: Request): void {
  oneOf("the cluster", cluster, CLUSTERS);
  if (images !== undefined) oneOf("--images", images, ["published", "local"]);
  if (!/^\d+(s|m|h)$/.test(since)) throw new UsageError(`--since ${since}: write a number with s, m or h, such as 10m`);
}

function checkWords({ command, words }: Request): void {
  if (words.length > WORDS[command])
    throw new UsageError(
      `${command} takes ${WORDS[command] === 0 ? "no further words" : "one word"}, not "${words.join(" ")}"`,
    );
  if (command === "shell" && words.length === 0)
    throw new UsageError("shell needs a pod, a component or a node: npm run local -- shell synapse-main");
}

/** Refuses options that do not apply to this command or this cluster. */
function checkGiven({ command, cluster, keep }: Request, given: readonly Given[]): void {
  for (const {
    option: { commands },
    written,
  } of given) {
    if (commands && !commands.includes(command))
      throw new UsageError(`${written} goes with ${commands.join(" and ")}, not with ${command}`);
  }
  for (const [name, { short, clusters }] of Object.entries(OPTIONS)) {
    const written = [`--${name}`, ...(short ? [`-${short}`] : [])].find((w) => given.some((g) => g.written === w));
    if (written && clusters && !clusters.includes(cluster))
      throw new UsageError(`${written} goes with ${clusters.map((c) => `--cluster ${c}`).join(" and ")}`);
  }
  if (keep && cluster !== "lab")
    throw new UsageError("--keep goes with the lab's own cluster; for another cluster every --set is remembered");
}

export function parseRequest(argv: readonly string[]): Request {
  const { words, given } = separated(argv);
  const request = requestOf(given);
  if (request.help) return request;
  request.command = oneOf("the command", words[0] ?? "up", COMMANDS) as Command;
  request.words = words.slice(1);
  checkValues(request);
  checkWords(request);
  checkGiven(request, given);
  return request;
}

/** The flags with which another command finds the same cluster; with a leading space, or empty. Pure. */
export const clusterFlags = (r: Pick<Request, "cluster" | "kubeconfig" | "context">): string =>
  r.cluster === "lab"
    ? ""
    : ` --cluster ${r.cluster}${r.kubeconfig ? ` --kubeconfig ${r.kubeconfig}` : ""}${r.context ? ` --context ${r.context}` : ""}`;
