/** The local stack by the engine, where `pulumi` is on PATH: its state and its configuration stay out of the repository. */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, STACK } from "./config";
import { RUN_DIR } from "./state";

const DIR = path.join(RUN_DIR, "pulumi");
const PROJECT = path.join(DIR, "project");

/**
 * A project folder that is the repository by links, but for the stack's file: that one holds the nodes' keys and the
 * encryption salt, which the engine writes into it.
 */
function projectFolder(config: Record<string, unknown>): void {
  fs.mkdirSync(PROJECT, { recursive: true, mode: 0o700 });
  for (const entry of fs.readdirSync(ROOT)) {
    const link = path.join(PROJECT, entry);
    if (entry === ".git" || entry === `Pulumi.${STACK}.yaml` || fs.existsSync(link)) continue;
    fs.symlinkSync(path.join(ROOT, entry), link);
  }
  const file = path.join(PROJECT, `Pulumi.${STACK}.yaml`);
  const salt = fs.existsSync(file) ? /^encryptionsalt:.*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] : undefined;
  const lines = Object.entries(config).map(([k, v]) => `  ${k.includes(":") ? k : `matrix-ha:${k}`}: ${JSON.stringify(v)}`);
  fs.writeFileSync(file, `${salt ? `${salt}\n` : ""}config:\n${lines.join("\n")}\n`, { mode: 0o600 });
}

function passphraseFile(): string {
  const file = path.join(DIR, "passphrase");
  if (!fs.existsSync(file)) fs.writeFileSync(file, crypto.randomBytes(24).toString("base64url"), { mode: 0o600 });
  return file;
}

/** Brings the stack up; reports how many resources the preview before it meant to change. */
export function pulumiUp(config: Record<string, unknown>, kubeconfig: string, replace?: string): { changes: number; detail: string[] } {
  projectFolder(config);
  const state = path.join(DIR, "state");
  fs.mkdirSync(state, { recursive: true, mode: 0o700 });
  const env = { ...process.env, KUBECONFIG: kubeconfig, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(), PULUMI_SKIP_UPDATE_CHECK: "true" };
  const engine = (args: string[], capture = false): string => {
    const done = spawnSync("pulumi", args, { cwd: PROJECT, env, stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"], encoding: "utf8", maxBuffer: 1 << 28 });
    if (done.status !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${done.status}`);
    return done.stdout ?? "";
  };
  engine(["stack", "select", "--create", STACK]);
  const summary: Record<string, number> = JSON.parse(engine(["preview", "--json"], true)).changeSummary ?? {};
  const changes = Object.entries(summary).filter(([operation]) => operation !== "same").reduce((n, [, count]) => n + count, 0);
  engine(["up", "--yes", "--skip-preview", ...(replace ? ["--replace", `**::${replace}`] : [])]);
  return { changes, detail: Object.entries(summary).map(([operation, count]) => `${count} ${operation}`) };
}
