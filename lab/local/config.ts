/** The settings of the local stack: the ordinary stack file, and what the lab made. */
import * as fs from "node:fs";
import * as path from "node:path";
import { applySets, readStackConfig } from "../../components/settings/stackFile";
import { RUN_DIR } from "./state";

export const ROOT = path.resolve(__dirname, "../..");
export const STACK = "local";

/** The stack file, with what only the lab knows: the nodes' host keys and the SSH key. */
export function localConfig(sets: string[]): Record<string, unknown> {
  const config = readStackConfig(STACK, ROOT);
  const hosts = (config.hosts as any[]).map((h, i) => ({ ...h, ssh: { ...h.ssh, hostKey: fs.readFileSync(path.join(RUN_DIR, "pki", `node${i + 1}_host.pub`), "utf8").split(/\s+/).slice(0, 2).join(" ") } }));
  const ssh = { ...(config.ssh as object), privateKey: fs.readFileSync(path.join(RUN_DIR, "pki", "id"), "utf8") };
  return applySets({ ...config, hosts, ssh }, sets);
}
