/** Machines to provide, per role, from the anchors. */
import { HOST_ROLES, type HostRole } from "../domain/roles";
import { POOL_NODES } from "../domain/minioLayout";
import { GIB_PER_TB, MACHINES } from "./anchors";
import { ceilTo, count, interpolate, step } from "./interpolate";
import type { NodePlan } from "./types";

/** Machines are sold in even cores and multiples of four GiB. */
const CPU_STEP = 2;
const MEMORY_STEP_GIB = 4;

/** Machines to provide for so many users, one entry per role. @param roles @default all roles */
export function machinesFor(ccu: number, roles: readonly HostRole[] = HOST_ROLES): NodePlan[] {
  return roles.map((role) => {
    const m = MACHINES[role];
    return {
      role,
      count: machineCount(role, ccu),
      cpu: ceilTo(interpolate(m.cpu.row, ccu), CPU_STEP),
      memoryGiB: ceilTo(interpolate(m.memoryGiB.row, ccu), MEMORY_STEP_GIB),
      diskGiB: Math.floor(interpolate(m.diskTB.row, ccu) * GIB_PER_TB),
    };
  });
}

function machineCount(role: HostRole, ccu: number): number {
  const row = MACHINES[role].count.row;
  // One host for each database instance, and the instances form a quorum: the number changes in steps.
  if (role === "database") return step(row, ccu);
  const n = count(row, ccu);
  // MinIO grows by whole pools: five nodes would hold no more than four.
  return role === "storage" ? ceilTo(n, POOL_NODES) : n;
}
