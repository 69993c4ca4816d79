/** CPU time for what measures: each node has a host's share (lab/cluster/env.sh), and a client that waits for its turn would measure itself. */
import * as fs from "node:fs";

/** For this process and all that it starts. Best effort: without root nothing changes. `npm run local -- down` removes the group. */
export function likeANode(): void {
  const v1 = fs.existsSync("/sys/fs/cgroup/cpu/cpu.shares");
  const group = v1 ? "/sys/fs/cgroup/cpu/labnload" : "/sys/fs/cgroup/labnload";
  try {
    fs.mkdirSync(group, { recursive: true });
    // The same weight as cpu_weight in env.sh gives a node.
    fs.writeFileSync(`${group}/${v1 ? "cpu.shares" : "cpu.weight"}`, v1 ? "6144" : "600");
    fs.writeFileSync(`${group}/cgroup.procs`, String(process.pid));
  } catch { /* measured as it is */ }
}
