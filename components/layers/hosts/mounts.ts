/** Mount points and labels of a host's disks. Pure. */
import * as crypto from "node:crypto";
import type { DiskSettings, HostSettings } from "../../settings/types";

/** Directory of all data on a host. */
export const DATA_ROOT = "/var/lib/matrix-ha";

/** Directory of figures that the node exporter reads from files. */
export const METRICS_ROOT = `${DATA_ROOT}/metrics`;

/** A disk, and where it is mounted. */
export interface DiskMount {
  /** Path below /dev/disk/by-id. */
  id: string;
  use: DiskSettings["use"];
  sizeGiB: number;
  filesystem: "xfs" | "ext4";
  /** At most 12 characters (XFS), made from the disk's id, so that the order in the settings does not matter. */
  label: string;
  /** Mount point. */
  path: string;
}

const LETTER: Record<DiskSettings["use"], string> = { database: "d", wal: "w", "object-store": "o", local: "l" };

/**
 * Directory of a use on every host, whether or not it has its own disk.
 *
 * @param n Number of the disk with this use on the host, from 1.
 * @example
 *   usePath("object-store", 2); // /var/lib/matrix-ha/object-store-2
 */
export const usePath = (use: DiskSettings["use"], n = 1): string => `${DATA_ROOT}/${use}${n > 1 ? `-${n}` : ""}`;

/** The disks of a host with their mount points. */
export function diskMounts(host: HostSettings): DiskMount[] {
  const seen: Partial<Record<DiskSettings["use"], number>> = {};
  return host.disks.map((d) => {
    const n = (seen[d.use] = (seen[d.use] ?? 0) + 1);
    return {
      id: d.id,
      use: d.use,
      sizeGiB: d.sizeGiB,
      // MinIO recommends XFS. ext4 needs no additional package.
      filesystem: d.use === "object-store" ? "xfs" : "ext4",
      label: `mha${LETTER[d.use]}-${crypto.createHash("sha256").update(d.id).digest("hex").slice(0, 7)}`,
      path: usePath(d.use, n),
    };
  });
}
