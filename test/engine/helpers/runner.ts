/**
 * Runs a workflow as GitHub's runner does, on this machine: jobs in their order, the matrix, conditions, outputs, each
 * step in a shell.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { evaluate, filled, type Contexts, type Status } from "./expressions";

export interface Job {
  name: string;
  id: string;
  workspace: string;
  temp: string;
  home: string;
  /** Added to by actions. */ env: Record<string, string>;
  path: string[];
  status: Status;
  outputs: Record<string, string>;
  matrix: Record<string, string>;
}
/** Actions that only a runner can do, with the test's replacement. */
export interface Action {
  reason: string;
  run(job: Job, inputs: Record<string, any>): void;
}
export interface Ended {
  name: string;
  id: string;
  ok: boolean;
  workspace: string;
  temp: string;
  summary: string;
  log: string;
  seconds: Record<string, number>;
}

export interface RunnerOptions {
  workflow: string;
  dir: string;
  actions: Record<string, Action>;
  /** `github`, and the repository's `vars` and `secrets`. */
  contexts: Contexts & { vars: Record<string, string>; secrets: Record<string, string> };
  /** What only a job in an environment sees. */
  environments?: Record<string, { vars: Record<string, string>; secrets: Record<string, string> }>;
  /** Variables of every step, beside those that are the runner's. */
  env: Record<string, string>;
}

/** The runner's own variables from outside that a step may see: how it finds programs and packages. */
const INHERITED =
  /^(PATH|LANG|TZ|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|npm_config_(registry|cache|userconfig|cafile))$/i;
const inherited = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([k, v]) => (INHERITED.test(k) && v !== undefined ? [[k, v]] : [])),
  );

/** As a runner runs `run:` on Linux when no shell is named. */
function shell(script: string, cwd: string, env: Record<string, string>, log: string): Promise<number> {
  const file = `${log}.sh`,
    out = fs.openSync(log, "a");
  fs.writeFileSync(file, script);
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-e", file], { cwd, env, stdio: ["ignore", out, out] });
    child.on("error", reject);
    child.on("close", (code) => {
      fs.closeSync(out);
      resolve(code ?? 1);
    });
  });
}

