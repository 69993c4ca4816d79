/**
 * A PULUMI_HOME made of the parts: `bin/` for PATH, and `plugins/`, each under the version that its npm package asks
 * for.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../common/folders";
import { allYours, described, LAB_HOME, PLUGINS, versionOf, type Parts } from "./parts";

/**
 * Makes `dir` such a home and returns the environment in which `pulumi` finds it. Written anew each time: it points
 * into this checkout. Where everything is the user's own nothing is made, and the engine is theirs.
 */
export function engineEnvironment(dir: string, parts: Parts): NodeJS.ProcessEnv {
  const cli = path.dirname(parts.pulumi.file!);
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (allYours(parts)) return { ...quiet, PATH: `${cli}${path.delimiter}${process.env.PATH}` };
  const bin = path.join(dir, "bin");
  fs.rmSync(path.join(dir, "plugins"), { recursive: true, force: true });
  fs.mkdirSync(bin, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(dir, LAB_HOME), `${described(parts)}\n`);
  // A file of its own, no symbolic link: the engine looks for the language host beside the file that it is.
  place(path.join(bin, "pulumi"), parts.pulumi.origin === "built" ? parts.pulumi.file : undefined);
  if (parts.nodejs.origin === "stand-in") script(path.join(bin, "pulumi-language-nodejs"), "host/languageHost.ts");
  else fs.rmSync(path.join(bin, "pulumi-language-nodejs"), { force: true });
  for (const name of PLUGINS) {
    const file = path.join(dir, "plugins", `resource-${name}-v${versionOf(name)}`, `pulumi-resource-${name}`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (parts[name].file) fs.symlinkSync(parts[name].file!, file);
    else script(file, "providers/main.ts", name, versionOf(name));
  }
  return {
    ...quiet,
    PULUMI_HOME: dir,
    PATH: [bin, ...(parts.pulumi.origin === "yours" ? [cli] : []), process.env.PATH].join(path.delimiter),
    // What is not in this home is nowhere: no look on the Internet, none for another version on PATH.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
  };
}

function place(file: string, from: string | undefined): void {
  fs.rmSync(file, { force: true });
  if (!from) return;
  const real = fs.realpathSync(from);
  try {
    fs.linkSync(real, file);
  } catch {
    fs.copyFileSync(real, file);
  }
}

const quoted = (s: string): string => `'${s.replace(/'/g, "'\\''")}'`;

/** A stand-in's executable: Node with this checkout's packages, whatever folder the engine starts it in. */
function script(file: string, source: string, ...args: string[]): void {
  const modules = path.join(ROOT, "node_modules");
  const words = [
    process.execPath,
    "--require",
    path.join(modules, "tsx/dist/preflight.cjs"),
    "--import",
    `file://${path.join(modules, "tsx/dist/loader.mjs")}`,
    path.join(__dirname, source),
    ...args,
  ];
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, `#!/bin/sh\nNODE_PATH=${quoted(modules)} exec ${words.map(quoted).join(" ")} "$@"\n`, {
    mode: 0o755,
  });
}
