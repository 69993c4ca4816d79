/**
 * Pushes archives to a registry with skopeo, which supports every registry's way of logging in and sends only missing
 * layers.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { destination, nameOf, type Entry } from "./catalog";

export interface PushOptions {
  /** Registry, and path in it. @example "registry.example.com:5000/matrix" */
  prefix: string;
  /** Speak http, or accept any certificate. */
  insecure: boolean;
  /** Login name. @default skopeo's own login */
  user?: string;
  /** Used with `user`. @default empty */
  password?: string;
  /** Gets one line per image. */
  log: (line: string) => void;
}

/** What is wrong with a prefix; undefined where nothing is. */
export function prefixProblem(prefix: string): string | undefined {
  if (/^https?:/.test(prefix)) return "write it without https://; --insecure speaks http";
  if (!/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*\/?$/.test(prefix))
    return "a registry, and perhaps a path in it, in lower case: registry.example.com/matrix-ha";
  if (!/[.:]/.test(prefix.split("/")[0]!) && prefix.split("/")[0] !== "localhost")
    return "the first part is not a registry: it has neither a dot nor a port";
  return undefined;
}

/**
 * Contents of a file from which skopeo reads the login. The login is never on the command line, where other users could
 * see it.
 */
export const authFile = (prefix: string, user: string, password: string): string =>
  JSON.stringify({
    auths: { [prefix.split("/")[0]!]: { auth: Buffer.from(`${user}:${password}`).toString("base64") } },
  });

/** The last line of skopeo's output, without its log format. */
export const skopeoError = (stderr: string): string => {
  const last = stderr.trim().split("\n").filter(Boolean).at(-1) ?? "no reason given";
  return (/msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1] ?? last).replace(/\\"/g, '"');
};

/** Runs skopeo. @throws Error where it is missing */
export function skopeo(args: string[]): { ok: boolean; stdout: Buffer; error: string } {
  const done = spawnSync("skopeo", args, { maxBuffer: 1 << 26 });
  if ((done.error as NodeJS.ErrnoException | undefined)?.code === "ENOENT")
    throw new Error("skopeo is missing: apt-get install skopeo (Debian 12 or newer has it)");
  return { ok: done.status === 0, stdout: done.stdout, error: skopeoError(done.stderr.toString()) };
}

/**
 * Pushes the images that the registry does not have with the same digest. Layers are sent unchanged, so the digest in
 * the registry is the archive's.
 * @throws Error with skopeo's reason, and with what to do about a refused login
 */
export function push(entries: readonly Entry[], options: PushOptions): { pushed: number; present: number } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-push-"));
  try {
    const auth: string[] = [];
    if (options.user !== undefined) {
      fs.writeFileSync(path.join(dir, "auth.json"), authFile(options.prefix, options.user, options.password ?? ""), {
        mode: 0o600,
      });
      auth.push("--authfile", path.join(dir, "auth.json"));
    } else if (process.env.DOCKER_CONFIG) auth.push("--authfile", path.join(process.env.DOCKER_CONFIG, "config.json"));
    const result = { pushed: 0, present: 0 };
    for (const e of entries) {
      const to = destination(options.prefix, e.built!.image);
      const there = skopeo(["inspect", "--raw", ...auth, `--tls-verify=${!options.insecure}`, `docker://${to}`]);
      if (there.ok && `sha256:${crypto.createHash("sha256").update(there.stdout).digest("hex")}` === e.built!.digest) {
        options.log(`${to} is there already`);
        result.present++;
        continue;
      }
      const started = Date.now();
      // The policy concerns signatures of copied images: archives that we built have none.
      const done = skopeo([
        "--insecure-policy",
        "copy",
        "--preserve-digests",
        ...auth,
        `--dest-tls-verify=${!options.insecure}`,
        `oci-archive:${e.built!.archive}`,
        `docker://${to}`,
      ]);
      if (!done.ok)
        throw new Error(
          `${nameOf(e)} could not be pushed to ${to}: ${done.error}${/unauthorized|authentication required|denied/i.test(done.error) ? "\nlog in with --user NAME and the password in MATRIX_HA_REGISTRY_PASSWORD, or by skopeo login, or ~/.docker/config.json" : ""}${/server gave HTTP response to HTTPS client/.test(done.error) ? "\nthe registry speaks http: --insecure" : ""}`,
        );
      options.log(
        `${to} pushed, ${(e.built!.bytes / 1e6).toFixed(0)} MB in ${((Date.now() - started) / 1000).toFixed(1)} s (less what the registry had)`,
      );
      result.pushed++;
    }
    return result;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