const fromFile = (file: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readFileSync(file, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((l) => [l.slice(0, l.indexOf("=")), l.slice(l.indexOf("=") + 1)]),
  );

interface JobFiles {
  summary: string;
  log: string;
}

/** Whether a job's or a step's condition holds. */
const isDue = (what: any, contexts: Contexts, status: Status): boolean =>
  Boolean(evaluate(String(what.if ?? "success()").replace(/^\$\{\{|\}\}$/g, ""), contexts, status));

export class Runner {
  private readonly document: any;
  private readonly needs: Record<string, { outputs: Record<string, string>; failed: boolean }> = {};
  private count = 0;
  constructor(private readonly options: RunnerOptions) {
    this.document = parse(options.workflow);
  }

  /** All jobs, or those that are named (what they need has run before). */
  async run(only?: string): Promise<Ended[]> {
    const ended: Ended[] = [];
    for (const [id, job] of Object.entries<any>(this.document.jobs)) {
      if (only && id !== only) continue;
      const needed = [job.needs ?? []].flat().map(
        (n: string) =>
          this.needs[n] ??
          (() => {
            throw new Error(`${id} needs ${n}, which comes after it`);
          })(),
      );
      const status = { failed: needed.some((n) => n.failed), cancelled: false };
      if (!isDue(job, this.contexts(), status)) {
        this.needs[id] = { outputs: {}, failed: true };
        continue;
      }
      const matrix = filled(job.strategy?.matrix ?? {}, this.contexts(), status) as Record<string, string[]>;
      const [axis, values] = Object.entries(matrix)[0] ?? [];
      const instances: Array<Record<string, string>> = axis ? values!.map((v) => ({ [axis]: v })) : [{}];
      const here: Ended[] = [];
      for (const m of instances) here.push(await this.job(id, job, m));
      this.needs[id] = { ...this.needs[id]!, failed: here.some((e) => !e.ok) };
      ended.push(...here);
    }
    return ended;
  }

  private contexts(more: Contexts = {}): Contexts {
    return { ...this.options.contexts, needs: this.needs, ...more };
  }

  private async job(id: string, job: any, matrix: Record<string, string>): Promise<Ended> {
    const name = [id, ...Object.values(matrix)].join("-"),
      dir = path.join(this.options.dir, `${this.count++}-${name}`);
    const at = (folder: string): string => {
      const d = path.join(dir, folder);
      fs.mkdirSync(d, { recursive: true });
      return d;
    };
    const now: Job = {
      id,
      name,
      workspace: at("work"),
      temp: at("temp"),
      home: at("home"),
      env: {},
      path: [],
      status: { failed: false, cancelled: false },
      outputs: {},
      matrix,
    };
    const files: JobFiles = { summary: path.join(dir, "summary.md"), log: path.join(dir, "log") },
      seconds: Record<string, number> = {};
    fs.writeFileSync(files.summary, "");
    fs.writeFileSync(files.log, "");
    const steps: Record<string, { outputs: Record<string, string> }> = {};
    const given = this.given(job, now);
    for (const [i, step] of job.steps.entries()) {
      const contexts = this.contexts({ ...given, matrix, steps, runner: { temp: now.temp } });
      if (!isDue(step, contexts, now.status)) continue;
      const title = step.name ?? step.run ?? step.uses,
        started = Date.now();
      fs.appendFileSync(files.log, `\n##[group]${title}\n`);
      if (step.uses) this.action(step, now, filled(step.with ?? {}, contexts, now.status) as any);
      else {
        const output = path.join(dir, `output-${i}`);
        await this.script(step, now, contexts, { ...files, output });
        if (step.id) steps[step.id] = { outputs: fromFile(output) };
      }
      seconds[title] = (Date.now() - started) / 1000;
    }
    this.needs[id] = {
      outputs: filled(job.outputs ?? {}, this.contexts({ matrix, steps }), now.status) as any,
      failed: now.status.failed,
    };
    const summary = fs.readFileSync(files.summary, "utf8"),
      log = fs.readFileSync(files.log, "utf8");
    return { name, id, ok: !now.status.failed, workspace: now.workspace, temp: now.temp, summary, log, seconds };
  }

  /** The repository's variables and secrets, and those of the job's environment. */
  private given(job: any, now: Job): { vars: Record<string, string>; secrets: Record<string, string> } {
    const own =
      this.options.environments?.[
        String(filled(job.environment ?? "", this.contexts({ matrix: now.matrix }), now.status))
      ];
    return {
      vars: { ...this.options.contexts.vars, ...own?.vars },
      secrets: { ...this.options.contexts.secrets, ...own?.secrets },
    };
  }

  /** Runs a step's `run:`; `output` is the file that it may write its outputs to. */
  private async script(
    step: any,
    now: Job,
    contexts: Contexts,
    { summary, log, output }: JobFiles & { output: string },
  ): Promise<void> {
    fs.writeFileSync(output, "");
    const asked = filled(step.env ?? {}, contexts, now.status) as Record<string, unknown>;
    const own = Object.fromEntries(Object.entries(asked).map(([k, v]) => [k, String(v ?? "")]));
    const env = { ...inherited(), ...this.options.env, ...this.variables(now, summary, output), ...now.env, ...own };
    env.PATH = [...now.path, env.PATH].join(path.delimiter);
    if ((await shell(step.run, now.workspace, env, log)) !== 0) now.status.failed = true;
  }

  private action(step: any, job: Job, inputs: Record<string, any>): void {
    const action = this.options.actions[step.uses.split("@")[0]];
    if (!action) throw new Error(`the workflow uses ${step.uses}: define its replacement in the test, with the reason`);
    action.run(job, inputs);
  }

  private variables(job: Job, summary: string, output: string): Record<string, string> {
    return {
      CI: "true",
      GITHUB_ACTIONS: "true",
      HOME: job.home,
      RUNNER_TEMP: job.temp,
      RUNNER_OS: "Linux",
      GITHUB_WORKSPACE: job.workspace,
      GITHUB_JOB: job.id,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output,
    };
  }
}
