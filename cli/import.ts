/**
 * `npm run import`: reads the configuration of an existing Synapse and writes the stack file for it, its secrets, and a
 * report that has every option in one of four lists. Touches neither the old server nor any stack.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { quote } from "../components/layers/hosts/steps/shell";
import { isEncrypted } from "../components/settings/stackFile";
import { isPlainObject, pathText } from "../components/schema/walk";
import { parse, Refused, runMain, UsageError } from "./arguments";
import { environment, variablesIn } from "./import/environment";
import { LISTS, type Finding, type Path } from "./import/finding";
import { importFrom, type Input, type Result } from "./import/result";
import { fileReader, readHomeserver, readSection, readWorkers, readYaml } from "./import/sources";
import { awaited } from "./import/texts";
import { refuseExisting, write, type Target } from "./import/write";

const USAGE = `npm run import -- --homeserver FILE [--workers DIR] [--registration FILE ...] [--root DIR] [--env FILE]
npm run import -- --values FILE [--registration FILE ...]
npm run import -- --env FILE
  --homeserver FILE   homeserver.yaml, or a folder of such files; conf.d beside it is read too, as on Debian
  --workers DIR       the folder of the workers' YAML files
  --registration FILE the registration of a bridge, where the configuration's own path does not lead to it
  --root DIR          the folder that stands for the old machine's /, for paths in the configuration
  --env FILE          the container's variables: NAME=value lines, or a Compose file
  --values FILE       values of a Helm chart (matrix-synapse of ananace, matrix-stack of Element)
  --stack NAME        the name of the new stack (default: imported); Pulumi.NAME.yaml must not exist
  --out DIR           the new folder of report and secrets, outside of git (default: ~/matrix-ha-import-NAME)
  --ccu NUMBER        concurrent users
  --hosts FILE        a list of hosts, or a stack file whose settings about machines, cluster and certificates are taken
Writes Pulumi.NAME.yaml, DIR/report.md, DIR/secrets.sh and DIR/secrets/. Prints no value, and changes no server.`;

/** What --hosts may bring along: all that the old server does not know. */
const OF_MACHINES = [
  "hosts",
  "hostDefaults",
  "ssh",
  "firewall",
  "prepareHosts",
  "cluster",
  "addressPools",
  "storage",
  "tls",
  "ingress",
  "monitoring",
  "networkPolicies",
  "backups",
  "acceptOneCallHost",
];

/** Takes encrypted values out, and tells where they were. */
function withoutEncrypted(value: unknown, at: Path, removed: (at: Path) => void): unknown {
  if (isEncrypted(value)) return removed(at);
  if (Array.isArray(value)) return value.map((item, i) => withoutEncrypted(item, [...at, i], removed));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, withoutEncrypted(item, [...at, key], removed)])
      .filter(([, item]) => item !== undefined),
  );
}

interface Machines {
  settings: Record<string, unknown>;
  /** What is still to set. */
  findings: Finding[];
}

function machines(file: string | undefined): Machines {
  if (file === undefined) return { settings: {}, findings: [] };
  const findings: Finding[] = [];
  const settings = withoutEncrypted(ofMachines(readYaml(file)), [], (at) => {
    const setting = pathText(at);
    findings.push({
      option: `--hosts: ${setting}`,
      list: "decision",
      why: `it is encrypted for another stack: put its text into secrets/${setting} before you run secrets.sh`,
      awaits: setting,
    });
  });
  return { settings: settings as Record<string, unknown>, findings };
}

function ofMachines(text: unknown): Record<string, unknown> {
  if (Array.isArray(text)) return { hosts: text };
  const all = isPlainObject(text) ? (isPlainObject(text.config) ? text.config : text) : {};
  const settings = Object.fromEntries(
    Object.entries(all).map(([key, value]) => [key.replace(/^matrix-ha:/, ""), value]),
  );
  return Object.fromEntries(
    OF_MACHINES.filter((key) => settings[key] !== undefined).map((key) => [key, settings[key]]),
  );
}

