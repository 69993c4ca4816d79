/** A stack in a team's backend, as far as one can be deployed without a cluster: the passwords that it generates. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { evaluate, type RegisteredResource } from "../../../cli/evaluate";
import { readStackConfig } from "../../../components/settings/stackFile";
import { linkProject, saltOf } from "../../../lab/engine/project";
import { writePlaceholders } from "../../../scripts/preview/project";

const STACK = "local",
  PASSWORD = "random:index/randomPassword:RandomPassword";

export interface Deployed {
  backend: string;
  passphrase: string;
  /** The line of the stack file by which the passphrase decrypts. */ salt: string;
  /** A password whose state has another length than the program. */ changed: string;
}

/** The names of two passwords, and of the components that they are in: nothing of it asks a cluster. */
async function targets(workspace: string): Promise<{ names: string[]; passwords: string[] }> {
  const { resources } = await evaluate({ stack: STACK, config: readStackConfig(STACK, workspace) });
  const passwords = resources.filter((r) => r.type === PASSWORD).slice(0, 2),
    byUrn = new Map(resources.map((r) => [r.urn, r]));
  const names = new Set<string>();
  const add = (r: RegisteredResource | undefined): void => {
    if (r) {
      names.add(r.name);
      add(r.parent === undefined ? undefined : byUrn.get(r.parent));
    }
  };
  passwords.forEach(add);
  return { names: [...names], passwords: passwords.map((r) => r.name) };
}

export async function deployed(dir: string, workspace: string, env: NodeJS.ProcessEnv): Promise<Deployed> {
  const folder = path.join(dir, "team"),
    project = path.join(folder, "project"),
    passphrase = "the team's own passphrase";
  fs.mkdirSync(path.join(folder, "state"), { recursive: true });
  const backend = `file://${path.join(folder, "state")}`,
    own = {
      ...env,
      PULUMI_BACKEND_URL: backend,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      KUBECONFIG: path.join(folder, "none"),
    };
  const pulumi = (...args: string[]): string =>
    execFileSync("pulumi", [...args, "--stack", STACK, "--non-interactive"], {
      cwd: project,
      env: own,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 28,
    });
  linkProject(workspace, project, STACK);
  pulumi("stack", "init", "--secrets-provider", "passphrase");
  writePlaceholders(workspace, project, STACK);
  const { names, passwords } = await targets(workspace);
  // It ends with an error, since the rest of the program is not there; the targets are.
  spawnSync(
    "pulumi",
    [
      "up",
      "--yes",
      "--skip-preview",
      "--stack",
      STACK,
      "--non-interactive",
      ...names.flatMap((n) => ["--target", `**::${n}`]),
    ],
    { cwd: project, env: own, stdio: "ignore" },
  );
  const state = JSON.parse(pulumi("stack", "export")),
    changed = passwords[0]!;
  const recorded = state.deployment.resources.find((r: any) => r.urn.endsWith(`::${changed}`));
  if (!recorded)
    throw new Error(
      `${changed} was not deployed; there is ${state.deployment.resources.map((r: any) => r.urn).join(", ")}`,
    );
  recorded.inputs.length = recorded.outputs.length = 9;
  const file = path.join(folder, "import.json");
  fs.writeFileSync(file, JSON.stringify(state));
  pulumi("stack", "import", "--file", file);
  return { backend, passphrase, salt: saltOf(project, STACK), changed };
}
