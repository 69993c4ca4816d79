/** What `npm run local` understands. Pure: the words in, a request or an error for people out. */

export class UsageError extends Error {}

export const USAGE = `npm run local [-- COMMAND] [options]
  up                      (default) builds what is missing, starts the cluster, deploys Pulumi.local.yaml, prints URLs and a login
  deploy                  only deploys, on a cluster that runs
  down                    stops everything and removes all but the cache of built parts; of a cluster that is not ours,
                          what \`pulumi destroy\` takes, and says what it leaves: volumes, namespaces, definitions
  status                  nodes, pods that are not ready, URLs, who leads PostgreSQL and Redis, who holds the address, last backup
  logs [WHAT] [--follow] [--since 10m]
                          of a layer (synapse, postgres, ...), a component (synapse-main, haproxy, ...), a pod, or a node
                          (its journal); without WHAT of everything that the stack runs. --since: 10m unless given
  shell WHAT [command...] in a pod, a component's first pod, or a node (node1)
                          --helper, before WHAT: in a helper container beside the pod's own, for images without a shell
  chaos [list]            the failures that can be caused, each as test:cluster causes it
  chaos NAME              causes one, waits until everything has mended; Ctrl-C undoes it
  engine ARGS...          pulumi on the local stack, with its state, passphrase and plugins: engine preview --diff, engine refresh,
                          engine stack export. Without ARGS: what it is made of, and the environment for your own shell
  chaos undo              thaws, reconnects and uncordons every node, whatever was caused

Options
  --set path=value        a setting in place of the file's; may be repeated
  --keep                  with up and deploy, lab only: these --set stay for later runs, until others take their place or down
  --replace NAME          with up and deploy: makes a generated value anew, as \`pulumi up --replace\` does: cluster-tls-key
  --refresh               with up and deploy: looks first what is there of what the state knows, as \`pulumi up --refresh\` does:
                          needed where an object was deleted by hand
  --expect-no-changes     with up and deploy: fails when anything was changed
  --cluster lab           (default) three nodes that this machine makes out of namespaces; needs root on Debian
  --cluster kind          a cluster that \`kind\` makes (needs kind, and docker or podman)
  --cluster kubeconfig    a cluster that is there: --kubeconfig FILE (default: KUBECONFIG, ~/.kube/config), --context NAME
  --images published      with kind and kubeconfig, default: the images of components/images.ts
  --images local          the images that lab/images builds, as Pulumi.local.yaml names them; the nodes must have them
  --registry PREFIX       where \`npm run images -- push PREFIX synapse minio mc\` brought the three that nobody publishes
  --addresses RANGE       free addresses of the nodes' network, for the ingress: 192.0.2.10-192.0.2.20
  --dry-run               with down, kind and kubeconfig: only says what would be removed
  --yes                   with down, kind and kubeconfig: does not ask`;

export const COMMANDS = ["up", "deploy", "down", "status", "logs", "shell", "chaos", "engine"] as const;
export type Command = (typeof COMMANDS)[number];
export const CLUSTERS = ["lab", "kind", "kubeconfig"] as const;
export type ClusterKind = (typeof CLUSTERS)[number];

export interface Request {
  command: Command;
  /** What follows the command: a layer, a pod, a failure; for `shell` also the command to run. */
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
  /** Name of a resource whose generated value is made anew. */
  replace?: string;
  refresh: boolean;
  dryRun: boolean;
  yes: boolean;
  help: boolean;
}

const FLAGS = { "--follow": "follow", "-f": "follow", "--helper": "helper", "--expect-no-changes": "expectNoChanges", "--keep": "keep", "--refresh": "refresh", "--dry-run": "dryRun", "--yes": "yes", "-y": "yes", "--help": "help", "-h": "help" } as const;
const VALUES = { "--cluster": "cluster", "--images": "images", "--kubeconfig": "kubeconfig", "--context": "context", "--registry": "registry", "--addresses": "addresses", "--since": "since", "--set": "set", "--replace": "replace" } as const;
/** Which commands an option means anything to; those not named here go with every command. */
const ONLY: Record<string, readonly Command[]> = {
  "--follow": ["logs"], "-f": ["logs"], "--since": ["logs"], "--helper": ["shell"], "--expect-no-changes": ["up", "deploy"], "--set": ["up", "deploy"], "--keep": ["up", "deploy"], "--refresh": ["up", "deploy"], "--replace": ["up", "deploy"],
  "--images": ["up", "deploy"], "--registry": ["up", "deploy"], "--addresses": ["up", "deploy"], "--dry-run": ["down"], "--yes": ["down"], "-y": ["down"],
};
/** Options before which `engine` does not begin to be pulumi's: they choose the cluster. */
const OWN = ["--cluster", "--kubeconfig", "--context", "--help", "-h"];
/** Most words that a command takes after itself. */
const WORDS: Record<Command, number> = { up: 0, deploy: 0, down: 0, status: 0, logs: 1, shell: Infinity, chaos: 1, engine: Infinity };

