/** What a process and all that it starts need: memory at the worst moment, and time on the processors. */
import * as fs from "node:fs";

/** Clock ticks in a second and bytes in a page, as Linux has them on every machine that a runner is. */
const TICKS = 100,
  PAGE = 4096;
interface Process {
  parent: number;
  resident: number;
  ticks: number;
}

export interface Usage {
  /** Pages that processes share are counted in each. */
  memoryMiB: number;
  /** What it takes however busy the machine is. */
  cpuSeconds: number;
}

/** proc(5): the name in brackets may hold spaces and brackets, what is looked for stands behind it. */
function processes(): Map<number, Process> {
  const all = new Map<number, Process>();
  for (const entry of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    let stat: string;
    try {
      stat = fs.readFileSync(`/proc/${entry}/stat`, "utf8");
    } catch {
      continue;
    } // it ended meanwhile
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    all.set(Number(entry), { parent: fields[1]!, ticks: fields[11]! + fields[12]!, resident: fields[21]! * PAGE });
  }
  return all;
}

/** Looks four times a second until asked. Linux only. */
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
