import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings } from "../../../settings/types";
import { diskMounts } from "../mounts";
import type { HostStep } from "./shell";

/** A program and the package that holds it; Debian and Red Hat call all of these the same. */
const TOOLS: Record<string, string> = {
  nft: "nftables",
  modprobe: "kmod",
  blkid: "util-linux",
  lsblk: "util-linux",
  wipefs: "util-linux",
  findmnt: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  chattr: "e2fsprogs",
};

export function neededTools(host: HostSettings): string[] {
  const filesystems = new Set(diskMounts(host).map((d) => d.filesystem));
  return Object.keys(TOOLS).filter((t) => !t.startsWith("mkfs.") || filesystems.has(t.slice(5) as "xfs" | "ext4"));
}

/** Needs no network where everything is there already: an image or a mirror may have brought it. */
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
