/**
 * The parts that deploy a stack: the Pulumi CLI, its language host for Node, and four provider plugins. Those that this
 * machine has are preferred. Otherwise the CLI and the Kubernetes provider are built from Go modules; for the language
 * host and for random, tls and command, which no registry serves, this folder has stand-ins.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CACHE_DIR, ROOT } from "../common/folders";

/** Provider plugins that the stack needs. */
export const PLUGINS = ["kubernetes", "random", "tls", "command"] as const;
export type Plugin = (typeof PLUGINS)[number];

/** `yours`: it was on this machine. `built`: the real one, from Go modules. `stand-in`: this folder's. */
export type Origin = "yours" | "built" | "stand-in";
/** One part, and where it comes from. */
export interface Part {
  name: "pulumi" | "nodejs" | Plugin;
  origin: Origin;
  /** Absent for a stand-in, which a generated script starts. */
  file?: string;
}
export type Parts = Record<Part["name"], Part>;

/** The version that the program's npm package requests from the engine. */
export const versionOf = (plugin: Plugin): string =>
  JSON.parse(fs.readFileSync(path.join(ROOT, "node_modules/@pulumi", plugin, "package.json"), "utf8")).version;

/** Path of the program; null if it is not there. A home that the lab put together does not count as the user's. */
type Find = (program: string) => string | null;
/** File that marks a home as the lab's. */
export const LAB_HOME = ".matrix-ha-lab";
const ofTheLab = (file: string): boolean => fs.existsSync(path.join(path.dirname(file), "..", LAB_HOME));
const onPath: Find = (program) => {
  for (const dir of (process.env.PATH ?? "").split(path.delimiter).filter(Boolean)) {
    const file = path.join(dir, program);
    try {
      fs.accessSync(file, fs.constants.X_OK);
    } catch {
      continue;
    }
    if (fs.statSync(file).isFile() && !ofTheLab(file)) return file;
  }
  return null;
};

/** The machine, as the search for parts sees it. */
export interface Surroundings {
  onPath: Find;
  /** The user's PULUMI_HOME. */
  home: string;
  version: (plugin: Plugin) => string;
}
const here = (): Surroundings => ({
  onPath,
  home: process.env.PULUMI_HOME ?? path.join(os.homedir(), ".pulumi"),
  version: versionOf,
});
const BUILT = { pulumi: "pulumi", kubernetes: "pulumi-resource-kubernetes" } as const;

/** The parts as they are now, without building any. */
export function findParts(s: Surroundings = here()): Parts {
  const built = (name: keyof typeof BUILT): Part => ({
    name,
    origin: "built",
    file: path.join(CACHE_DIR, "bin", BUILT[name]),
  });
  const cli = s.onPath("pulumi") ?? fileIn(path.join(s.home, "bin"), "pulumi");
  // It comes with the CLI, so the folder of the CLI is searched first.
  const host =
    (cli && fileIn(path.dirname(fs.realpathSync(cli)), "pulumi-language-nodejs")) ?? s.onPath("pulumi-language-nodejs");
  const plugin = (name: Plugin): Part => {
    const file =
      fileIn(path.join(s.home, "plugins", `resource-${name}-v${s.version(name)}`), `pulumi-resource-${name}`) ??
      s.onPath(`pulumi-resource-${name}`);
    return file ? { name, origin: "yours", file } : name === "kubernetes" ? built(name) : { name, origin: "stand-in" };
  };
  return {
    pulumi: cli ? { name: "pulumi", origin: "yours", file: cli } : built("pulumi"),
    nodejs: host ? { name: "nodejs", origin: "yours", file: host } : { name: "nodejs", origin: "stand-in" },
    kubernetes: plugin("kubernetes"),
    random: plugin("random"),
    tls: plugin("tls"),
    command: plugin("command"),
  };
}

function fileIn(dir: string, name: string): string | null {
  const file = path.join(dir, name);
  return fs.existsSync(file) && !ofTheLab(file) ? file : null;
}

/** Whether the user's own engine does everything. */
export const allYours = (parts: Parts): boolean => Object.values(parts).every((p) => p.origin === "yours");
/** `pulumi built, nodejs stand-in, ...` */
export const described = (parts: Parts): string =>
  Object.values(parts)
    .map((p) => `${p.name} ${p.origin}`)
    .join(", ");

/**
 * Has the user's CLI fetch missing plugins, as `pulumi up` would; builds those that can be built. For the rest,
 * stand-ins are used.
 */
export function provideParts(log: (line: string) => void = console.log): Parts {
  let parts = findParts();
  if (parts.pulumi.origin === "yours") {
    const missing = PLUGINS.filter((name) => parts[name].origin !== "yours");
    for (const name of missing) {
      log(`pulumi plugin install resource ${name} v${versionOf(name)}`);
      spawnSync(parts.pulumi.file!, ["plugin", "install", "resource", name, `v${versionOf(name)}`], {
        stdio: ["ignore", "ignore", "inherit"],
        timeout: 120_000,
        env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      });
    }
    if (missing.length) parts = findParts();
  }
  const toBuild = Object.values(parts)
    .filter((p) => p.origin === "built")
    .map((p) => BUILT[p.name as keyof typeof BUILT]);
  if (toBuild.length) {
    const done = spawnSync("bash", [path.join(ROOT, "lab/build.sh"), ...toBuild], { stdio: "inherit" });
    if (done.status !== 0)
      throw new Error(`lab/build.sh ${toBuild.join(" ")} ended with ${done.status ?? done.signal}`);
  }
  return parts;
}
