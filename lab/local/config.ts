/** The settings of the local stack: the ordinary stack file, and the values that the lab adds. */
import * as fs from "node:fs";
import * as path from "node:path";
import { applySets, readStackConfig } from "../../components/settings/stackFile";
import { foreignConfig } from "./foreign";
import { ROOT, RUN_DIR } from "../common/folders";
import { readTarget } from "./target";

export const STACK = "local";

/**
 * The stack file with the values that only the lab knows: the nodes' host keys and the SSH key; or the nodes of another
 * cluster.
 */
export function localConfig(sets: string[]): Record<string, unknown> {
  const config = readStackConfig(STACK, ROOT);
  const target = readTarget();
  if (target) return applySets(foreignConfig(config, target), [...target.sets, ...sets]);
  const hosts = (config.hosts as any[]).map((h, i) => ({
    ...h,
    ssh: {
      ...h.ssh,
      hostKey: fs
        .readFileSync(path.join(RUN_DIR, "pki", `node${i + 1}_host.pub`), "utf8")
        .split(/\s+/)
        .slice(0, 2)
        .join(" "),
    },
  }));
  const ssh = { ...(config.ssh as object), privateKey: fs.readFileSync(path.join(RUN_DIR, "pki", "id"), "utf8") };
  return applySets({ ...config, hosts, ssh }, [...keptSets(), ...sets]);
}

/**
 * Settings that were given with --keep: those that an operator would write into the stack's file. They last as long as
 * this cluster.
 */
const KEPT = path.join(RUN_DIR, "kept.json");
const keptSets = (): string[] => (fs.existsSync(KEPT) ? JSON.parse(fs.readFileSync(KEPT, "utf8")) : []);
/** @param instead What was kept under this path is kept no longer. */
export function keepSets(sets: string[], instead?: string): void {
  const key = (s: string): string => s.slice(0, s.indexOf("="));
  fs.mkdirSync(path.dirname(KEPT), { recursive: true, mode: 0o700 });
  fs.writeFileSync(
    KEPT,
    JSON.stringify([
      ...keptSets().filter((k) => !sets.some((s) => key(s) === key(k)) && !(instead && k.startsWith(`${instead}.`))),
      ...sets,
    ]),
    { mode: 0o600 },
  );
}
