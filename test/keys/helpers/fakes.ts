/**
 * A deployed stack as `pulumi stack export --show-secrets` prints it, and fake programs on PATH for the keys command.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { spawnSync } from "node:child_process";
import type { Evaluation } from "../../../cli/evaluate";

const ROOT = path.join(__dirname, "../../..");
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
export const marked = (value: unknown): object => ({ ...SECRET, plaintext: JSON.stringify(value) });

/** The forms of a Secret in a state: secret as a whole, each value on its own, or as the API server returns it. */
export type Form = "whole" | "each" | "data";

function kept(inputs: any, form: Form): any {
  if (inputs.kind !== "Secret" || !inputs.stringData) return inputs;
  const { stringData, ...rest } = inputs;
  const values = Object.entries<string>(stringData);
  if (form === "whole") return { ...rest, stringData: marked(stringData) };
  if (form === "each") return { ...rest, stringData: Object.fromEntries(values.map(([k, v]) => [k, marked(v)])) };
  return { ...rest, data: marked(Object.fromEntries(values.map(([k, v]) => [k, Buffer.from(v).toString("base64")]))) };
}

export function exportOf(evaluation: Evaluation, form: Form = "whole"): any {
  const resources: any[] = evaluation.resources.map((r) => {
    const inputs = kept(r.inputs, form);
    return {
      urn: r.urn,
      type: r.type,
      custom: r.custom,
      inputs:
        r.type.startsWith("tls:") && inputs.caPrivateKeyPem
          ? { ...inputs, caPrivateKeyPem: marked(inputs.caPrivateKeyPem) }
          : inputs,
    };
  });
  const stack = {
    urn: "urn:pulumi:test::matrix-ha::pulumi:pulumi:Stack::matrix-ha-test",
    type: "pulumi:pulumi:Stack",
    outputs: { serverName: evaluation.outputs.serverName },
  };
  return {
    version: 3,
    deployment: { manifest: {}, resources: [stack, ...resources.filter((r) => r.type !== stack.type)] },
  };
}

const PULUMI = `#!/usr/bin/env node
const fs = require("fs"), args = process.argv.slice(2), dir = __dirname + "/..";
fs.appendFileSync(dir + "/argv", args.join(" ") + "\\n");
const config = JSON.parse(fs.readFileSync(dir + "/config.json"));
if (args[0] === "stack" && args[1] === "export" && args.includes("--show-secrets")) process.stdout.write(fs.readFileSync(dir + "/export.json"));
else if (args[0] === "config" && args[1] === "set" && args.includes("--secret") && args.includes("--path")) {
  const [, key, name] = /^(matrix-ha:\\w+)\\.(\\w+)$/.exec(args.find((a) => a.startsWith("matrix-ha:")));
  if (name === process.env.FAIL_AT) { console.error("no"); process.exit(255); }
  config[key] = { secret: true, objectValue: { ...config[key]?.objectValue, [name]: fs.readFileSync(0, "utf8").replace(/\\n$/, "") } };
  fs.writeFileSync(dir + "/config.json", JSON.stringify(config));
} else if (args[0] === "config" && args.includes("--json") && args.includes("--show-secrets")) process.stdout.write(JSON.stringify(config));
else { console.error("unexpected: " + args.join(" ")); process.exit(1); }
`;
const KUBECTL = `#!/usr/bin/env node
const fs = require("fs"), args = process.argv.slice(2), dir = __dirname + "/..";
fs.appendFileSync(dir + "/argv", args.join(" ") + "\\n");
const at = args.indexOf("get"), file = dir + "/objects/" + args[args.indexOf("--namespace") + 1] + "." + args[at + 1] + "." + args[at + 2];
if (!args.includes("--ignore-not-found")) process.exit(1);
if (fs.existsSync(file)) process.stdout.write(fs.readFileSync(file));
`;

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A folder with `pulumi` and `kubectl`, their state in files, and the keys command run against them. */
export class Fakes {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-keys-"));

  constructor() {
    fs.mkdirSync(path.join(this.dir, "bin"));
    fs.mkdirSync(path.join(this.dir, "objects"));
    for (const [name, text] of Object.entries({ pulumi: PULUMI, kubectl: KUBECTL }))
      fs.writeFileSync(path.join(this.dir, "bin", name), text, { mode: 0o755 });
    this.write("argv", "").config({}).export({ version: 3, deployment: null });
  }

  write(name: string, text: string): this {
    fs.writeFileSync(path.join(this.dir, name), text);
    return this;
  }
  read(name: string): string {
    return fs.readFileSync(path.join(this.dir, name), "utf8");
  }
  file(name: string): string {
    return path.join(this.dir, name);
  }
  config(settings: Record<string, unknown>): this {
    return this.write(
      "config.json",
      JSON.stringify(
        Object.fromEntries(
          Object.entries(settings).map(([k, v]) => [
            `matrix-ha:${k}`,
            typeof v === "object" ? { secret: true, objectValue: v } : { secret: false, value: v },
          ]),
        ),
      ),
    );
  }
  export(state: object): this {
    return this.write("export.json", JSON.stringify(state));
  }
  get importSecrets(): Record<string, string> {
    return JSON.parse(this.read("config.json"))["matrix-ha:importSecrets"]?.objectValue ?? {};
  }
  /** Secrets and ConfigMaps as the cluster would have them. */
  cluster(evaluation: Evaluation): this {
    for (const r of evaluation.resources.filter((x) => ["Secret", "ConfigMap"].includes(x.inputs?.kind))) {
      const { kind, metadata, stringData, data } = r.inputs;
      const encoded = stringData
        ? Object.fromEntries(Object.entries<string>(stringData).map(([k, v]) => [k, Buffer.from(v).toString("base64")]))
        : data;
      this.write(
        `objects/${metadata.namespace}.${kind.toLowerCase()}.${metadata.name}`,
        JSON.stringify({ kind, metadata, data: encoded }),
      );
    }
    return this;
  }

  keys(args: string[], options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {}): Ran {
    return spawnSync(
      process.execPath,
      ["--import", path.join(ROOT, "node_modules/tsx/dist/loader.mjs"), path.join(ROOT, "cli/keys.ts"), ...args],
      {
        cwd: options.cwd ?? this.dir,
        encoding: "utf8",
        input: options.input ?? "",
        env: {
          ...process.env,
          PATH: `${path.join(this.dir, "bin")}${path.delimiter}${process.env.PATH}`,
          ...options.env,
        },
      },
    );
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
