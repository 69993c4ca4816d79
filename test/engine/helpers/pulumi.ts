/**
 * Pulumi's commands on the local stack, as processes that can be watched and killed; all that they say is kept for
 * secrets.test.ts.
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiEvents } from "../../../lab/engine/events";
import { localConfig } from "../../../lab/local/config";
import { prepare, PROJECT, projectFolder, pulumi } from "../../../lab/local/engine";
import { RUN_DIR } from "../../../lab/common/folders";
import { startEngine } from "../../../lab/local/priority";
import { commandOf, descendants, sleep } from "../../../lab/scenarios/cluster";

/** Console and event log of every command of these tests. */
export const TRANSCRIPTS = path.join(RUN_DIR, "pulumi", "transcripts");

export interface Done {
  code: number | null;
  signal: NodeJS.Signals | null;
  text: string;
  seconds: number;
  events: PulumiEvents;
}

export class Running {
  readonly done: Promise<Done>;
  private readonly child: ChildProcess;
  private ended = false;

  constructor(
    args: readonly string[],
    private readonly log: string,
    options: { cwd: string; env: NodeJS.ProcessEnv },
  ) {
    const started = Date.now();
    this.child = startEngine(() => spawn("pulumi", args, { ...options, stdio: ["ignore", "pipe", "pipe"] }));
    const out = fs.createWriteStream(`${log}.txt`);
    let text = "";
    for (const s of [this.child.stdout!, this.child.stderr!])
      s.setEncoding("utf8").on("data", (c: string) => {
        text += c;
        out.write(c);
      });
    this.done = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("exit", (code, signal) => {
        this.ended = true;
        // Plugins that outlive a killed engine hold its pipes: wait for the end of the engine itself.
        setTimeout(() => {
          out.end();
          resolve({ code, signal, text, seconds: (Date.now() - started) / 1000, events: this.events() });
        }, 200);
      });
    });
  }

  events(): PulumiEvents {
    const text = fs.existsSync(this.log) ? fs.readFileSync(this.log, "utf8") : "";
    // Of an engine that was killed the last line may be half a line.
    return new PulumiEvents(text.slice(0, text.lastIndexOf("\n") + 1));
  }
  /** Resources that are done so far, by operation. */
  finished(op: string): number {
    return this.events().events.filter((e) => e.resOutputsEvent?.metadata.op === op).length;
  }

  /** Waits until the engine has come so far; false when it ended before. */
  async reached(condition: () => boolean): Promise<boolean> {
    while (!this.ended) {
      if (condition()) return true;
      await sleep(200);
    }
    return condition();
  }

  /** As a power cut does; `plugins`: those and the program as well, else they are left behind. */
  kill(plugins: boolean): void {
    const all = descendants(this.child.pid!);
    this.child.kill("SIGKILL");
    if (!plugins) leftBehind.push(...all);
    else for (const p of all) end(p);
  }
}

/** What the killed engines had started. */
const leftBehind: number[] = [];
const end = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    /* has ended */
  }
};
/** Programs that still run although their engine was killed. */
export const orphanedPrograms = (): number[] =>
  leftBehind.filter((p) => commandOf(p).includes("@pulumi/pulumi/cmd/run"));
/** Built from its module, the Kubernetes provider does not notice that its engine is gone: it keeps idling. */
export const endLeftPlugins = (): void => {
  for (const p of leftBehind.splice(0)) if (/pulumi-(resource|language)-/.test(commandOf(p))) end(p);
};

let count = 0;
/** Starts `pulumi ARGS` on the local stack, with its event log where the command has one. */
export function start(
  args: readonly string[],
  options: { sets?: string[]; cwd?: string; env?: NodeJS.ProcessEnv; project?: boolean } = {},
): Running {
  const env: NodeJS.ProcessEnv = { ...prepare(), PULUMI_DEBUG_COMMANDS: "true", ...options.env };
  if (options.project !== false) projectFolder(localConfig(options.sets ?? []));
  fs.mkdirSync(TRANSCRIPTS, { recursive: true, mode: 0o700 });
  const log = path.join(TRANSCRIPTS, `${process.pid}-${String(++count).padStart(3, "0")}-${args[0]}.json`);
  const logged = ["up", "preview", "refresh", "destroy"].includes(args[0]!);
  return new Running([...args, "--non-interactive", ...(logged ? ["--event-log", log] : [])], log, {
    cwd: options.cwd ?? PROJECT,
    env,
  });
}

/** Runs it until it ends. */
export const run = (args: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Done> =>
  start(args, options).done;

/** Runs it until it succeeds. */
export async function must(args: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Done> {
  const done = await run(args, options);
  if (done.code !== 0)
    throw new Error(`pulumi ${args.join(" ")} ended with ${done.code ?? done.signal}: ${errorsOf(done)}`);
  return done;
}
export const errorsOf = (d: Done): string =>
  d.events.diagnostics("error").join("\n").slice(-3000) || d.text.slice(-3000);

/**
 * The state with its secrets in plain text: the only command whose output is not kept, since the tests search for these
 * values.
 */
export function shownState(): string {
  const { status, stdout } = pulumi(["stack", "export", "--show-secrets"], { capture: true });
  if (status !== 0) throw new Error(`pulumi stack export ended with ${status}`);
  return stdout;
}

export const UP = ["up", "--yes", "--skip-preview"] as const;
export const up = (sets: string[] = [], ...more: string[]): Promise<Done> => must([...UP, ...more], { sets });
/** The last part of each URN. */
export const names = (d: Done): string[] =>
  d.events
    .steps()
    .map((s) => `${s.op} ${s.urn.split("::").at(-1)}`)
    .sort();
