/**
 * CPU time for what measures and what deploys: both are elsewhere when a homeserver is real, and a client that waits for its
 * turn would measure itself. Four times a node's share (cpu_weight in lab/cluster/env.sh): with one, each deployment spent 20 s
 * of a busy machine on the 8 s that its program needs.
 */
import * as fs from "node:fs";

/** For this process and all that it starts. Best effort: without root nothing changes. `npm run local -- down` removes the group. */
export function asideOfTheNodes(): void {
  const v1 = fs.existsSync("/sys/fs/cgroup/cpu/cpu.shares");
  const group = v1 ? "/sys/fs/cgroup/cpu/labnload" : "/sys/fs/cgroup/labnload";
  try {
    fs.mkdirSync(group, { recursive: true });
    fs.writeFileSync(`${group}/${v1 ? "cpu.shares" : "cpu.weight"}`, String(4 * (v1 ? 6144 : 600)));
    fs.writeFileSync(`${group}/cgroup.procs`, String(process.pid));
  } catch { /* measured as it is */ }
}
