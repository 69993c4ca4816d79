/** `pulumi preview` of one stack, in a temporary folder. */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PulumiEvents } from "../../lab/engine/events";
import { linkProject } from "../../lab/engine/project";
import { pulumi, type Ran } from "./cli";
import { hasBackend, stackReference, teamEnvironment, throwAwayEnvironment } from "./environment";
import { changesOfEvents } from "./engineChanges";
import { withoutColours, withoutSecrets } from "./hide";
import { copyStackFile, removeStackFile, writePlaceholders } from "./project";
import type { EngineResult } from "./results";

interface Asked {
  stack: string;
  /** The repository; and the project in the temporary folder, as the engine sees it. */
  root: string;
  project: string;
  /** The job's environment. */
  env: NodeJS.ProcessEnv;
}
interface Prepared {
  env: NodeJS.ProcessEnv;
  project: string;
  stack: string;
}

export async function previewStack(stack: string, root: string, env: NodeJS.ProcessEnv): Promise<EngineResult> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-preview-"));
  try {
    const project = path.join(dir, "project");
    linkProject(root, project, stack);
    const asked: Asked = { stack, root, project, env };
    const deployed = hasBackend(env) ? await deployedStack(asked) : undefined;
    if (typeof deployed === "object") return await run("state", stack, deployed, dir);
    return {
      ...(await run("nothing", stack, await newStack(asked, dir), dir)),
      ...(deployed ? { note: deployed } : {}),
    };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** The stack in the team's backend, or the reason why it is not used. */
async function deployedStack({ stack, root, project, env }: Asked): Promise<Prepared | string> {
  const prepared = { env: teamEnvironment(env), project, stack: stackReference(stack, env) };
  copyStackFile(root, project, stack);
  const selected = await pulumi(["stack", "select", "--stack", prepared.stack], project, prepared.env);
  if (selected.status === 0) return prepared;
  if (/no stack named/i.test(selected.stderr))
    return `The backend has no stack \`${prepared.stack}\`: it was never deployed, or PULUMI_ORGANIZATION is wrong.`;
  throw new Error(
    `the team's backend does not answer for ${prepared.stack}; check PULUMI_BACKEND_URL and PULUMI_ACCESS_TOKEN of the environment:\n${messageOf(selected, env)}`,
  );
}

async function newStack({ stack, root, project, env }: Asked, dir: string): Promise<Prepared> {
  const state = path.join(dir, "state");
  fs.mkdirSync(state, { mode: 0o700 });
  const own = throwAwayEnvironment(
    env,
    { state, nowhere: path.join(dir, "no-cluster") },
    crypto.randomBytes(24).toString("base64url"),
  );
  // `init` would use the salt of the team's file, which belongs to another passphrase.
  removeStackFile(project, stack);
  const made = await pulumi(["stack", "init", stack, "--secrets-provider", "passphrase"], project, own);
  if (made.status !== 0)
    throw new Error(`pulumi stack init ${stack} ended with ${made.status}:\n${messageOf(made, own)}`);
  // After `init`, which rewrites the file.
  writePlaceholders(root, project, stack);
  return { env: own, project, stack };
}

const messageOf = (ran: Ran, env: NodeJS.ProcessEnv): string => withoutSecrets(withoutColours(ran.stderr), env).trim();

async function run(
  against: EngineResult["against"],
  name: string,
  { env, project, stack }: Prepared,
  dir: string,
): Promise<EngineResult> {
  // Downloads do not count as preview time; if the plugins are installed, this does nothing.
  const plugins = await pulumi(["plugin", "install"], project, env);
  if (plugins.status !== 0)
    throw new Error(`pulumi plugin install ended with ${plugins.status}:\n${messageOf(plugins, env)}`);
  const log = path.join(dir, "events.json");
  const ran = await pulumi(["preview", "--stack", stack, "--event-log", log], project, env);
  const events = new PulumiEvents(fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "");
  const told = (severity: "error" | "warning"): string[] => [
    ...new Set(
      events
        .diagnostics(severity)
        .map((m) => withoutSecrets(withoutColours(m), env).trim())
        .filter(Boolean),
    ),
  ];
  const errors = told("error");
  const { operations, changes } = changesOfEvents(events);
  return {
    stack: name,
    ok: ran.status === 0,
    against,
    seconds: ran.seconds,
    ...(ran.usage ? { usage: ran.usage } : {}),
    operations,
    warnings: told("warning"),
    // Errors before the engine starts are reported only on standard error.
    errors:
      ran.status !== 0 && !errors.length
        ? [messageOf(ran, env) || `pulumi preview ended with ${ran.status} and said nothing`]
        : errors,
    ...(against === "state" ? { changes } : {}),
  };
}
