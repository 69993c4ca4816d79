/**
 * A PULUMI_HOME made of the parts: `bin/` for PATH, and `plugins/`, each under the version of its npm package.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../common/folders";
import { allYours, described, LAB_HOME, PLUGINS, versionOf, type Parts } from "./parts";

/**
 * Makes `dir` such a home and returns the environment in which `pulumi` finds it. It is written each time, because it
 * points into this checkout. If all parts are the user's own, nothing is made and the user's engine is used.
 */
export function engineEnvironment(dir: string, parts: Parts): NodeJS.ProcessEnv {
  const cli = path.dirname(parts.pulumi.file!);
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (allYours(parts)) return { ...quiet, PATH: `${cli}${path.delimiter}${process.env.PATH}` };
  const bin = path.join(dir, "bin");
  fs.rmSync(path.join(dir, "plugins"), { recursive: true, force: true });
  fs.mkdirSync(bin, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(dir, LAB_HOME), `${described(parts)}\n`);
  // A regular file, not a symbolic link: the engine looks for the language host beside its own file.
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
    // Plugins are used from this home only: not downloaded, and no other version taken from PATH.
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

/** A stand-in's executable: Node with this checkout's packages, in whichever folder the engine starts it. */
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