export const oneOf = (what: string, word: string, known: readonly string[]): string => {
  if (known.includes(word)) return word;
  throw new UsageError(`${what} "${word}" is unknown; there are ${known.join(", ")}`);
};

export function parseRequest(argv: readonly string[]): Request {
  const request: Request = { command: "up", words: [], cluster: "lab", sets: [], since: "10m", follow: false, helper: false, expectNoChanges: false, keep: false, refresh: false, dryRun: false, yes: false, help: false };
  const words: string[] = [], given: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    // What follows `shell WHAT` belongs to the command that is run there, its options too.
    if ((words[0] === "shell" && words.length > 1) || (words[0] === "engine" && (words.length > 1 || !OWN.includes(word.split("=")[0]!)))) { words.push(...argv.slice(word === "--" ? i + 1 : i)); break; }
    const [name, inline] = /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word];
    if (name! in FLAGS && inline === undefined) { request[FLAGS[name as keyof typeof FLAGS]] = true; given.push(name!); continue; }
    if (name! in VALUES) {
      const value = inline ?? argv[++i];
      if (value === undefined || (inline === undefined && value.startsWith("--"))) throw new UsageError(`${name} needs a value`);
      const key = VALUES[name as keyof typeof VALUES];
      if (key === "set") request.sets.push(value); else (request as any)[key] = value;
      given.push(name!);
      continue;
    }
    if (word.startsWith("-")) throw new UsageError(`the option ${word} is unknown; \`npm run local -- --help\` lists them`);
    words.push(word);
  }
  if (request.help) return request;
  request.command = oneOf("the command", words[0] ?? "up", COMMANDS) as Command;
  request.words = words.slice(1);
  oneOf("the cluster", request.cluster, CLUSTERS);
  if (request.images !== undefined) oneOf("--images", request.images, ["published", "local"]);
  if (!/^\d+(s|m|h)$/.test(request.since)) throw new UsageError(`--since ${request.since}: write a number with s, m or h, such as 10m`);
  if (request.words.length > WORDS[request.command]) throw new UsageError(`${request.command} takes ${WORDS[request.command] === 0 ? "no further words" : "one word"}, not "${request.words.join(" ")}"`);
  if (request.command === "shell" && request.words.length === 0) throw new UsageError("shell needs a pod, a component or a node: npm run local -- shell synapse-main");
  for (const name of given) if (ONLY[name] && !ONLY[name]!.includes(request.command)) throw new UsageError(`${name} goes with ${ONLY[name]!.join(" and ")}, not with ${request.command}`);
  for (const name of ["--kubeconfig", "--context"]) if (given.includes(name) && request.cluster !== "kubeconfig") throw new UsageError(`${name} goes with --cluster kubeconfig`);
  if (request.keep && request.cluster !== "lab") throw new UsageError("--keep goes with the lab's own cluster; of another every --set is remembered");
  for (const name of ["--images", "--registry", "--addresses", "--dry-run", "--yes", "-y"]) if (given.includes(name) && request.cluster === "lab") throw new UsageError(`${name} goes with --cluster kind and --cluster kubeconfig`);
  return request;
}

/** What another command needs to find the same cluster; with a space before it, or nothing. Pure. */
export const clusterFlags = (r: Pick<Request, "cluster" | "kubeconfig" | "context">): string =>
  (r.cluster === "lab" ? "" : ` --cluster ${r.cluster}${r.kubeconfig ? ` --kubeconfig ${r.kubeconfig}` : ""}${r.context ? ` --context ${r.context}` : ""}`);
