/**
 * CPU time for the load and for deployments: with a real homeserver, both run on other machines. A client that waits
 * for the CPU would measure itself, and an engine that takes CPU time from the nodes would look like a fault of the
 * homeserver.
 */
import * as fs from "node:fs";

/**
 * In shares of a node (cpu_weight in lab/cluster/env.sh). `load`: the measuring clients, and an engine while nothing is
 * measured. `engine`: an engine during a measurement. A deployment without any change, 46 CPU seconds: with four shares
 * 42 s, and sends waited for up to 30 s; with two 69 s and 21 s; with one 132 s and 7 s.
 */
const SHARES = { load: 4, engine: 1 };
export type Group = keyof typeof SHARES;

/** Tells the deployments that a process starts that it measures at the same time. */
const MEASURED = "MATRIX_HA_LAB_MEASURED";
export const beginMeasuring = (): void => {
  process.env[MEASURED] = "true";
};
export const engineGroup = (): Group => (process.env[MEASURED] ? "engine" : "load");

/**
 * This process and all that it starts from now on. Best effort: without root nothing changes. `npm run local -- down`
 * removes the groups.
 */
export function enter(group: Group): void {
  const v1 = fs.existsSync("/sys/fs/cgroup/cpu/cpu.shares");
  const dir = `${v1 ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup"}/labn${group}`;
  try {
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(`${dir}/${v1 ? "cpu.shares" : "cpu.weight"}`, String(SHARES[group] * (v1 ? 6144 : 600)));
    fs.writeFileSync(`${dir}/cgroup.procs`, String(process.pid));
  } catch {
    /* measured as it is */
  }
}

/** Processes that `start` starts are in the engine's group; this process stays in that of the load. */
export function startEngine<T>(start: () => T): T {
  enter(engineGroup());
  try {
    return start();
  } finally {
    enter("load");
  }
}
