import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import { DATA_ROOT, diskMounts, METRICS_ROOT, usePath } from "../mounts";
import { quote, type HostStep, type StepOptions } from "./shell";

/**
 * Formats and mounts the disks. A disk is formatted only when every check finds it blank: no partitions or holders
 * (lsblk), not mounted, no signature (blkid's low-level probe says "nothing found", wipefs lists none), and only zeros
 * in its first 4 MiB, its last MiB and in samples between. A disk with our own label is mounted. All others are
 * refused.
 */
export function disksStep(host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  const calls = diskMounts(host).map(
    (d) => `prepare ${quote(d.id)} ${d.filesystem} ${d.label} ${quote(root + d.path)} ${d.sizeGiB}`,
  );
  // Uses without a disk of their own have a directory on the system's disk.
  const made = (["database", "object-store", "local"] as const)
    .map((use) => usePath(use))
    .concat(METRICS_ROOT)
    .filter((path) => !diskMounts(host).some((d) => d.path === path))
    .map((p) => `[ -d ${quote(root + p)} ] || { mkdir -p ${quote(root + p)}; change ${quote(`made ${p}`)}; }`);
  return {
    name: "disks",
    why: `data disks under ${DATA_ROOT}; never formats one that is not blank`,
    script: scriptFrom(__dirname, "disks.sh", {
      ROOT: root,
      PREPARE: verbatim(`${made.join("\n")}\n${calls.join("\n")}`),
    }),
  };
}
