/**
 * Evaluates the stack's own program in process: no Pulumi engine, no cluster, no network. Pulumi's mocks answer each
 * registration at once, and what was registered comes back as plain data, with its dependencies. The preview of a pull
 * request loads this module of the base's checkout by path and name (scripts/preview/evaluation.ts): keep both.
 */
import * as pulumi from "@pulumi/pulumi";
import { isRpcSecret } from "@pulumi/pulumi/runtime";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { program } from "../components/program";
import { DISPOSABLE } from "../components/core/identity";
import { isFingerprint } from "../components/core/signingKey";
import { layerOfType } from "../components/layers/resources";
import { aliasesOf } from "./urns";

export interface RegisteredResource {
  urn: string;
  type: string;
  name: string;
  parent?: string;
  /** That of the outermost component that starts a layer. */
  layer?: string;
  custom: boolean;
  provider?: string;
  /** Inputs with secrets unwrapped. */
  inputs: any;
  /** Paths within `inputs` that Pulumi knows to be secret. */
  secretPaths: string[];
  /** URNs that must exist before this one. */
  dependencies: string[];
  /** The part of `dependencies` that the resource names itself; only this is in the engine's state. */
  named: string[];
  protect: boolean;
  retainOnDelete: boolean;
  /** Inputs whose changes the engine ignores, as dotted paths. */
  ignored?: string[];
  /** How long the engine waits for its deletion, where the program says so: `5m`. */
  deletedWithin?: string;
  additionalSecretOutputs: string[];
  /** Former names by which the engine finds its state, as `placeOf` (cli/urns.ts) writes them. */
  aliases?: string[];
}

export interface Evaluation {
  /** In order of registration. */
  resources: RegisteredResource[];
  outputs: Record<string, any>;
  /** Names of the outputs that the engine would know as secret. */
  secretOutputs?: string[];
}

/** State that only a provider knows: generated values, certificates. */
export type Generator = (resource: MockResourceArgs, urn: string) => Record<string, any> | Promise<Record<string, any>>;

export interface EvaluateOptions {
  stack: string;
  /** As in Pulumi.<stack>.yaml: keys with or without the `matrix-ha:` prefix, structured values as they are. */
  config: Record<string, unknown>;
  /** Keys that the engine knows to hold a secret. @default all */
  secretKeys?: string[];
  /** Outputs of the stack's last deployment, which the engine would read from its state. @default none */
  deployed?: Record<string, unknown>;
  /** Default: deterministic values derived from the resource's name. */
  generator?: Generator;
  /** Default: the stack's program. Tests of one component pass a program of their own. */
  program?: () => Promise<Record<string, any>>;
}

/** Parts of the SDK that carry no types. */
const debuggable = require("@pulumi/pulumi/runtime/debuggable"),
  resproto = require("@pulumi/pulumi/proto/resource_pb"),
  structproto = require("google-protobuf/google/protobuf/struct_pb");

function unwrap(value: any, path: string, secrets: string[]): any {
  if (isRpcSecret(value)) {
    secrets.push(path);
    return unwrap(value.value, path, secrets);
  }
  if (Array.isArray(value)) return value.map((v, i) => unwrap(v, `${path}[${i}]`, secrets));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, unwrap(v, path ? `${path}.${k}` : k, secrets)]),
    );
  }
  return value;
}

/** Evaluations share Pulumi's process-wide runtime, so they run one after the other. */
let queue: Promise<unknown> = Promise.resolve();

export function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const run = queue.then(() => withoutMessages(() => evaluateNow(options)));
  queue = run.catch(() => undefined);
  return run;
}

/**
 * Nothing leaves the process, yet the SDK translates each value into a message of protobuf and back: a third of an
 * evaluation. Meanwhile a message keeps the value that it was made of, with its keys in the order in which a message
 * has them.
 */
async function withoutMessages<T>(run: () => Promise<T>): Promise<T> {
  const translate = structproto.Struct.fromJavaScript;
  structproto.Struct.fromJavaScript = messageOf;
  try {
    return await run();
  } finally {
    structproto.Struct.fromJavaScript = translate;
  }
}

/** What the SDK takes for a message of protobuf, without the translation. */
export function messageOf(value: unknown): { toJavaScript(): unknown } {
  const kept = withSortedKeys(value);
  return Object.assign(new structproto.Struct(), { toJavaScript: () => kept });
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, withSortedKeys(inner)]));
}

