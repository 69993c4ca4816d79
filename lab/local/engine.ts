/**
 * The engine on the local stack: `pulumi` as a user types it, on a file backend with a passphrase. State, configuration
 * and the engine's home stay out of the repository, in the run folder.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiEvents } from "../engine/events";
import { engineEnvironment } from "../engine/home";
import { linkProject, saltOf, stackFileOf } from "../engine/project";
import { PLUGINS, provideParts, type Parts, type Plugin } from "../engine/parts";
import { UsageError } from "./arguments";
import { ROOT, RUN_DIR } from "../common/folders";
import { STACK } from "./config";
import { encrypted } from "./encrypted";
import { KUBECONFIG } from "./kubectl";

const DIR = path.join(RUN_DIR, "pulumi");
export const PROJECT = path.join(DIR, "project");
export const STATE = path.join(DIR, "state");
/**
 * Without attribute files beside the state: they are written in place, and an engine that is killed at that moment
 * leaves an empty one. After that no command can read the state, not even `pulumi cancel` ("failed to load checkpoint:
 * EOF").
 */
const BACKEND = `file://${STATE}?metadata=skip`;
const MADE_BY = path.join(DIR, "made-by.json");
const EVENTS = path.join(DIR, "events.json");

/** Whether this folder has never been deployed from. */
export const isNew = (): boolean => !fs.existsSync(path.join(STATE, ".pulumi", "stacks", "matrix-ha", `${STACK}.json`));

/**
 * Links to the checkout, and the stack's file with these settings, the secret ones encrypted. Before the stack is
 * created there is no encryption salt; its file is empty then.
 */
export function projectFolder(
  config: Record<string, unknown>,
  folder = PROJECT,
  stack = STACK,
  env?: NodeJS.ProcessEnv,
): void {
  linkProject(ROOT, folder, stack);
  const salt = saltOf(folder, stack);
  const values = salt
    ? encrypted(config, { salt, stack, folder: path.dirname(folder), cwd: folder, env: env ?? prepare() })
    : {};
  const lines = Object.entries(values).map(
    ([k, v]) => `  ${k.includes(":") ? k : `matrix-ha:${k}`}: ${JSON.stringify(v)}`,
  );
  fs.writeFileSync(
    path.join(folder, stackFileOf(stack)),
    lines.length ? `${salt}config:\n${lines.join("\n")}\n` : salt,
    { mode: 0o600 },
  );
}

function passphraseFile(): string {
  const file = path.join(DIR, "passphrase");
  if (!fs.existsSync(file)) fs.writeFileSync(file, crypto.randomBytes(24).toString("base64url"), { mode: 0o600 });
  return file;
}

/**
 * Stand-ins and real plugins record different things about the same resources: neither may continue a state of the
 * other, because it would generate every password again. Pure.
 */
export function mixture(before: Record<Plugin, string>, now: Record<Plugin, string>): string | undefined {
  const other = PLUGINS.filter((p) => (before[p] === "yours") !== (now[p] === "yours"));
  if (!other.length) return undefined;
  return `this stack was deployed with ${other.map((p) => `${p} ${before[p]}`).join(", ")}; now there is ${other.map((p) => `${p} ${now[p]}`).join(", ")}.
  They cannot continue each other's state. Either make the former parts available again (PATH, PULUMI_HOME), or start over: npm run local -- down`;
}

/** The state of an earlier version, which deployed without the engine: no engine state has its generated values. */
const DRIVER_STATE = path.join(RUN_DIR, "driver", "state.json");

function keepApart(parts: Parts): void {
  if (fs.existsSync(DRIVER_STATE))
    throw new UsageError(
      `this cluster was deployed by an earlier version, whose state (${DRIVER_STATE}) the engine does not read. Start over: npm run local -- down, then npm run local`,
    );
  const now = Object.fromEntries(PLUGINS.map((p) => [p, parts[p].origin])) as Record<Plugin, string>;
  if (fs.existsSync(MADE_BY)) {
    const problem = mixture(JSON.parse(fs.readFileSync(MADE_BY, "utf8")), now);
    if (problem) throw new UsageError(problem);
  }
  fs.writeFileSync(MADE_BY, `${JSON.stringify(now)}\n`);
}

export interface Ran {
  status: number;
  stdout: string;
}

let environment: NodeJS.ProcessEnv | undefined;
/**
 * Folder, backend, passphrase, plugins: everything that a command on the local stack needs. Created once per process.
 */
export function prepare(): NodeJS.ProcessEnv {
  if (environment) return environment;
  fs.mkdirSync(STATE, { recursive: true, mode: 0o700 });
  const parts = provideParts();
  keepApart(parts);
  environment = {
    ...process.env,
    ...engineEnvironment(path.join(DIR, "home"), parts),
    KUBECONFIG,
    PULUMI_BACKEND_URL: BACKEND,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(),
    PULUMI_STACK: undefined,
    PULUMI_CONFIG_PASSPHRASE: undefined,
  };
  return environment;
}

/** `pulumi ARGS` on the local stack; it inherits the terminal unless its output is captured. */
export function pulumi(args: readonly string[], options: { capture?: boolean; env?: NodeJS.ProcessEnv } = {}): Ran {
  const env = { ...prepare(), ...options.env };
  const done = spawnSync("pulumi", args, {
    cwd: PROJECT,
    env,
    stdio: [options.capture ? "ignore" : "inherit", options.capture ? "pipe" : "inherit", "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (done.error) throw done.error;
  return { status: done.status ?? 1, stdout: done.stdout ?? "" };
}

/** Selects the stack with these settings; its file is where the engine looks for it. */
export function selectStack(config: Record<string, unknown>): void {
  prepare();
  projectFolder(config);
  const { status } = pulumi(["stack", "select", "--create", "--secrets-provider", "passphrase", STACK], {
    capture: true,
  });
  if (status !== 0) throw new Error(`pulumi stack select ${STACK} ended with ${status}`);
  // `stack init` wrote the salt.
  projectFolder(config);
}

export interface Deployed {
  changes: number;
  detail: string[];
}

/** Brings the stack up, and returns the changes. */
export function pulumiUp(
  config: Record<string, unknown>,
  { replace, refresh }: { replace?: string; refresh?: boolean } = {},
): Deployed {
  const started = Date.now();
  selectStack(config);
  fs.rmSync(EVENTS, { force: true });
  // The event log is the engine's own account of what it did.
  const args = [
    "up",
    "--yes",
    "--skip-preview",
    "--event-log",
    EVENTS,
    ...(refresh ? ["--refresh"] : []),
    ...(replace ? ["--replace", `**::${replace}`] : []),
  ];
  const { status } = pulumi(args, { env: { PULUMI_DEBUG_COMMANDS: "true" } });
  if (status !== 0)
    throw new Error(
      `pulumi ${args[0]} ended with ${status}. \`npm run local -- deploy\` continues where it stopped; \`npm run local -- engine ARGS\` is pulumi on this stack`,
    );
  const deployed = new PulumiEvents(fs.readFileSync(EVENTS, "utf8"));
  fs.rmSync(EVENTS);
  console.log(
    `deployed in ${((Date.now() - started) / 1000).toFixed(0)} s: ${Object.entries(deployed.summary())
      .map(([op, n]) => `${n} ${op}`)
      .join(", ")}`,
  );
  return deployed.changes();
}
