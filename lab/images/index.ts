/** `npm run images`: lists the sources of the stack's images, builds them, and pushes them to a registry. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseWords, Refused, runMain, UsageError } from "../../cli/arguments";
import { IMAGES } from "../../components/layers/synapse/images";
import { readStackConfig } from "../../components/settings/stackFile";
import { chosen, listText, nameOf, readLab, snippet, type Entry } from "./catalog";
import { modulesImage, modulesImageText, settingsBefore } from "./modules/containerfile";
import { prefixProblem, push } from "./push";
import { repin, RepinRefused, repinText, type Wanted } from "./repin";

/** Printed by --help and after errors of use. */
export const USAGE = `npm run images -- list [--json]
npm run images -- build [--refresh] [NAME...]
npm run images -- push REGISTRY/PREFIX [NAME...] [--insecure] [--user NAME]
npm run images -- synapse --stack STACK [--out FOLDER] [--from IMAGE]
npm run images -- repin NAME=TAG... [--mirror REGISTRY/PREFIX] [--insecure]
  list       every image that the stack runs: the recipe's source, version, size, digest, whether it is built;
             and those that cannot be built here, with the reason
  build      builds images (all, or those named) into OCI archives in the cache; needs root, on Debian, with Go.
             --refresh also rebuilds images that are built: for newer Debian packages
  push       sends built images (all that the stack runs, or those named) to a registry, and prints the settings that
             use them; images that the registry has with the same digest are not sent again. Needs skopeo
  synapse    writes the recipe of an image of Synapse with the Python packages of the stack's \`synapse.modules\` into
             FOLDER (synapse-modules), and says how to build and push it, and the setting that uses it. --from: the image
             to start from, where the pinned one is in a registry of yours
  repin      changes the tags of pinned images in components/layers/*/images.ts, with the digests that their registries
             have; TAG is a tag, or "patch" for the newest patch version. All errors at once; one of them changes nothing.
             Prints what to run afterwards. Needs skopeo
  --mirror   ask this registry in place of each image's own
  --insecure the registry speaks http, or has a certificate that is not trusted here
  --user     login name; the password is read from MATRIX_HA_REGISTRY_PASSWORD. Without it: the login that \`skopeo login\`,
             \`podman login\` or \`docker login\` wrote (~/.docker/config.json)
NAME: as in the list, or the key of images.overrides (metallb-controller, metallbController)`;

const HERE = __dirname;
const CACHE = process.env.MATRIX_HA_CACHE ?? path.join(os.homedir(), ".cache/matrix-ha");
const lab = (): Entry[] => readLab(path.join(HERE, "list.txt"), CACHE);

const COMMANDS = ["list", "build", "push", "repin", "synapse"] as const;
type Command = (typeof COMMANDS)[number];
const isCommand = (word: string): word is Command => (COMMANDS as readonly string[]).includes(word);

interface Request {
  command: Command;
  words: string[];
  json: boolean;
  refresh: boolean;
  insecure: boolean;
  user?: string;
  mirror?: string;
  stack?: string;
  out?: string;
  from?: string;
}

/** What is wrong with the words behind a command; undefined when nothing is. */
function wordsProblem({ command, words, stack, mirror }: Request): string | undefined {
  switch (command) {
    case "build":
      return undefined;
    case "synapse":
      if (stack === undefined)
        return "synapse needs the stack whose modules it is for: npm run images -- synapse --stack small";
      return namesProblem(command, words);
    case "list":
      return namesProblem(command, words);
    case "push":
      if (!words.length) return "push needs a registry: npm run images -- push registry.example.com/matrix-ha";
      return pathProblem("", words[0]!);
    case "repin": {
      const odd = words.filter((w) => !/^[\w-]+=.+$/.test(w));
      if (odd.length || !words.length)
        return `${odd.length ? `"${odd.join(" ")}" is not NAME=TAG` : "repin needs an image and a tag"}: npm run images -- repin haproxy=3.2.27 redis=patch`;
      return mirror === undefined ? undefined : pathProblem("--mirror ", mirror);
    }
  }
}

const namesProblem = (command: Command, words: string[]): string | undefined =>
  words.length ? `${command} takes no names, not "${words.join(" ")}"` : undefined;

function pathProblem(option: string, given: string): string | undefined {
  const problem = prefixProblem(given);
  return problem && `${option}"${given}" is not a valid registry path: ${problem}`;
}

