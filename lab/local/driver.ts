/**
 * FOR LOCAL USE ONLY, where no `pulumi` is installed: applies what the program registers to a real cluster and to real
 * hosts, in dependency order, with the waits that the provider would do. It has no locking and no preview; its
 * state is a file on this machine. Real environments use `pulumi up`.
 */
import * as crypto from "node:crypto";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { isCommand, isKubernetes, layerOf, objectTitle } from "../../cli/layers";
import { Cluster } from "./cluster";
import { persistentGenerator } from "./generators";
import { runRemote } from "./remote";
import type { State } from "./state";
import { verdict } from "./waits";

/** Under this name the driver's fields are known to the API server. */
export const FIELD_MANAGER = "matrix-ha-local";
/** API requests and SSH sessions in flight; more only heats two cores. */
const CONCURRENCY = 12;
/** Webhooks of operators answer some seconds after their pods are ready; the provider retries as well. */
const RETRY_SECONDS = 90;

export interface Report { created: string[]; changed: string[]; unchanged: number; deleted: string[]; seconds: number }

export interface DriverOptions {
  stack: string;
  config: Record<string, unknown>;
  kubeconfig: string;
  state: State;
  log: (line: string) => void;
  /** Default: the stack's program. */
  program?: () => Promise<Record<string, any>>;
}

type Outcome = "created" | "changed" | "unchanged";

const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));
const digest = (value: unknown): string => crypto.createHash("sha256").update(JSON.stringify(value)).digest("hex");

export class Driver {
  private readonly cluster: Cluster;
  private readonly started = Date.now();
  private inFlight = 0;
  private readonly waiting: Array<() => void> = [];

  constructor(private readonly options: DriverOptions) {
    this.cluster = new Cluster(options.kubeconfig);
  }

  async up(): Promise<Report> {
    const { state, stack, config, log } = this.options;
    const { resources } = await evaluate({ stack, config, program: this.options.program, generator: persistentGenerator(state) });
    const work = resources.filter((r) => isKubernetes(r) || isCommand(r));
    log(`${work.length} resources to bring about (${resources.filter(isCommand).length} commands on hosts)`);
    const report: Report = { created: [], changed: [], unchanged: 0, deleted: [], seconds: 0 };
    const done = new Map<string, Promise<void>>();
    const failures: string[] = [];
    for (const r of work) {
      const before = r.dependencies.map((d) => done.get(d)).filter((p): p is Promise<void> => Boolean(p));
      const mine = Promise.all(before).then(() => this.one(r)).then((outcome) => {
        if (outcome === "created") report.created.push(objectTitle(r));
        else if (outcome === "changed") report.changed.push(objectTitle(r));
        else report.unchanged++;
      });
      mine.catch((error: Error) => {
        if (error.message.startsWith("not reached")) return;
        failures.push(`${objectTitle(r)}: ${error.message}`);
        log(`${this.elapsed()}  FAILED ${objectTitle(r)}: ${error.message.slice(0, 400)}`);
      });
      done.set(r.urn, mine.catch(() => { throw new Error(`not reached: ${objectTitle(r)}`); }));
    }
    await Promise.allSettled(done.values());
    if (failures.length) throw new Error(`${failures.length} resources failed:\n  ${failures.join("\n  ")}`);
    report.deleted = await this.removeOrphans(new Set(work.map((r) => r.urn)));
    report.seconds = (Date.now() - this.started) / 1000;
    return report;
  }

  private async slot<T>(run: () => Promise<T>): Promise<T> {
    while (this.inFlight >= CONCURRENCY) await new Promise<void>((r) => this.waiting.push(r));
    this.inFlight++;
    try { return await run(); } finally { this.inFlight--; this.waiting.shift()?.(); }
  }

  private elapsed(): string { return `${((Date.now() - this.started) / 1000).toFixed(0).padStart(4)}s`; }

  private async one(r: RegisteredResource): Promise<Outcome> {
    const begun = Date.now();
    const outcome = isCommand(r) ? await this.slot(() => this.command(r)) : await this.object(r);
    const took = (Date.now() - begun) / 1000;
    if (outcome !== "unchanged" && (took > 2 || outcome === "changed")) this.options.log(`${this.elapsed()}  ${layerOf(r)}: ${objectTitle(r)} ${outcome} (${took.toFixed(1)} s)`);
    return outcome;
  }

  private async command(r: RegisteredResource): Promise<Outcome> {
    const { state } = this.options;
    const { connection, create, update, stdin, triggers } = r.inputs;
    const mark = digest({ create, update, stdin, triggers, host: connection.host });
    const known = state.applied[r.urn];
    if (known?.digest === mark) return "unchanged";
    const result = await runRemote(connection, known ? (update ?? create) : create, stdin);
    if (result.code !== 0) throw new Error(`on ${connection.host}, exit code ${result.code}: ${(result.stderr || result.stdout).trim().slice(-600)}`);
    state.applied[r.urn] = { type: r.type, digest: mark, retain: r.retainOnDelete, handle: r.inputs.delete ? { command: r.inputs.delete, host: connection.host } : undefined };
    state.save();
    return known ? "changed" : "created";
  }

