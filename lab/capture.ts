import { spawn } from "node:child_process";

/** The output of a process that has ended. `status` is null when a signal ended it. */
export interface Captured {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command until it ends, without blocking this process. Rejects only when it cannot be started. */
export function capture(command: string, args: string[], stdin = ""): Promise<Captured> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "",
      stderr = "";
    child.stdout.on("data", (d) => {
      stdout += d;
    });
    child.stderr.on("data", (d) => {
      stderr += d;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    // A command that ends without reading its input reports that by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}
