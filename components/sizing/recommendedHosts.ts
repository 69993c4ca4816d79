/** The machines of the anchors as host settings: plans without a stack file, tests of every size. */
import type { HostSettings } from "../settings/types";
import { HOST_ROLES, type HostRole } from "../domain/roles";
import { exampleHostKey } from "../schema/syntax/keys";
import { machinesFor, type Machines } from "./machines";

/** Drives of each storage host: few and large, because parity must cover all drives of a lost host. */
export const DRIVES_PER_STORAGE_HOST = 2;

/** Short names of the roles, for names of hosts. */
export const SHORT: Record<HostRole, string> = {
  "control-plane": "cp",
  application: "app",
  database: "db",
  storage: "store",
  call: "call",
};
const ZONES = ["a", "b", "c"];

/** Zone of the i-th host: each has as many as the others. */
export const zoneOf = (i: number): string => ZONES[i % ZONES.length];

/** The store that the recommended hosts are made for: two storage hosts in each zone for every pool. */
export const RECOMMENDED_STORE = { kind: "minio", survives: "zone" } as const;

/**
 * The machines of the anchors as host settings, for settings with RECOMMENDED_STORE. They do not exist yet, so their
 * addresses are of the benchmarking range (RFC 2544).
 * @param roles @default all roles
 */
export function recommendedHosts(ccu: number, roles: readonly HostRole[] = HOST_ROLES): HostSettings[] {
  return machinesFor(ccu, roles).flatMap((m, r) =>
    Array.from({ length: m.count }, (_, i): HostSettings => {
      const name = `${SHORT[m.role]}-${i + 1}`;
      return {
        name,
        address: `198.18.${r * 16 + Math.floor(i / 250)}.${(i % 250) + 1}`,
        roles: [m.role],
        zone: zoneOf(i),
        cpu: m.cpu,
        memoryGiB: m.memoryGiB,
        disks: disksOf(m, name),
        ssh: { user: "root", port: 22, hostKey: exampleHostKey(name) },
      };
    }),
  );
}

function disksOf(m: Machines, name: string): HostSettings["disks"] {
  if (m.role === "database") return [databaseDisk(name, m.diskGiB)];
  return m.role === "storage" ? storageDisks(name, Math.floor(m.diskGiB / DRIVES_PER_STORAGE_HOST)) : [];
}

/** The disk of a database host. */
export const databaseDisk = (host: string, sizeGiB: number): HostSettings["disks"][number] => ({
  id: `/dev/disk/by-id/nvme-${host}`,
  use: "database",
  sizeGiB,
});

/** The drives of a storage host. @param sizeGiB Size of each */
export const storageDisks = (host: string, sizeGiB: number): HostSettings["disks"] =>
  Array.from({ length: DRIVES_PER_STORAGE_HOST }, (_, i) => ({
    id: `/dev/disk/by-id/nvme-${host}-${i + 1}`,
    use: "object-store",
    sizeGiB,
  }));
