/**
 * Processor time of groups of processes, by control groups: every child counts, also one that has ended. Works where
 * cgroup v2 is mounted, alone or beside v1: its basic accounting needs no controller.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../common/until";

/** Where cgroup v2 is mounted. @throws Where it is not. */
export function cgroupRoot(mounts = fs.readFileSync("/proc/mounts", "utf8")): string {
  const found = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (!found) throw new Error("cgroup v2 is not mounted: the CPU time of the homeserver's parts cannot be told apart");
  return found;
}

/** Seconds, from a cpu.stat. */
export function usageSeconds(stat: string): number {
  const found = /^usage_usec (\d+)$/m.exec(stat)?.[1];
  if (found === undefined) throw new Error(`no usage_usec in cpu.stat: ${stat}`);
  return Number(found) / 1e6;
}

/** A control group for each part of what is measured. */
export class Groups {
  private readonly dir: string;
  private readonly names = new Set<string>();

  constructor(root = cgroupRoot()) {
    this.dir = path.join(root, `matrix-ha-load-${process.pid}-${Date.now()}`);
    fs.mkdirSync(this.dir);
  }
  /** Its later children are in the group as well. */
  add(name: string, pid: number): void {
    const dir = path.join(this.dir, name);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, "cgroup.procs"), String(pid));
    this.names.add(name);
  }
  /** CPU seconds of each group since it exists. */
  read(): Map<string, number> {
    return new Map(
      [...this.names].map((name) => [
        name,
        usageSeconds(fs.readFileSync(path.join(this.dir, name, "cpu.stat"), "utf8")),
      ]),
    );
  }
  /** When the processes have been told to end: a group can be removed once the last of them has. */
  async remove(seconds = 20): Promise<void> {
    for (const dir of [...[...this.names].map((name) => path.join(this.dir, name)), this.dir])
      await until(`the end of the processes in ${dir}`, seconds, () => fs.rmdirSync(dir) as undefined, 0.2);
  }
}
