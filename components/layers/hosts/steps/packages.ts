import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import { diskMounts } from "../mounts";
import type { HostStep } from "./shell";

/** Programs and their packages, which have the same names in Debian and Red Hat. */
const TOOLS: Record<string, string> = {
  nft: "nftables",
  modprobe: "kmod",
  blkid: "util-linux",
  lsblk: "util-linux",
  wipefs: "util-linux",
  findmnt: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  tune2fs: "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  chattr: "e2fsprogs",
};

/** Programs that the steps for a host use. */
export function neededTools(host: HostSettings): string[] {
  const filesystems = new Set(diskMounts(host).map((d) => d.filesystem));
  const of: Record<string, "xfs" | "ext4"> = { "mkfs.xfs": "xfs", "mkfs.ext4": "ext4", tune2fs: "ext4" };
  return Object.keys(TOOLS).filter((t) => of[t] === undefined || filesystems.has(of[t]));
}

/** Installs missing packages. Needs no network when all programs are there already. */
export function packagesStep(host: HostSettings): HostStep {
  const needed = neededTools(host)
    .map((t) => `need ${t} ${TOOLS[t]}`)
    .join("\n");
  return {
    name: "packages",
    why: "the few programs that the other steps use, and a time daemon",
    script: scriptFrom(__dirname, "packages.sh", { NEEDED: verbatim(needed.replace(/^/gm, "  ")) }),
  };
}
