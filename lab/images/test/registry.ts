/** A real registry for tests: Debian's docker-registry. */
import { strict as assert } from "node:assert";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
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
function registryProgram(dir: string): string {
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

export interface RegistryOptions {
  /** Its login: the section `auth` of its configuration, and the headers that it admits. @default none */
  login?: { auth: object; headers: Record<string, string> };
  /** Gets what it prints. @default nobody does */
  log?(text: string): void;
}

/** Starts it on a loopback port with its data in `dir`; it answers when this resolves. */
export async function startRegistry(
  dir: string,
  port: number,
  { login, log }: RegistryOptions = {},
): Promise<ChildProcess> {
  const config = path.join(dir, "registry.yml");
  fs.writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: path.join(dir, "registry") } },
      http: { addr: `127.0.0.1:${port}` },
      ...(login ? { auth: login.auth } : {}),
    }),
  );
  const registry = spawn(registryProgram(dir), ["serve", config], { stdio: ["ignore", "pipe", "pipe"] });
  for (const output of [registry.stdout, registry.stderr]) output.on("data", (d) => log?.(String(d)));
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/v2/`, login && { headers: login.headers }).then(
      (r) => r.status === 200,
      () => false,
    );
  for (let i = 0; !(await answers()); i++) {
    assert.ok(i < 600 && registry.exitCode === null, "the registry does not answer");
    await new Promise((r) => setTimeout(r, 100));
  }
  return registry;
}

/** What the tests need of Debian. */
export const installTools = (): string =>
  must("bash", [
    "-c",
    '. "$1/lib.sh"; mapfile -t missing < <(missing_packages skopeo:skopeo python3:python3); install_packages "${missing[@]}"',
    "-",
    path.resolve(IMAGES, ".."),
  ]);
