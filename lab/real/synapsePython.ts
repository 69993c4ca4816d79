/** A program that runs in the Python of Synapse's image, as in the pods. */
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../capture";
import type { Network } from "./network";
import { rootfsOf } from "./programs";

/** The folder of the files. */
export const FILES_AT = "/mnt";

interface Ended {
  status: number | null;
  output: string;
}
/** `python ...args`, with these files beside it. */
export interface Python {
  files: Record<string, string>;
  env: Record<string, string>;
  args: string[];
}

/** Runs it until it ends. */
export async function synapsePython(net: Network, python: Python): Promise<Ended> {
  const done = await capture("unshare", ["--mount", "bash", "-c", pythonScript(net, python), "bash", ...python.args]);
  return { status: done.status, output: done.stdout + done.stderr };
}

/**
 * The same as the first process of its container; it gets SIGTERM, as from the kubelet, once it has written `said`.
 */
export async function toldToEnd(net: Network, python: Python, said: string): Promise<Ended> {
  const log = path.join(net.dir, "synapse-log"),
    tell = `(until grep -q "${said}" ${log}; do sleep 0.1; done; kill -TERM 1) & exec >${log} 2>&1; `;
  const done = await capture("unshare", [
    "--mount",
    "--pid",
    "--fork",
    "bash",
    "-c",
    tell + pythonScript(net, python),
    "bash",
    ...python.args,
  ]);
  return { status: done.status, output: fs.readFileSync(log, "utf8") };
}

/** Shell lines that become the process: `bash -c SCRIPT bash ...args`. */
export function pythonScript(net: Network, { files, env }: Pick<Python, "files" | "env">): string {
  const root = path.join(net.dir, "synapse-root"),
    dir = path.join(net.dir, "synapse-files");
  for (const d of [root, dir]) fs.mkdirSync(d, { recursive: true });
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text);
  const variables = Object.entries({
    PATH: "/opt/synapse/bin:/usr/sbin:/usr/bin:/bin",
    PYTHONDONTWRITEBYTECODE: "1",
    ...env,
  })
    .map(([k, v]) => `${k}=${v}`)
    .join(" ");
  return `mount --bind ${rootfsOf("synapse")} ${root}; mount --bind ${dir} ${root}${FILES_AT}; exec env -i ${variables} chroot ${root} python "$@"`;
}
