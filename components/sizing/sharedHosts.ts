/** Machines that share all roles, for plans of small sites. */
import type { HostSettings } from "../settings/types";
import type { HostRole } from "../domain/roles";
import { POOL_NODES, ZONE_POOL_NODES } from "../domain/minioLayout";
import { exampleHostKey } from "../schema/syntax/keys";
import { POSTGRES } from "./anchors";
import { step } from "./interpolate";
import { machinesFor } from "./machines";
import { databaseDisk, DRIVES_PER_STORAGE_HOST, RECOMMENDED_STORE, storageDisks, zoneOf } from "./recommendedHosts";

/** Fewest machines: the quorums of etcd, PostgreSQL, Redis and MinIO survive the loss of one of three. */
export const FEWEST_SHARED = 3;
/** Most machines that are planned as shared: with more, each role has machines of its own. */
export const MOST_SHARED = 64;

/** Sizes to try, smallest first: even cores, four GiB of memory for each, as such machines are sold. */
export const SHARED_SIZES = [
  4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 192, 256,
].flatMap((cpu) => [2, 4, 8].map((gibEach) => ({ cpu, memoryGiB: cpu * gibEach })));

/**
 * So many equal machines with all roles between them: Synapse on each; control plane, PostgreSQL and MinIO on as many
 * as their quorums have members; calls on as many as are recommended.
 */
export function sharedHosts(
  ccu: number,
  machines: number,
  { cpu, memoryGiB }: { cpu: number; memoryGiB: number },
): { hosts: HostSettings[]; objectStore: { kind: "minio"; survives: "host" | "zone" } } {
  const recommended = new Map(machinesFor(ccu).map((m) => [m.role, m]));
  const zonal = machines >= ZONE_POOL_NODES;
  const stores = zonal ? ZONE_POOL_NODES : Math.min(machines, POOL_NODES);
  const numbers: Record<HostRole, number> = {
    application: machines,
    "control-plane": 3,
    database: step(POSTGRES.instances.row, ccu),
    storage: stores,
    call: Math.min(machines, recommended.get("call")!.count),
  };
  // The space of the recommended drives, on as many as there are.
  const storage = recommended.get("storage")!;
  const driveGiB = Math.ceil((storage.diskGiB * storage.count) / stores / DRIVES_PER_STORAGE_HOST);
  const databaseGiB = recommended.get("database")!.diskGiB;
  const hosts = Array.from({ length: machines }, (_, i): HostSettings => {
    const name = `host-${i + 1}`;
    const roles = (Object.keys(numbers) as HostRole[]).filter((role) => carries(role, i, machines, numbers[role]));
    return {
      name,
      address: `198.18.0.${i + 1}`,
      roles,
      zone: zoneOf(i),
      cpu,
      memoryGiB,
      disks: [
        ...(roles.includes("database") ? [databaseDisk(name, databaseGiB)] : []),
        ...(roles.includes("storage") ? storageDisks(name, driveGiB) : []),
      ],
      ssh: { user: "root", port: 22, hostKey: exampleHostKey(name) },
    };
  });
  return { hosts, objectStore: zonal ? RECOMMENDED_STORE : { kind: "minio", survives: "host" } };
}

/** Databases from the first machine on, storage from the last: where there are enough, they do not share one. */
function carries(role: HostRole, i: number, machines: number, number: number): boolean {
  return role === "storage" || role === "call" ? machines - 1 - i < number : i < number;
}