const OPTIONS = {
  homeserver: { type: "string" },
  workers: { type: "string" },
  registration: { type: "string", multiple: true },
  root: { type: "string" },
  env: { type: "string" },
  values: { type: "string" },
  stack: { type: "string", short: "s" },
  out: { type: "string", short: "o" },
  ccu: { type: "string" },
  hosts: { type: "string" },
  cwd: { type: "string" },
} as const;
type Values = ReturnType<typeof parse<typeof OPTIONS>>;

/** What the container's variables add. */
function variablesOf({ env, homeserver, values }: Values) {
  if (env === undefined) return { fragments: [], findings: [] };
  const variables = variablesIn(readYaml(env), fs.readFileSync(env, "utf8"));
  return environment(variables, homeserver === undefined && values === undefined);
}

function inputOf(values: Values, target: Target, findings: readonly Finding[]): Input {
  const { homeserver, workers, root, registration: registrations = [] } = values;
  const fromEnv = variablesOf(values);
  const base = homeserver ?? values.values ?? values.env!;
  const config = fs.existsSync(base) && fs.statSync(base).isDirectory() ? base : path.dirname(base);
  return {
    stack: target.stack,
    fragments: [...fromEnv.fragments, ...(homeserver === undefined ? [] : readHomeserver(homeserver))],
    workers: workers === undefined ? [] : readWorkers(workers),
    ...(values.values === undefined ? {} : { values: readSection(values.values) }),
    registrations,
    file: fileReader({ config, registrations, ...(root === undefined ? {} : { root }) }),
    findings: [...fromEnv.findings, ...findings],
    given: target.given,
  };
}

/** A word of a command, in quotes where it needs them. */
const shellWord = (text: string): string => (/^[\w./@:+-]+$/.test(text) ? text : quote(text));

function summary({ findings, draft, open }: Result, { stack, out }: Target, stackFile: string): string {
  const counts = LISTS.map(
    (list) => `${findings.filter((f) => f.list === list).length} ${list === "decision" ? "need a decision" : list}`,
  );
  const decisions = findings.filter((f) => f.list === "decision").map(({ option, why }) => `  ${option}: ${why ?? ""}`);
  const lacking = open.map(({ path: at, allowed }) => `  ${at}: ${allowed}`);
  const { length: secrets } = draft.secrets;
  return [
    `${findings.length} options: ${counts.join(", ")}.`,
    ...(decisions.length > 0 ? ["", "Needs a decision:", ...decisions] : []),
    ...(lacking.length > 0 ? ["", "The stack file still lacks:", ...lacking] : []),
    "",
    `${stackFile}`,
    `${path.join(out, "report.md")}   every option, and what became of it`,
    `${path.join(out, "secrets")}   ${secrets} secrets in clear, readable by you alone${awaited(findings).length > 0 ? `; still to come: ${awaited(findings).join(", ")}` : ""}`,
    "",
    `Next, in the folder of the project:
  pulumi stack init ${stack}
  sh ${shellWord(path.join(out, "secrets.sh"))}
  npm run plan -- --stack ${stack}
and docs/move-in.md.`,
  ].join("\n");
}

async function main(argv: string[]): Promise<void> {
  const values = parse(argv, OPTIONS);
  if (values.homeserver === undefined && values.values === undefined && values.env === undefined)
    throw new UsageError("--homeserver, --values or --env is missing: the configuration of the old server");
  const stack = values.stack ?? "imported";
  if (!/^[\w.-]+$/.test(stack)) throw new UsageError(`--stack ${stack}: letters, digits, '-', '_' and '.'`);
  const ccu = values.ccu === undefined ? undefined : Number(values.ccu);
  if (ccu !== undefined && !Number.isInteger(ccu)) throw new UsageError("--ccu: a whole number");
  try {
    const { settings, findings } = machines(values.hosts);
    const target: Target = {
      stack,
      cwd: values.cwd ?? path.join(__dirname, ".."),
      out: path.resolve(values.out ?? path.join(os.homedir(), `matrix-ha-import-${stack}`)),
      given: { ...(ccu === undefined ? {} : { ccu }), ...settings },
    };
    refuseExisting(target);
    const result = importFrom(inputOf(values, target, findings));
    console.log(summary(result, target, write(target, result)));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (require.main === module) runMain(USAGE, main);
