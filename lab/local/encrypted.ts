/**
 * Secret settings of the local stack, stored as an operator would: encrypted by `pulumi config set --secret`, never in
 * plain text in a file of the engine.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { secretPaths } from "../../components/settings/secretPaths";

export { secretPaths };

interface Known {
  salt: string;
  /** Ciphertext by a hash of the value. */ values: Record<string, string>;
}

/**
 * The settings with ciphertext in place of secrets. The engine encrypts each value only once, because that takes a
 * second. It does so in a separate file, because it rewrites a stack's file with numbers as strings.
 * @param salt The line of the stack's file by which the passphrase encrypts.
 * @param folder Keeps the values that were encrypted before.
 */
export function encrypted(
  config: Record<string, unknown>,
  {
    salt,
    stack,
    folder,
    cwd,
    env,
  }: { salt: string; stack: string; folder: string; cwd: string; env: NodeJS.ProcessEnv },
): Record<string, unknown> {
  const paths = secretPaths(config);
  if (paths.length === 0) return config;
  const file = path.join(folder, "encrypted.json"),
    scratch = path.join(folder, "encrypted.yaml");
  let known: Known = { salt, values: {} };
  if (fs.existsSync(file)) {
    const before = JSON.parse(fs.readFileSync(file, "utf8")) as Known;
    if (before.salt === salt) known = before;
  }
  const result = structuredClone(config) as any;
  for (const at of paths) {
    const parent = at.slice(0, -1).reduce((value: any, key) => value[key], result),
      key = at.at(-1)!,
      value = parent[key] as string;
    const id = crypto.createHash("sha256").update(value).digest("hex");
    known.values[id] ??= ask(value);
    parent[key] = { secure: known.values[id] };
  }
  fs.writeFileSync(file, JSON.stringify(known), { mode: 0o600 });
  return result;

  function ask(value: string): string {
    fs.writeFileSync(scratch, salt, { mode: 0o600 });
    const done = spawnSync(
      "pulumi",
      ["config", "set", "--stack", stack, "--config-file", scratch, "--secret", "--non-interactive", "value"],
      { cwd, env, input: value, encoding: "utf8" },
    );
    if (done.status !== 0)
      throw new Error(`pulumi config set --secret ended with ${done.status ?? done.signal}: ${done.stderr}`);
    const { config: answer } = parse(fs.readFileSync(scratch, "utf8"));
    fs.rmSync(scratch);
    return answer["matrix-ha:value"].secure;
  }
}