async function evaluateNow(options: EvaluateOptions): Promise<Evaluation> {
  const resources: RegisteredResource[] = [];
  const generator = options.generator ?? (await import("./generated")).deterministic;
  await pulumi.runtime.setMocks(
    {
      // recordInto answers registrations; the only other requests are what a test's program reads.
      newResource: async (args) => ({
        id: args.id || `${args.name}-id`,
        state: { ...args.inputs, ...(await generator({ ...args, inputs: unwrap(args.inputs, "", []) }, args.name)) },
      }),
      call: async (args) =>
        args.token === "pulumi:pulumi:readStackOutputs" ? { outputs: options.deployed ?? {} } : args.inputs,
    },
    "matrix-ha",
    options.stack,
    false,
    "organization",
  );
  recordInto(resources, generator);
  const config = Object.fromEntries(
    Object.entries(options.program ? options.config : withMadeUpKeys(options.config)).map(([k, v]) => [
      k.includes(":") ? k : `matrix-ha:${k}`,
      typeof v === "string" ? v : JSON.stringify(v),
    ]),
  );
  // Who read the stack's file has refused secrets that are in clear there.
  pulumi.runtime.setAllConfig(config, options.secretKeys ?? Object.keys(config));
  // A program that throws would end the process from within the runtime: pass the error out instead.
  let failure: unknown;
  let secretOutputs: string[] = [];
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    try {
      const made = (await (options.program ?? program)()) as Record<string, any> | undefined;
      secretOutputs = await secretsAmong(made ?? {});
      return made;
    } catch (error) {
      failure = error;
      return {};
    }
  });
  const plainOutputs = await settle(outputs ?? {});
  if (failure) throw failure;
  return { resources, outputs: plainOutputs, secretOutputs };
}

/**
 * An evaluation invents its keys: that they differ from the saved ones is not an error of the stack. Protection stays
 * the same.
 */
const withMadeUpKeys = (config: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).map(([k, v]) => [
      k,
      /^(matrix-ha:)?savedKeys$/.test(k) && isFingerprint(String(v)) ? DISPOSABLE : v,
    ]),
  );

async function secretsAmong(outputs: Record<string, any>): Promise<string[]> {
  const names = Object.keys(outputs);
  const secret = await Promise.all(names.map((name) => pulumi.isSecret(pulumi.output(outputs[name]))));
  return names.filter((_, i) => secret[i]);
}

async function settle(outputs: Record<string, any>): Promise<Record<string, any>> {
  const values = await (pulumi.output(outputs) as any).promise();
  await new Promise<void>((resolve, reject) => {
    pulumi.runtime.disconnect().then(resolve, reject);
  });
  return unwrap(values, "", []);
}

/**
 * Answers every registration itself. Pulumi's mocks drop dependencies, protection and parents, which the request has.
 * Where no provider adds anything, the request's own properties are the answer, so that nothing is translated twice.
 */
function recordInto(resources: RegisteredResource[], generator: Generator): void {
  const known = new Map<string, RegisteredResource>();
  MockMonitor.prototype.registerResource = async function (this: MockMonitor, req: any, callback: any): Promise<void> {
    try {
      const urn: string = (this as any).newUrn(req.getParent(), req.getType(), req.getName());
      if (known.has(urn)) throw new Error(`registered twice: ${urn}`);
      const secretPaths: string[] = [];
      const inputs = unwrap(pulumi.runtime.deserializeProperties(req.getObject()), "", secretPaths);
      const resource: RegisteredResource = {
        urn,
        type: req.getType(),
        name: req.getName(),
        parent: req.getParent() || undefined,
        layer: known.get(req.getParent())?.layer ?? layerOfType(req.getType()),
        custom: req.getCustom(),
        provider: req.getProvider() || undefined,
        inputs,
        secretPaths,
        dependencies: dependenciesOf(req, known),
        named: [...req.getDependenciesList()].sort(),
        protect: req.getProtect(),
        retainOnDelete: req.getRetainondelete(),
        ...(req.getIgnorechangesList().length ? { ignored: [...req.getIgnorechangesList()] } : {}),
        deletedWithin: req.getCustomtimeouts()?.getDelete() || undefined,
        additionalSecretOutputs: req.getAdditionalsecretoutputsList(),
      };
      resource.aliases = aliasesOf(resource, req.getAliasesList(), known);
      known.set(urn, resource);
      resources.push(resource);
      const id = req.getImportid() || `${resource.name}-id`;
      const made = await generator(
        {
          type: resource.type,
          name: resource.name,
          inputs,
          provider: req.getProvider(),
          custom: true,
          id: req.getImportid(),
        },
        urn,
      );
      const answer = new resproto.RegisterResourceResponse();
      answer.setUrn(urn);
      answer.setId(id);
      const state = Object.keys(made).length
        ? structproto.Struct.fromJavaScript({ ...req.getObject().toJavaScript(), ...made })
        : req.getObject();
      answer.setObject(state);
      (this as any).resources.set(urn, { urn, id, state });
      callback(null, answer);
    } catch (error) {
      callback(error, undefined);
    }
  };
}

/**
 * What a resource waits for: its own dependencies, and those of the component that it is in, which is registered after
 * them.
 */
function dependenciesOf(req: any, known: Map<string, RegisteredResource>): string[] {
  const all = new Set<string>([...req.getDependenciesList(), ...(known.get(req.getParent())?.dependencies ?? [])]);
  return [...all].sort();
}

/**
 * Pulumi records a stack trace with every promise, and reads it only where one leaks; with tsx's source maps that took
 * half of an evaluation.
 */
const noteLeak = debuggable.debuggablePromise;
debuggable.debuggablePromise = (promise: Promise<unknown>, context: string) => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return noteLeak(promise, context);
  } finally {
    Error.stackTraceLimit = limit;
  }
};