/** The arguments of `npm run images`. @throws UsageError */
export function parseImagesArgs(argv: readonly string[]): Request {
  const {
    values: { json = false, refresh = false, insecure = false, user, mirror, stack, out, from },
    words: [command = "list", ...words],
  } = parseWords(argv, {
    json: { type: "boolean" },
    refresh: { type: "boolean" },
    insecure: { type: "boolean" },
    user: { type: "string" },
    mirror: { type: "string" },
    stack: { type: "string", short: "s" },
    out: { type: "string" },
    from: { type: "string" },
  });
  if (!isCommand(command))
    throw new UsageError(`the command "${command}" is unknown; there are ${COMMANDS.join(", ")}`);
  const only: [boolean, string, Command[]][] = [
    [json, "--json", ["list"]],
    [refresh, "--refresh", ["build"]],
    [insecure, "--insecure", ["push", "repin"]],
    [user !== undefined, "--user", ["push"]],
    [mirror !== undefined, "--mirror", ["repin"]],
    [stack !== undefined, "--stack", ["synapse"]],
    [out !== undefined, "--out", ["synapse"]],
    [from !== undefined, "--from", ["synapse"]],
  ];
  const wrong = only.find(([on, , of]) => on && !of.includes(command));
  if (wrong) throw new UsageError(`${wrong[1]} goes with ${wrong[2].join(" and ")}, not with ${command}`);
  const request = { command, words, json, refresh, insecure, user, mirror, stack, out, from };
  const problem = wordsProblem(request);
  if (problem !== undefined) throw new UsageError(problem);
  return request;
}

/** Writes the recipe. @throws Refused where the stack has no packages, SettingsInvalid for wrong settings */
function writeModulesImage(stack: string, out: string, from?: string): void {
  const settings = settingsBefore(readStackConfig(stack), stack);
  const image = modulesImage(settings, from ?? `${IMAGES.synapse.repository}:${IMAGES.synapse.tag}`);
  if (!image)
    throw new Refused(`synapse.modules of ${stack} names no packages: the pinned image of Synapse has all it needs`);
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(image.files)) writeFileSync(path.join(out, name), text);
  console.log(modulesImageText(image, out));
}

const wantedOf = (words: readonly string[]): Wanted[] =>
  words.map((w) => ({ name: w.slice(0, w.indexOf("=")), tag: w.slice(w.indexOf("=") + 1) }));

function pinAgain({ words, mirror, insecure }: Request): void {
  try {
    console.log(repinText(repin(wantedOf(words), { root: path.resolve(HERE, "../.."), mirror, insecure })));
  } catch (error) {
    if (!(error instanceof RepinRefused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function main(argv: string[]): Promise<void> {
  const request = parseImagesArgs(argv);
  const entries = lab();
  const named = (names: string[]): Entry[] => {
    try {
      return chosen(entries, names);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  };
  switch (request.command) {
    case "list":
      console.log(
        request.json
          ? JSON.stringify(
              entries.map((e) => ({ name: nameOf(e), ...e })),
              null,
              2,
            )
          : listText(entries),
      );
      return;
    case "synapse":
      return writeModulesImage(request.stack!, request.out ?? "synapse-modules", request.from);
    case "build": {
      const recipes = named(request.words).map(nameOf);
      const done = spawnSync(
        "bash",
        [path.join(HERE, "build.sh"), ...(request.refresh ? ["--refresh"] : []), ...recipes],
        { stdio: "inherit" },
      );
      process.exitCode = done.status ?? 1;
      return;
    }
    case "repin":
      return pinAgain(request);
    case "push": {
      const [prefix, ...names] = request.words as [string, ...string[]];
      const wanted = names.length ? named(names) : entries.filter((e) => e.key && e.recipe);
      const missing = wanted.filter((e) => !e.built).map(nameOf);
      if (missing.length)
        throw new UsageError(`not built yet: ${missing.join(", ")}\n  npm run images -- build ${missing.join(" ")}`);
      const password = process.env.MATRIX_HA_REGISTRY_PASSWORD;
      if (request.user !== undefined && !password)
        throw new UsageError("--user needs the password in MATRIX_HA_REGISTRY_PASSWORD");
      try {
        const { pushed, present } = push(wanted, {
          prefix,
          insecure: request.insecure,
          user: request.user,
          password,
          log: (l) => console.log(l),
        });
        console.log(
          `\n${pushed} pushed, ${present} were there already. In Pulumi.STACK.yaml, under config:\n\n${snippet(prefix, wanted)}`,
        );
      } catch (error) {
        console.error(`error: ${(error as Error).message}`);
        process.exitCode = 1;
      }
    }
  }
}

if (require.main === module) runMain(USAGE, main);
