import type { HostSettings } from "../../../settings/types";
import { diskMounts } from "../mounts";
import { script, type HostStep } from "./shell";

/** Programs and their packages, which have the same names in Debian and Red Hat. */
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

/** Programs that the steps for a host use. */
export function neededTools(host: HostSettings): string[] {
  const filesystems = new Set(diskMounts(host).map((d) => d.filesystem));
  return Object.keys(TOOLS).filter((t) => !t.startsWith("mkfs.") || filesystems.has(t.slice(5) as "xfs" | "ext4"));
}

/** Installs missing packages. Needs no network when all programs are there already. */
export function packagesStep(host: HostSettings): HostStep {
  const needed = neededTools(host)
    .map((t) => `need ${t} ${TOOLS[t]}`)
    .join("\n");
  return {
    name: "packages",
    why: "the few programs that the other steps use, and a time daemon",
    script: script(
      "packages",
      `
missing=()
need() { have "$1" || case " \${missing[*]:-} " in *" $2 "*) ;; *) missing+=("$2") ;; esac; }
find_missing() {
  missing=()
${needed.replace(/^/gm, "  ")}
  if ! in_container && ! have chronyd && [ ! -x /lib/systemd/systemd-timesyncd ] && [ ! -x /usr/lib/systemd/systemd-timesyncd ]; then missing+=(chrony); fi
}
find_missing
if [ "\${#missing[@]}" -gt 0 ]; then
  wanted="\${missing[*]}"
  if have apt-get; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null || note "apt-get update failed; trying with the lists that are there"
    apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "\${missing[@]}" >/dev/null || true
  elif have dnf; then
    dnf -q -y install "\${missing[@]}" >/dev/null || true
  fi
  find_missing
  [ "\${#missing[@]}" -eq 0 ] || fail "these packages are missing and could not be installed: \${missing[*]}. Install them by hand, or give the host a package source, and run again."
  change "installed $wanted"
fi`,
    ),
  };
}
