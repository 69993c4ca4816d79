/** Machines to provide, per role, from the anchors. */
import { HOST_ROLES, type HostRole } from "../domain/roles";
import { ZONE_POOL_NODES } from "../domain/minioLayout";
import { GIB_PER_TB, MACHINES } from "./anchors";
import { ceilTo, count, interpolate, step } from "./interpolate";
import type { NodePlan } from "./types";

/** Machines are sold in even cores and multiples of four GiB. */
export const CPU_STEP = 2;
export const MEMORY_STEP_GIB = 4;

/** Recommended machines of a role. */
export type Machines = Omit<NodePlan, "least">;

/**
 * Machines to provide for so many users, one entry per role.
 *
 * @param roles @default all roles
 * @param poolNodes Nodes of a MinIO pool: storage machines come in multiples. @default for pools that survive a zone
 */
export function machinesFor(
  ccu: number,
  roles: readonly HostRole[] = HOST_ROLES,
  poolNodes: number = ZONE_POOL_NODES,
): Machines[] {
  return roles.map((role) => {
    const m = MACHINES[role];
    return {
      role,
      count: machineCount(role, ccu, poolNodes),
      cpu: ceilTo(interpolate(m.cpu.row, ccu), CPU_STEP),
      memoryGiB: ceilTo(interpolate(m.memoryGiB.row, ccu), MEMORY_STEP_GIB),
      diskGiB: Math.floor(interpolate(m.diskTB.row, ccu) * GIB_PER_TB),
    };
  });
}

function machineCount(role: HostRole, ccu: number, poolNodes: number): number {
  const row = MACHINES[role].count.row;
  // One host for each database instance, and the instances form a quorum: the number changes in steps.
  if (role === "database") return step(row, ccu);
  const n = count(row, ccu);
  // MinIO grows by whole pools: a node more would hold nothing.
  return role === "storage" ? ceilTo(n, poolNodes) : n;
}
