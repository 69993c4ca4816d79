/** A program in the Python of Synapse's own image, as pods have it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../../../lab/capture";
import type { Network } from "./network";
import { rootfsOf } from "./programs";

/** Where the files lie. */
export const FILES_AT = "/mnt";

/** Runs `python ...arguments` with these files beside it, to its end. */
export async function synapsePython(net: Network, files: Record<string, string>, env: Record<string, string>, args: string[]): Promise<{ status: number | null; output: string }> {
  const root = path.join(net.dir, "synapse-root"), dir = path.join(net.dir, "synapse-files");
  for (const d of [root, dir]) fs.mkdirSync(d, { recursive: true });
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text);
  const variables = Object.entries({ PATH: "/opt/synapse/bin:/usr/sbin:/usr/bin:/bin", PYTHONDONTWRITEBYTECODE: "1", ...env }).map(([k, v]) => `${k}=${v}`).join(" ");
  const done = await capture("unshare", ["--mount", "bash", "-c", `mount --bind ${rootfsOf("synapse")} ${root}; mount --bind ${dir} ${root}${FILES_AT}; exec env -i ${variables} chroot ${root} python "$@"`, "bash", ...args]);
  return { status: done.status, output: done.stdout + done.stderr };
}
