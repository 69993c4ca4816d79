/**
 * Clusters that are not the lab's own. Each has a run folder like the lab's, beside it: state.ts's RUN_DIR, chosen
 * before anything else is loaded. So the driver's state, the engine's, the kubeconfig and the CA never mix.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Request } from "./arguments";

export interface ForeignNode {
  name: string;
  address: string;
  cpu: number;
  memoryGiB: number;
  podCidrs: string[];
}

/** The record of a foreign cluster between runs. */
export interface Target {
  cluster: "kind" | "kubeconfig";
  server: string;
  images: "published" | "local";
  /** Prefix of the registry that holds the unpublished images. */
  registry?: string;
  /** For MetalLB. */
  addresses?: string;
  nodes: ForeignNode[];
  serviceCidrs: string[];
  apiServers: string[];
  /** Operators that the cluster had before: `cluster.install` of each is off. */
  present: string[];
  /** Every --set so far: a second run keeps the settings of the first. */
  sets: string[];
}

export const KIND_NAME = "matrix-ha-local";
const base = (): string => process.env.MATRIX_HA_RUN ?? path.join(os.homedir(), ".local/state/matrix-ha/local");

/**
 * The API server and everything needed to log in there, in one file of its own: the user's may change its current
 * context.
 */
export function flattened(file: string | undefined, context: string | undefined, kubectl = "kubectl"): string {
  const done = spawnSync(
    kubectl,
    ["config", "view", "--raw", "--minify", "--flatten", ...(context ? ["--context", context] : [])],
    { encoding: "utf8", env: { ...process.env, ...(file ? { KUBECONFIG: path.resolve(file) } : {}) } },
  );
  if (done.error)
    throw new Error(
      `kubectl is missing (${(done.error as NodeJS.ErrnoException).code}): install it, or build it with lab/build.sh kubernetes`,
    );
  if (done.status !== 0 || !/server:/.test(done.stdout)) {
    const known =
      spawnSync(kubectl, ["config", "get-contexts", "-o", "name"], {
        encoding: "utf8",
        env: { ...process.env, ...(file ? { KUBECONFIG: path.resolve(file) } : {}) },
      })
        .stdout?.trim()
        .split("\n")
        .filter(Boolean) ?? [];
    throw new Error(
      `${file ?? "the kubeconfig"} names no cluster${context ? ` for the context ${context}` : ""}; its contexts: ${known.join(", ") || "none"}`,
    );
  }
  return done.stdout;
}
export const serverOf = (kubeconfig: string): string => /server:\s*(\S+)/.exec(kubeconfig)![1]!;

/** Folder of a foreign cluster: one for kind, one for each API server. */
export const folderOf = (root: string, cluster: "kind" | "kubeconfig", server: string): string =>
  cluster === "kind"
    ? `${root}-kind`
    : `${root}-${crypto.createHash("sha256").update(server).digest("hex").slice(0, 8)}`;

/** Chooses the run folder for this process. Everything that reads RUN_DIR is loaded after this. */
export function chooseFolder(request: Request): void {
  if (request.cluster === "lab") return;
  const built = path.join(process.env.MATRIX_HA_CACHE ?? path.join(os.homedir(), ".cache/matrix-ha"), "bin", "kubectl");
  const kubectl = fs.existsSync(built) ? built : "kubectl";
  if (request.cluster === "kind") {
    process.env.MATRIX_HA_RUN = folderOf(base(), "kind", "");
    return;
  }
  const text = flattened(request.kubeconfig, request.context, kubectl);
  const folder = folderOf(base(), "kubeconfig", serverOf(text));
  process.env.MATRIX_HA_RUN = folder;
  fs.mkdirSync(path.join(folder, "pki"), { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(folder, "pki", "admin.conf"), text, { mode: 0o600 });
}

const file = (): string => path.join(base(), "target.json");
export const readTarget = (): Target | undefined =>
  fs.existsSync(file()) ? JSON.parse(fs.readFileSync(file(), "utf8")) : undefined;
export function writeTarget(target: Target): void {
  fs.mkdirSync(path.dirname(file()), { recursive: true, mode: 0o700 });
  fs.writeFileSync(`${file()}.tmp`, JSON.stringify(target, null, 1), { mode: 0o600 });
  fs.renameSync(`${file()}.tmp`, file());
}
