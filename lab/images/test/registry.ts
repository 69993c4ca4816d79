/** A real registry for tests: Debian's docker-registry. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";

const IMAGES = path.resolve(__dirname, "..");

export function must(command: string, args: string[], cwd?: string): string {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(done.status, 0, `${command} ${args.join(" ")}: ${done.stderr || done.error?.message}`);
  return done.stdout;
}

/** The registry's program: from PATH, otherwise from Debian's package, which is only unpacked. */
export function registryProgram(dir: string): string {
  if (spawnSync("sh", ["-c", "command -v docker-registry"]).status === 0) return "docker-registry";
  must("apt-get", ["download", "docker-registry"], dir);
  must("dpkg", ["-x", fs.readdirSync(dir).find((f) => f.endsWith(".deb"))!, "."], dir);
  return path.join(dir, "usr/bin/docker-registry");
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** What the tests need of Debian. */
export const installTools = (): string =>
  must("bash", [
    "-c",
    '. "$1/lib.sh"; mapfile -t missing < <(missing_packages skopeo:skopeo python3:python3); install_packages "${missing[@]}"',
    "-",
    path.resolve(IMAGES, ".."),
  ]);
