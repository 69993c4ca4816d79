/** `pulumi` on a stack of its own: a file backend, a passphrase, a project folder, all in the folder of this run. */
import { spawn } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiEvents } from "../engine/events";
import { engineEnvironment } from "../engine/home";
import { findParts } from "../engine/parts";
import { projectFolder } from "../local/engine";

/** Longest that a deployment may take: the whole command should end within 20 minutes. */
const MOST_SECONDS = 900;
const STACK = "scale";
/** Characters of a failure that are worth reading. */
const MOST_TEXT = 6000;

/** One command of the engine, and what it did. */
export interface Ran {
  seconds: number;
  /** Number of resources by operation. */
  summary: Record<string, number>;
  /** A line for each changed resource. */
  changes: string[];
}

export class Engine {
  private readonly project: string;
  private env: NodeJS.ProcessEnv = {};

  constructor(
    private readonly dir: string,
    private readonly kubeconfig: string,
  ) {
    this.project = path.join(dir, "project");
  }

  /** Makes the engine's home and the stack, with these settings. */
  async create(config: Record<string, unknown>): Promise<void> {
    const passphrase = path.join(this.dir, "passphrase");
    fs.mkdirSync(path.join(this.dir, "state"), { recursive: true });
    fs.writeFileSync(passphrase, crypto.randomBytes(24).toString("base64url"), { mode: 0o600 });
    this.env = {
      ...process.env,
      ...engineEnvironment(path.join(this.dir, "home"), findParts()),
      KUBECONFIG: this.kubeconfig,
      PULUMI_BACKEND_URL: `file://${path.join(this.dir, "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
      PULUMI_DEBUG_COMMANDS: "true",
      PULUMI_STACK: undefined,
      PULUMI_CONFIG_PASSPHRASE: undefined,
    };
    this.configure(config);
    await this.pulumi(["stack", "init", STACK, "--secrets-provider", "passphrase"]);
    this.configure(config);
  }

  /** Writes the stack's file. */
  configure(config: Record<string, unknown>): void {
    projectFolder(config, this.project, STACK, this.env);
  }

  preview(): Promise<Ran> {
    return this.measured(["preview"]);
  }
  up(): Promise<Ran> {
    return this.measured(["up", "--yes", "--skip-preview"]);
  }

  private async measured(args: string[]): Promise<Ran> {
    const log = path.join(this.dir, "events.json");
    fs.rmSync(log, { force: true });
    const started = Date.now();
    const ended = await this.pulumi([...args, "--suppress-outputs", "--event-log", log]).then(
      () => undefined,
      (error: Error) => error,
    );
    const events = new PulumiEvents(fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "");
    if (ended) throw new Error([...events.diagnostics("error"), ended.message].join("\n").slice(0, MOST_TEXT));
    return {
      seconds: (Date.now() - started) / 1000,
      summary: events.summary(),
      changes: events.changes().detail,
    };
  }

  /** Asynchronous: the operators are played by this process meanwhile. */
  private pulumi(args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn("pulumi", [...args, "--non-interactive"], {
        cwd: this.project,
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: MOST_SECONDS * 1000,
      });
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (data: Buffer) => {
          text += data.toString();
        });
      child.on("error", reject);
      child.on("close", (status, signal) =>
        status === 0
          ? resolve(text)
          : reject(new Error(`pulumi ${args[0]} ended with ${status ?? signal}:\n${text.trimEnd().slice(-MOST_TEXT)}`)),
      );
    });
  }
}
