/** The Pulumi CLI in a step: found on PATH, its output shown in the job's log at once. */
import { spawn } from "node:child_process";
import { UsageError } from "../../cli/arguments";
import { watchUsage, type Usage } from "./usage";

export interface Ran {
  status: number;
  /** The end of what it wrote to standard error. */ stderr: string;
  seconds: number;
  usage?: Usage;
}

const KEPT = 16_384;

export function pulumi(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd,
      env,
      stdio: ["ignore", "inherit", "pipe"],
    });
    const usage = child.pid === undefined ? () => undefined : watchUsage(child.pid);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text);
      stderr = (stderr + text).slice(-KEPT);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      usage();
      reject(
        error.code === "ENOENT"
          ? new UsageError(
              "there is no `pulumi` on PATH. The preview needs the engine: install the Pulumi CLI (docs/deploy.md says which version), in a workflow with pulumi/actions before this step",
            )
          : error,
      );
    });
    child.on("close", (status) =>
      resolve({ status: status ?? 1, stderr, seconds: (performance.now() - started) / 1000, usage: usage() }),
    );
  });
}
