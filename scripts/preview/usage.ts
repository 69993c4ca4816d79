/** Resource usage of a process and its descendants: peak memory and processor time. */
import * as fs from "node:fs";

/** Clock ticks per second and bytes per page, the same on every Linux runner. */
const TICKS = 100,
  PAGE = 4096;
interface Process {
  parent: number;
  resident: number;
  ticks: number;
}

export interface Usage {
  /** Pages that processes share count for each. */
  memoryMiB: number;
  /** Processor time, which does not depend on how busy the machine is. */
  cpuSeconds: number;
}

/** proc(5): the name in brackets may contain spaces and brackets; the fields follow it. */
function processes(): Map<number, Process> {
  const all = new Map<number, Process>();
  for (const entry of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    let stat: string;
    try {
      stat = fs.readFileSync(`/proc/${entry}/stat`, "utf8");
    } catch {
      continue;
    } // it has ended
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    all.set(Number(entry), { parent: fields[1]!, ticks: fields[11]! + fields[12]!, resident: fields[21]! * PAGE });
  }
  return all;
}

/** Samples four times a second until the result is requested. Linux only. */
export function watchUsage(root: number): () => Usage | undefined {
  if (process.platform !== "linux") return () => undefined;
  let peak = 0;
  const ticks = new Map<number, number>();
  const look = (): void => {
    const all = processes();
    const belongs = (pid: number): boolean => {
      for (let p = pid; p > 1; p = all.get(p)?.parent ?? 0) if (p === root) return true;
      return false;
    };
    const own = [...all].filter(([pid]) => belongs(pid));
    for (const [pid, p] of own) ticks.set(pid, p.ticks);
    peak = Math.max(
      peak,
      own.reduce((sum, [, p]) => sum + p.resident, 0),
    );
  };
  const timer = setInterval(look, 250);
  return () => {
    clearInterval(timer);
    return {
      memoryMiB: Math.ceil(peak / 2 ** 20),
      cpuSeconds: [...ticks.values()].reduce((sum, n) => sum + n, 0) / TICKS,
    };
  };
}
