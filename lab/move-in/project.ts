/**
 * The folder of the project in which the commands of docs/move-in.md run, as on an operator's computer: a copy of this
 * checkout, `pulumi` and `kubectl` on PATH, a home of its own.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument, stringify } from "yaml";
import { classesScaled, WORKER_CLASSES } from "../../components/domain/workerClasses";
import { WORKERS } from "../../components/domain/workers";
import { readStackConfig } from "../../components/settings/stackFile";
import { CACHE_DIR, ROOT, RUN_DIR } from "../common/folders";
import { localConfig, STACK as LOCAL } from "../local/config";
import { prepare } from "../local/engine";
import { KUBECONFIG } from "../local/kubectl";

/** The name that the new stack gets. */
export const STACK = "moved";
/** Of the local stack: what `npm run import --hosts` does not take, because it is not about machines. */
const OF_THE_LAB = ["web", "rtc", "deletionProtection", "savedKeys", "overrides", "images"];

/** Room on the lab's nodes for the classes that federation and a bridge bring: small ones, and fewer of the others. */
const SMALL = { cpu: 0.02, memoryMiB: 192, cpMax: 4 };
const ROOM: ReadonlyArray<[at: string, value: unknown]> = [
  ...WORKER_CLASSES.filter((cls) => WORKERS[cls].needs?.federation ?? WORKERS[cls].needs?.appservices).map(
    (cls): [string, unknown] => [`pools.${cls}`, SMALL],
  ),
  ...classesScaled("autoscaled").map((cls): [string, unknown] => [`pools.${cls}.maxReplicas`, 2]),
  ["postgres.maxConnections", 275],
];

export class Project {
  readonly folder: string;
  private readonly home: string;
  private readonly env: NodeJS.ProcessEnv;

  constructor(
    dir: string,
    private readonly log: (line: string) => void,
  ) {
    this.folder = path.join(dir, "project");
    this.home = path.join(dir, "home");
    fs.mkdirSync(this.home, { mode: 0o700 });
    for (const entry of fs.readdirSync(ROOT))
      if (![".git", "node_modules"].includes(entry))
        fs.cpSync(path.join(ROOT, entry), path.join(this.folder, entry), { recursive: true });
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(this.folder, "node_modules"));
    const engine = prepare();
    this.env = {
      ...engine,
      HOME: this.home,
      KUBECONFIG,
      MATRIX_HA_CACHE: CACHE_DIR,
      MATRIX_HA_RUN: RUN_DIR,
      PATH: `${engine.PATH}${path.delimiter}${path.join(CACHE_DIR, "bin")}`,
      // In place of the operator who reads the preview.
      PULUMI_SKIP_CONFIRMATIONS: "true",
    };
  }

  /** The lab's machines, in the form of --hosts. */
  writeHosts(): string {
    const { ssh, ...settings } = localConfig([]) as { ssh: Record<string, unknown> } & Record<string, unknown>;
    delete ssh.privateKey;
    const file = path.join(this.folder, "lab.yaml");
    const named = Object.entries({ ssh, ...settings }).map(([key, value]) => [`matrix-ha:${key}`, value]);
    fs.writeFileSync(file, stringify({ config: Object.fromEntries(named) }));
    return "lab.yaml";
  }

  /** What an operator writes into the stack file after reading the report. */
  decide(importFrom: Record<string, unknown>): void {
    const file = path.join(this.folder, `Pulumi.${STACK}.yaml`);
    const document = parseDocument(fs.readFileSync(file, "utf8"));
    for (const [key, value] of Object.entries(importFrom))
      document.setIn(["config", "matrix-ha:database", "importFrom", key], value);
    const lab = readStackConfig(LOCAL, ROOT);
    for (const key of OF_THE_LAB) document.setIn(["config", `matrix-ha:${key}`], document.createNode(lab[key]));
    for (const [at, value] of ROOM) document.setIn(["config", "matrix-ha:overrides", ...at.split(".")], value);
    fs.writeFileSync(file, document.toString());
  }

  /** Runs commands of the document with this stack's name; returns what they print. */
  run(commands: string, more: { input?: string } = {}): Promise<string> {
    const named = commands.replace(/\bNAME\b/g, STACK);
    for (const line of named.trim().split("\n")) this.log(`$ ${line}`);
    const child = spawn("bash", ["-euo", "pipefail", "-c", named], {
      cwd: this.folder,
      env: this.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let text = "",
      errors = "";
    child.stdout.on("data", (d) => {
      text += d;
    });
    child.stderr.on("data", (d) => {
      errors += d;
    });
    child.stdin.end(more.input ?? "");
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => {
        fs.appendFileSync(path.join(path.dirname(this.folder), "commands.log"), `$ ${named}\n${text}\n${errors}\n`);
        if (status === 0) resolve(text);
        else reject(new Error(`${named.trim()}\nended with ${status}:\n${`${text}\n${errors}`.slice(-3000)}`));
      });
    });
  }

  /** Starts a command that runs until it is stopped. */
  background(command: string): { stop(): void } {
    this.log(`$ ${command} &`);
    const child = spawn("bash", ["-c", `exec ${command}`], { cwd: this.folder, env: this.env, stdio: "ignore" });
    return { stop: () => void child.kill() };
  }
}
