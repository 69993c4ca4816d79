/** kubectl for the commands of `npm run local`, against the cluster of the run folder. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CACHE_DIR, RUN_DIR } from "../common/folders";

export const KUBECONFIG = path.join(RUN_DIR, "pki", "admin.conf");
const BUILT = path.join(CACHE_DIR, "bin", "kubectl");
/** The lab's own if it has been built, otherwise the one on PATH. */
export const KUBECTL = fs.existsSync(BUILT) ? BUILT : "kubectl";
export const ENV: NodeJS.ProcessEnv = { ...process.env, KUBECONFIG };

function explain(args: string[], done: { error?: Error; stderr?: string; status: number | null }): Error {
  if ((done.error as NodeJS.ErrnoException | undefined)?.code === "ENOENT")
    return new Error(
      "kubectl is missing: install it (https://kubernetes.io/docs/tasks/tools/), or build it with lab/build.sh kubernetes",
    );
  return new Error(
    `kubectl ${args.join(" ")}: ${done.error?.message ?? (done.stderr?.trim() || `ended with ${done.status}`)}`,
  );
}

export function kubectl(args: string[], input?: string): string {
  const done = spawnSync(KUBECTL, args, { env: ENV, encoding: "utf8", input, maxBuffer: 1 << 28 });
  if (done.status !== 0) throw explain(args, done);
  return done.stdout;
}

export const getItems = (...args: string[]): any[] => JSON.parse(kubectl(["get", ...args, "-o", "json"])).items;

/** Without blocking; a failure rejects with its text. */
export function kubectlLater(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(KUBECTL, args, { env: ENV, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "",
      stderr = "";
    child.stdout.on("data", (d) => {
      stdout += d;
    });
    child.stderr.on("data", (d) => {
      stderr += d;
    });
    child.on("error", (error) => reject(explain(args, { error, status: null })));
    child.on("close", (status) => (status === 0 ? resolve(stdout) : reject(explain(args, { stderr, status }))));
  });
}

/** The command inherits the terminal; its exit code becomes ours. */
export const interactive = (command: string, args: string[]): number =>
  spawnSync(command, args, { env: ENV, stdio: "inherit" }).status ?? 1;

export function requireCluster(): void {
  if (!fs.existsSync(KUBECONFIG))
    throw new Error("no cluster is known here. `npm run local` starts one; --cluster kind or kubeconfig for another");
}
