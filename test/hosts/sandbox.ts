/**
 * Runs a host step for real, as bash, in a directory of its own with stand-ins for the programs that touch machines.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface Run {
  status: number;
  stdout: string;
  stderr: string;
  calls: string[];
}

export class Sandbox {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-step-"));
  private readonly bin = path.join(this.root, "bin");

  constructor() {
    fs.mkdirSync(this.bin);
  }

  /** A program that notes its call in `calls` and then does `body` (sh). */
  fake(name: string, body = ""): this {
    fs.writeFileSync(path.join(this.bin, name), `#!/bin/sh\necho "${name} $*" >>"${this.root}/calls"\n${body}\n`, {
      mode: 0o755,
    });
    return this;
  }

  file(name: string, text: string): this {
    const full = path.join(this.root, name);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, text);
    return this;
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.root, name), "utf8");
  }
  exists(name: string): boolean {
    return fs.existsSync(path.join(this.root, name));
  }

  run(script: string): Run {
    const calls = path.join(this.root, "calls");
    fs.rmSync(calls, { force: true });
    const r = spawnSync("bash", ["-c", script], {
      encoding: "utf8",
      env: { PATH: `${this.bin}:/usr/bin:/bin`, SANDBOX: this.root },
    });
    return {
      status: r.status ?? -1,
      stdout: r.stdout,
      stderr: r.stderr,
      calls: fs.existsSync(calls) ? fs.readFileSync(calls, "utf8").trim().split("\n") : [],
    };
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}
