/** Where a host's disks and local volumes are. Pure. */
import * as crypto from "node:crypto";
import type { DiskSettings, HostSettings } from "../../settings/types";

export const DATA_ROOT = "/var/lib/matrix-ha";

export interface DiskMount {
  id: string;
  use: DiskSettings["use"];
  sizeGiB: number;
  filesystem: "xfs" | "ext4";
  /** 12 characters at most (XFS), made from the disk's id: reordering the settings never renames a disk. */
  label: string;
  path: string;
}

const LETTER: Record<DiskSettings["use"], string> = { database: "d", "object-store": "o", local: "l" };

/** Directory of a use on every host, with a disk of its own or on the system's. */
export const usePath = (use: DiskSettings["use"], n = 1): string => `${DATA_ROOT}/${use}${n > 1 ? `-${n}` : ""}`;

export function diskMounts(host: HostSettings): DiskMount[] {
  const seen: Partial<Record<DiskSettings["use"], number>> = {};
  return host.disks.map((d) => {
    const n = (seen[d.use] = (seen[d.use] ?? 0) + 1);
    return {
      id: d.id,
      use: d.use,
      sizeGiB: d.sizeGiB,
      // MinIO recommends XFS; ext4 needs no further package.
      filesystem: d.use === "object-store" ? "xfs" : "ext4",
      label: `mha${LETTER[d.use]}-${crypto.createHash("sha256").update(d.id).digest("hex").slice(0, 7)}`,
      path: usePath(d.use, n),
    };
  });
}
