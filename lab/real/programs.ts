/** The folders into which lab/real/programs/install.sh put the programs, and the program used for each image. */
import * as fs from "node:fs";
import * as path from "node:path";
import { CACHE_DIR } from "../common/folders";

export const REAL_DIR = path.join(CACHE_DIR, "real");
export const PROMTOOL = path.join(REAL_DIR, "promtool");
/** Packages of an SMTP server for the machine's own Python. */
export const SMTPD = path.join(REAL_DIR, "smtpd");
/** heisenbridge with all that it needs, for the Python of Synapse's image. */
export const HEISENBRIDGE = path.join(REAL_DIR, "heisenbridge");
export const SYNAPSE_SOURCE = path.join(REAL_DIR, "synapse-source");

export interface Program {
  rootfs: string;
  entrypoint?: string[];
  /** Files that another image has in place of ours. */ files?: Record<string, string>;
  env?: Record<string, string>;
}

const rootfs = (name: string): string => fs.realpathSync(path.join(REAL_DIR, name));
const SYNAPSE_PATH = "/opt/synapse/bin:/usr/local/bin:/usr/bin:/bin";

/** By the last part of the image's repository. */
const PROGRAMS: Record<string, () => Program> = {
  synapse: () => ({ rootfs: rootfs("synapse"), env: { PATH: SYNAPSE_PATH } }),
  haproxy: () => ({ rootfs: rootfs("haproxy") }),
  redis: () => ({ rootfs: rootfs("redis") }),
  coturn: () => ({ rootfs: rootfs("coturn") }),
  "livekit-server": () => ({ rootfs: rootfs("livekit"), entrypoint: ["/livekit-server"] }),
  "nginx-unprivileged": () => ({ rootfs: rootfs("nginx") }),
  // Both are nginx with files of a web application, which are not on PyPI, Debian or Go's proxy: one page replaces
  // them.
  "element-web": () => ({ rootfs: rootfs("nginx"), files: { "/app/index.html": "element" } }),
  ketesa: () => ({ rootfs: rootfs("nginx"), files: { "/var/public/index.html": "admin", "/app/index.html": "admin" } }),
};

const nameOf = (image: string): string => image.replace(/@.*$/, "").split("/").pop()!.split(":")[0]!;
export const isKnown = (image: string): boolean => nameOf(image) in PROGRAMS;
export function programOf(image: string): Program {
  const program = PROGRAMS[nameOf(image)];
  if (!program) throw new Error(`no program is known for the image ${image}`);
  return program();
}
export const rootfsOf = rootfs;