  private async object(r: RegisteredResource): Promise<Outcome> {
    const { state } = this.options;
    const desired = manifestOf(r);
    const annotations: Record<string, string> = r.inputs.metadata?.annotations ?? {};
    // As the engine does: what was applied with the same inputs, and is still there, is not touched again.
    const mark = digest(r.inputs);
    if (state.applied[r.urn]?.digest === mark) {
      const present = await this.slot(() => this.cluster.read(desired));
      if (present) { await this.settle(r, present, annotations); return "unchanged"; }
    }
    const known = state.applied[r.urn];
    const { outcome, live, foreign } = await this.slot(() => this.apply(r, desired));
    const meta = desired.metadata;
    state.applied[r.urn] = {
      type: r.type, digest: mark, protect: r.protect, retain: r.retainOnDelete || r.type.endsWith("Patch"), existed: (known ? known.existed : foreign) || undefined,
      handle: { apiVersion: desired.apiVersion, kind: desired.kind, metadata: { name: meta.name, namespace: meta.namespace } },
    };
    // Also when nothing changed in the cluster: these inputs are now the known ones.
    state.save();
    await this.settle(r, live, annotations);
    return outcome;
  }

  private async apply(r: RegisteredResource, desired: any): Promise<{ outcome: Outcome; live: any; foreign: boolean }> {
    const deadline = Date.now() + RETRY_SECONDS * 1000;
    for (;;) {
      try {
        const before = await this.cluster.read(desired);
        // Reached with an object of ours only when its inputs changed, and a Job's template cannot be changed in place.
        if (before && desired.kind === "Job" && this.options.state.applied[r.urn]) {
          await this.cluster.remove(before, "Foreground");
          for (let i = 0; i < 60 && await this.cluster.read(desired); i++) await sleep(500);
        }
        const live: any = await this.cluster.apply(desired, FIELD_MANAGER);
        if (!before) return { outcome: "created", live, foreign: false };
        const foreign = !(before.metadata.managedFields ?? []).some((m: any) => m.manager === FIELD_MANAGER);
        return { foreign, outcome: before.metadata.resourceVersion === live.metadata.resourceVersion || sameSpec(before, live) ? "unchanged" : "changed", live };
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        const transient = /webhook|no endpoints|connection refused|ECONNREFUSED|ECONNRESET|socket hang up|timeout|no matches|404 page not found|Unrecognized API|the server could not find|not found in|etcdserver|conflict/i.test(text);
        if (!transient || Date.now() > deadline) throw new Error(text);
        await sleep(1500);
      }
    }
  }

  /** Waits as the provider does. A verdict's text is printed when it has not changed for a while, so that nobody stares at nothing. */
  private async settle(r: RegisteredResource, first: any, annotations: Record<string, string>): Promise<void> {
    const limit = Number(annotations["pulumi.com/timeoutSeconds"] ?? 600) * 1000;
    const begun = Date.now();
    let live = first, told = Date.now();
    for (;;) {
      const v = verdict(live, annotations);
      if (v.done) return;
      if (Date.now() - begun > limit) throw new Error(`not ready after ${limit / 1000} s: ${v.why}`);
      if (Date.now() - told > 30_000) { this.options.log(`${this.elapsed()}  waiting for ${objectTitle(r)}: ${v.why}`); told = Date.now(); }
      await sleep(Date.now() - begun > 20_000 ? 2000 : 700);
      live = (await this.cluster.read(live).catch(() => live)) ?? live;
    }
  }

  /** What an earlier run applied and the program no longer registers; never what is protected or retained. */
  private async removeOrphans(present: Set<string>): Promise<string[]> {
    const { state, log } = this.options;
    const removed: string[] = [];
    for (const [urn, a] of Object.entries(state.applied).reverse()) {
      if (present.has(urn)) continue;
      if (a.protect) throw new Error(`${urn} is protected and no longer in the program: unprotect it first, or bring its setting back`);
      if (!a.retain && a.handle?.kind) {
        const found = await this.cluster.read(a.handle);
        if (found) await this.cluster.remove(found, "Background");
        removed.push(`${a.handle.kind} ${a.handle.metadata.name}`);
        log(`${this.elapsed()}  deleted ${a.handle.kind} ${a.handle.metadata.namespace ?? ""}/${a.handle.metadata.name}`);
      }
      delete state.applied[urn];
      state.save();
    }
    return removed;
  }
}

/** The object as it goes to the API server: a `...Patch` type is a partial object of the kind it patches. */
function manifestOf(r: RegisteredResource): any {
  const { apiVersion, kind, metadata, ...rest } = structuredClone(r.inputs);
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([k]) => !k.startsWith("pulumi.com/")));
  return { apiVersion, kind, metadata: { ...metadata, ...(Object.keys(annotations).length ? { annotations } : { annotations: undefined }) }, ...rest };
}

/** Controllers write status at any time, which also raises the version: only what we own counts as a change. */
function sameSpec(before: any, after: any): boolean {
  const own = (o: any): unknown => {
    const { status, metadata, ...rest } = o;
    return { ...rest, labels: metadata.labels, annotations: metadata.annotations, generation: metadata.generation };
  };
  return digest(own(before)) === digest(own(after));
}
